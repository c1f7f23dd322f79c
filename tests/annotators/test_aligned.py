"""Mode ``aligned``: the sentence as it is written, and a vector for every token of which anything is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.annotators.conftest import Sequences, tokenised
from tests.runtime.test_tokenise import nasty_texts
from wellread.annotators.words import Sentence, Token, WordEmbedder
from wellread.runtime.model import Model

_CASINGS = pytest.mark.parametrize("cased", [False, True], ids=["uncased", "cased"])


@_CASINGS
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=nasty_texts())
def test_where_tokens_are_words_it_is_encode(models: dict[bool, Model], cased: bool, text: str) -> None:
    model = models[cased]
    words = model.encode(text, output_level="token", long="window")
    spans = zip(words.begin.tolist(), words.end.tolist(), words.words, strict=True)
    sentence = Sentence(text, 100, [Token(100 + begin, 100 + end - 1, word) for begin, end, word in spans])
    (kept,) = WordEmbedder(model, mode="aligned").embed([sentence])
    assert kept.index.tolist() == list(range(len(words)))
    np.testing.assert_allclose(kept.vectors, words.vectors, atol=1e-6)


def test_all_parts_of_a_token_are_read(model: Model, read: Sequences) -> None:
    (kept,) = WordEmbedder(model, mode="aligned").embed(tokenised("You don't run."))
    (ids,) = (one.ids.tolist() for one in model.tokeniser(["You don't run."]))
    assert [one.tolist() for one in read] == [ids]
    assert kept.index.tolist() == [0, 1, 2, 3]


def test_nothing_is_missing_of_a_long_sentence(model: Model) -> None:
    text = "the quick fox " * 40
    (kept,) = WordEmbedder(model, mode="aligned", max_length=5).embed(tokenised(text))
    words = model.encode(text, output_level="token", long="window")
    assert kept.index.tolist() == list(range(120))
    np.testing.assert_allclose(kept.vectors, words.vectors, atol=1e-6)


def test_a_token_takes_the_first_piece_that_begins_in_it_or_else_the_one_over_it(model: Model) -> None:
    text = "unable loved " + "x" * 201
    spans = [(0, 1), (2, 5), (4, 5), (7, 9), (11, 11), (6, 6), (13, 20), (100, 110)]
    tokens = [Token(begin, end, text[begin : end + 1]) for begin, end in spans]
    (kept,) = WordEmbedder(model, mode="aligned").embed([Sentence(text, 0, tokens)])
    names = [model.tokeniser([one])[0].ids[1] for one in ("un", "love", "x" * 201)]
    un, love, unknown = names
    able, d = model.tokeniser(["unable"])[0].ids[2], model.tokeniser(["loved"])[0].ids[2]
    assert kept.index.tolist() == [0, 1, 2, 3, 4, 6, 7], "a space has none"
    assert kept.pieces.tolist() == [un, able, able, love, d, unknown, unknown]
    assert kept.vectors[5].tolist() == kept.vectors[6].tolist()


def test_tokens_of_which_nothing_is_seen_have_none(model: Model) -> None:
    text = "\u200b \x00 the \u0301"
    tokens = [Token(0, 0, text[0]), Token(2, 2, text[2]), Token(4, 6, "the"), Token(8, 8, text[8])]
    (kept,) = WordEmbedder(model, mode="aligned").embed([Sentence(text, 0, tokens)])
    assert kept.index.tolist() == [2]
    empty = WordEmbedder(model, mode="aligned").embed([Sentence("", 0, []), Sentence("\u200b", 0, [Token(0, 0, "")])])
    assert [one.index.tolist() for one in empty] == [[], []]


def test_windows_without_a_token_are_not_read(model: Model, read: Sequences) -> None:
    text = "the quick fox " * 40
    WordEmbedder(model, mode="aligned").embed([Sentence(text, 0, [Token(0, 2, "the")]), Sentence(text, 0, [])])
    assert len(read) == 1


def test_case_can_be_another_than_the_models(models: dict[bool, Model], read: Sequences) -> None:
    for cased in (False, True):
        WordEmbedder(models[cased], mode="aligned", case_sensitive=not cased).embed(tokenised("QUICK Thé"))
    lowered = models[True].tokeniser(["quick the"])[0].ids.tolist()
    assert read[1].tolist() == lowered
    assert read[0].tolist() != models[False].tokeniser(["QUICK Thé"])[0].ids.tolist()


def test_accents_stay_where_case_is_kept(cased_model: Model, read: Sequences) -> None:
    WordEmbedder(cased_model, mode="aligned").embed(tokenised("Thé"))
    assert read[0].tolist() == cased_model.tokeniser(["Thé"])[0].ids.tolist()
