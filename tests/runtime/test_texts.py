"""Whatever is an ordered collection of str is taken; anything else is refused by index and type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from wellread.errors import BadInput
from wellread.runtime.texts import listed

TWO = ["one", "two"]


@pytest.mark.parametrize(
    "texts",
    [TWO, tuple(TWO), (text for text in TWO), np.array(TWO), np.array(TWO, object), pd.Series(TWO), pd.Index(TWO)],
    ids=lambda texts: type(texts).__name__,
)
def test_collections_of_str(texts: Any) -> None:
    assert listed(texts) == TWO


def test_a_str_is_one_text() -> None:
    assert listed("one two") == ["one two"]


@pytest.mark.parametrize(
    "texts",
    [None, 3, 1.5, b"one", {"a": "b"}, {"one"}, np.array("one"), np.array([TWO]), pd.DataFrame({"text": TWO})],
    ids=lambda texts: type(texts).__name__,
)
def test_what_is_no_collection_of_texts_is_named_by_its_type(texts: Any) -> None:
    with pytest.raises(BadInput, match=f"a {type(texts).__name__} is not texts"):
        listed(texts)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "'None' of type NoneType"),
        (3, "'3' of type int"),
        (float("nan"), "'nan' of type float"),
        (pd.NA, "'<NA>' of type NAType"),
        (b"bytes", "decode it first"),
        (["nested"], "a list, not a str: pass one flat list"),
    ],
)
def test_an_element_that_is_no_text_is_named_by_index_and_type(wrong: Any, said: str) -> None:
    with pytest.raises(BadInput, match="text 1 is ") as raised:
        listed(["fine", wrong, "fine"])
    assert said in str(raised.value)


def test_further_wrong_elements_are_counted() -> None:
    with pytest.raises(BadInput, match=r"text 0 is .* not a str, and 2 more are not"):
        listed([None, "fine", None, 4])  # type: ignore[list-item]
