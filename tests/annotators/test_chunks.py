"""Chunks and their vectors."""

from __future__ import annotations

import numpy as np
import pytest

from wellread.annotators.annotation import Annotation
from wellread.annotators.chunks import chunk_vectors, find_chunks
from wellread.errors import BadInput

_TEXT = "I love New York"
_WORDS = [
    Annotation("word_embeddings", begin, begin + len(word) - 1, word, {"sentence": "0"}, np.array(vector, np.float32))
    for begin, word, vector in [(0, "i", [1, 1]), (2, "love", [2, 0]), (7, "new", [1, 3]), (11, "york", [3, 4])]
]


def test_a_chunk_is_the_mean_of_the_words_in_it() -> None:
    (found,) = chunk_vectors(find_chunks(_TEXT, ["New York"]), _WORDS)
    assert (found.kind, found.begin, found.end, found.result) == ("word_embeddings", 7, 14, "New York")
    assert found.embeddings.dtype == np.float32 and found.embeddings.tolist() == [2, 3.5]
    assert found.metadata == {
        "sentence": "0",
        "chunk": "0",
        "token": "New York",
        "pieceId": "-1",
        "isWordStart": "true",
    }


def test_or_their_sum() -> None:
    (found,) = chunk_vectors(find_chunks(_TEXT, ["New York"]), _WORDS, "SUM")
    assert found.embeddings.tolist() == [4, 7]
    with pytest.raises(BadInput, match="'MAX' is not one of AVERAGE, SUM"):
        chunk_vectors([], [], "MAX")  # type: ignore[arg-type]


def test_only_words_that_lie_wholly_in_the_chunk_and_its_sentence_count() -> None:
    assert chunk_vectors(find_chunks(_TEXT, ["ew Yor"]), _WORDS) == []
    other = Annotation("chunk", 0, 14, _TEXT, {"sentence": "1"})
    assert chunk_vectors([other], _WORDS) == []
    assert chunk_vectors([other], []) == []


def test_words_and_chunks_may_come_in_any_order_and_overlap() -> None:
    chunks = find_chunks(_TEXT, ["New York", "York", "love New"])
    found = chunk_vectors(chunks[::-1], _WORDS[::-1])
    assert [(one.result, one.embeddings.tolist()) for one in found] == [
        ("York", [3, 4]),
        ("New York", [2, 3.5]),
        ("love New", [1.5, 1.5]),
    ]


def test_chunks_are_found_wherever_a_phrase_stands() -> None:
    found = find_chunks("a+b (a+b) \U0001f600 b", ["b", "a+b", "", "c"])
    assert [(one.begin, one.end, one.result) for one in found] == [
        (0, 2, "a+b"),
        (2, 2, "b"),
        (5, 7, "a+b"),
        (7, 7, "b"),
        (12, 12, "b"),
    ]
    assert [one.metadata["chunk"] for one in found] == ["0", "1", "2", "3", "4"]
    assert {one.kind for one in found} == {"chunk"}


@pytest.mark.parametrize(
    ("text", "begins"), [("this is is the fox", [5]), ("the is is is fox", [4, 7]), ("his is is is is", [4, 7, 10])]
)
def test_places_overlap_and_one_that_is_none_hides_no_other(text: str, begins: list[int]) -> None:
    found = find_chunks(text, ["is is"])
    assert [(one.begin, one.end) for one in found] == [(begin, begin + 4) for begin in begins]


def test_a_phrase_is_not_found_inside_a_word() -> None:
    found = find_chunks("New Yorker, New York; anew. a-b 東京都", ["New York", "new", "b", "京"])
    assert [(one.begin, one.result) for one in found] == [(12, "New York"), (30, "b"), (33, "京")]
