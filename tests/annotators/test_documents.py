"""Texts as documents, and the eight ways to clean them."""

from __future__ import annotations

import pytest

from wellread.annotators.documents import CleanupMode, document
from wellread.errors import BadInput

_TEXT = " a\tb\r\n\n c\\r\\nd\\te\u00a0 "


def test_a_document_is_one_annotation_with_an_inclusive_end() -> None:
    (found,) = document("I love NLP")
    assert (found.kind, found.begin, found.end, found.result) == ("document", 0, 9, "I love NLP")
    assert found.metadata == {"sentence": "0"}
    assert found.embeddings.shape == (0,)


def test_null_gives_nothing_and_an_empty_text_an_empty_document() -> None:
    assert document(None) == []
    (empty,) = document("")
    assert (empty.begin, empty.end, empty.result) == (0, -1, "")


def test_characters_are_counted_not_bytes_nor_utf16_units() -> None:
    (found,) = document("\U0001f600e\u0301\x00\ud800")
    assert (found.end, found.result) == (4, "\U0001f600e\u0301\x00\ud800")


@pytest.mark.parametrize(
    ("cleanup", "cleaned"),
    [
        ("disabled", _TEXT),
        ("inplace", " a b    c\\r\\nd\\te\u00a0 "),
        ("inplace_full", " a b    c d e\u00a0 "),
        ("shrink", "a b c\\r\\nd\\te\u00a0"),
        ("shrink_full", "a b c d e\u00a0"),
        ("each", " a\tb \n c\\r\\nd\\te\u00a0 "),
        ("each_full", " a\tb \n c\\r\\nd\\te\u00a0 "),
        ("delete_full", "a\tb\r\n\n cde\u00a0"),
    ],
)
def test_each_way_to_clean(cleanup: CleanupMode, cleaned: str) -> None:
    (found,) = document(_TEXT, cleanup)
    assert (found.result, found.end) == (cleaned, len(cleaned) - 1)


def test_each_full_also_takes_what_is_spelt_out() -> None:
    assert document("a \\n b \\t c", "each_full")[0].result == "a  b  c"
    assert document("a \\n b \\t c", "each")[0].result == "a \\n b \\t c"


def test_another_way_is_refused_with_a_near_miss() -> None:
    with pytest.raises(BadInput, match=r"'shrunk' is not one of disabled, .*Did you mean 'shrink'"):
        document("a", "shrunk")  # type: ignore[arg-type]
