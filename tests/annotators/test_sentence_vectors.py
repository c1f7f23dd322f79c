"""The vectors of sentences, beside those of ``Model.encode``."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

from wellread.annotators.annotation import Annotation
from wellread.annotators.documents import document
from wellread.annotators.sentence_vectors import SentenceEmbedder
from wellread.annotators.sentences import SentenceSplitter
from wellread.errors import BadInput
from wellread.registry.records import Pooling
from wellread.runtime.model import Model

_TEXTS = ["I love NLP", "", "don't run, Thé fox! 中文", " \x00", "the \ud800 fox"]


@pytest.mark.parametrize("pooling", get_args(Pooling))
def test_within_the_limit_they_are_those_of_encode(make_model: Callable[..., Model], pooling: Pooling) -> None:
    model = make_model(pooling=pooling)
    found = SentenceEmbedder(model).embed(_TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, model.encode(_TEXTS), atol=1e-6)


def test_a_cased_model_keeps_case_and_accents(cased_model: Model) -> None:
    np.testing.assert_allclose(SentenceEmbedder(cased_model).embed(_TEXTS), cased_model.encode(_TEXTS), atol=1e-6)


def test_of_a_long_sentence_the_beginning_is_read_without_a_warning(model: Model) -> None:
    found = SentenceEmbedder(model, max_length=5).embed(["the quick fox jumps over it", "the quick fox"])
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    assert SentenceEmbedder(model).embed(["the " * 100_000]).shape == (1, 32)


def test_case_can_be_another_than_the_models(models: dict[bool, Model]) -> None:
    lowered = SentenceEmbedder(models[True], case_sensitive=False).embed(["The QUICK fóx"])
    np.testing.assert_allclose(lowered, models[True].encode(["the quick fox"]), atol=1e-6)
    kept = SentenceEmbedder(models[False], case_sensitive=True).embed(["QUICK", "quick"])
    assert not np.allclose(kept[0], kept[1])


def test_annotations(model: Model) -> None:
    first = SentenceSplitter()(document("I love it. You run!"))
    second = [Annotation("document", 3, 5, "the", {"sentence": "0", "id": "x7"})]
    rows = SentenceEmbedder(model, batch_size=2)([first, [], second])
    assert [len(row) for row in rows] == [2, 0, 1]
    one = rows[0][1]
    assert (one.kind, one.begin, one.end, one.result) == ("sentence_embeddings", 11, 18, "You run!")
    assert one.metadata == {"sentence": "1", "token": "You run!", "pieceId": "-1", "isWordStart": "true"}
    assert rows[2][0].metadata["id"] == "x7"
    np.testing.assert_allclose(one.embeddings, model.encode("You run!"), atol=1e-6)
    np.testing.assert_allclose(rows[2][0].embeddings, model.encode("the"), atol=1e-6)


def test_no_rows_are_no_work(model: Model) -> None:
    embedder = SentenceEmbedder(model)
    assert embedder([]) == [] and embedder([[], []]) == [[], []]
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_options_that_cannot_be_are_refused(model: Model) -> None:
    with pytest.raises(BadInput, match=r"max_length=129: tiny takes 24 pieces\. Pass max_length=24 or less"):
        SentenceEmbedder(model, max_length=129)
    with pytest.raises(BadInput, match="batch_size=-1"):
        SentenceEmbedder(model, batch_size=-1)


def test_it_pickles(model: Model) -> None:
    embedder = SentenceEmbedder(model, case_sensitive=True, max_length=7, batch_size=3)
    twin = pickle.loads(pickle.dumps(embedder))
    assert (twin.case_sensitive, twin.max_length, twin.batch_size) == (True, 7, 3)
    assert twin.embed(["The fox"]).tolist() == embedder.embed(["The fox"]).tolist()
