"""What a worker makes of its batches: they are cut, so that memory is bounded, and spare the rows that cannot be.

No Spark is started here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

import pyarrow as pa

from tests.spark.here import Counted
from wellread.annotators.annotation import Annotation
from wellread.annotators.documents import document
from wellread.annotators.sentences import SentenceSplitter
from wellread.annotators.tokens import Splitter
from wellread.runtime.model import Model
from wellread.spark.columns import sentence_rows, word_rows
from wellread.spark.columns.annotate import Annotate, work_of
from wellread.spark.columns.chunk_rows import ChunkRows
from wellread.spark.columns.rule_rows import RuleRows

TEXTS = ["I love NLP. You don't!", None, "", "hello " * 4, "the quick brown fox. jumps", "over"]
INTS, STRINGS = pa.list_(pa.int32()), pa.list_(pa.string())
VECTORS = pa.list_(pa.list_(pa.float32()))
SHIPPED: Any = None  # what the model in this process needs

Rows = Sequence[Sequence[Annotation]]
Opened = Callable[[], Annotate[Any]]


@pytest.fixture(autouse=True)
def opened(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker has the model, and it is this one."""
    for module in (word_rows, sentence_rows):
        monkeypatch.setattr(module, "model_in_worker", lambda _: model)


def words() -> Annotate[Any]:
    return word_rows.word_rows(SHIPPED, {})


def sentences() -> Annotate[Any]:
    return sentence_rows.sentence_rows(SHIPPED, {})


def arrays(rows: Rows) -> list[pa.Array]:
    """The fields that cross from the JVM."""
    return [
        pa.array([[one.begin for one in row] for row in rows], INTS),
        pa.array([[one.end for one in row] for row in rows], INTS),
        pa.array([[one.result for one in row] for row in rows], STRINGS),
        pa.array([[one.metadata["sentence"] for one in row] for row in rows], STRINGS),
    ]


def split(texts: Sequence[str | None]) -> list[list[Annotation]]:
    return [SentenceSplitter()(document(text)) for text in texts]


def batch(texts: Sequence[str | None]) -> list[pa.Array]:
    """Sentences and tokens."""
    rows = split(texts)
    return arrays(rows) + arrays([Splitter()(row) for row in rows])


def computed(opened: Opened, *batches: Sequence[pa.Array]) -> tuple[list[Any], int]:
    """The annotations of all rows, and in how many parts they came."""
    parts = list(work_of(opened, Counted())(iter(batches)))
    return [row for part in parts for row in part.to_pylist()], len(parts)


@pytest.mark.parametrize(
    ("kind", "limit", "fields"), [(words, (word_rows, "WORDS"), 8), (sentences, (sentence_rows, "SENTENCES"), 4)]
)
@pytest.mark.parametrize("most", [1, 3, 5])
def test_a_batch_that_is_cut_gives_each_row_its_own(
    kind: Opened, limit: tuple[Any, str], fields: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [batch(TEXTS[:5])[:fields], batch(TEXTS[5:] + TEXTS)[:fields]]
    whole, parts = computed(kind, *batches)
    assert (parts, len(whole)) == (2, 12)
    monkeypatch.setattr(*limit, most)
    cut, parts = computed(kind, *batches)
    assert parts > 2
    for row, other in zip(cut, whole, strict=True):
        for one, same in zip(row, other, strict=True):
            np.testing.assert_allclose(one.pop("embeddings"), same.pop("embeddings"), atol=2e-6)
        assert row == other


def tokens_of_text(text: Any) -> list[pa.Array]:
    """A batch of three rows, of which the one in the middle has a result that is null or as given."""
    return arrays([[Annotation("document", 0, 3, each, {"sentence": "0"})] for each in ("love", text, "quick")])


def test_a_row_that_breaks_costs_no_other_its_annotations() -> None:
    broken, whole = tokens_of_text(None), tokens_of_text("brown")
    vectors = pa.array([[[1.0, 2.0]]] * 3, VECTORS)
    wrong = pa.array([[[1.0, 2.0]], [None], [[3.0, 4.0]]], VECTORS)
    cases: list[tuple[Opened, list[pa.Array], list[pa.Array]]] = [
        (words, whole + broken, whole + whole),
        (sentences, broken, whole),
        (lambda: RuleRows("document", Splitter()), broken, whole),
        (lambda: ChunkRows("AVERAGE"), [*whole, *whole, wrong], [*whole, *whole, vectors]),
    ]
    for opened, bad_batch, good_batch in cases:
        bad, good = Counted(), Counted()
        (found,) = work_of(opened, bad)(iter([bad_batch]))
        assert [len(row) for row in found.to_pylist()] == [1, 0, 1]
        assert len(bad.said) == 1
        (found,) = work_of(opened, good)(iter([good_batch]))
        assert ([len(row) for row in found.to_pylist()], good.said) == ([1, 1, 1], [])


def test_sentences_and_their_words_keep_the_numbers_that_they_came_with() -> None:
    row = [one._replace(metadata={"sentence": "7"}) for one in split(["I love NLP."])[0]]
    for opened, given in ((sentences, arrays([row])), (words, arrays([row]) + arrays([Splitter()(row)]))):
        ((found,), _) = computed(opened, given)
        assert {dict(one["metadata"])["sentence"] for one in found} == {"7"}
