"""Vectors as tables: a row for a word or a text, tied to the input."""

from __future__ import annotations

import sys
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from wellread.errors import MissingExtra
from wellread.runtime.model import Model, OutputLevel

pytestmark = pytest.mark.press

TEXTS = ["The fox", "", "love New York"]


def test_a_row_a_word(model: Model) -> None:
    table = model.predict(TEXTS)
    assert list(table.columns) == ["origin_index", "token", "begin", "end", "embeddings"]
    assert table["origin_index"].tolist() == [0, 0, 2, 2, 2]
    assert table["token"].tolist() == ["The", "fox", "love", "New", "York"]
    places = zip(table["origin_index"], table["begin"], table["end"], strict=True)
    assert [TEXTS[index][begin:end] for index, begin, end in places] == table["token"].tolist()
    vectors = np.concatenate([found.vectors for found in model.encode(TEXTS, output_level="token")])
    np.testing.assert_array_equal(np.stack(table["embeddings"].tolist()), vectors)


def test_a_row_a_text(model: Model) -> None:
    table = model.predict(TEXTS, "sentence", normalize=True)
    assert list(table.columns) == ["origin_index", "sentence", "embeddings"]
    assert table["sentence"].tolist() == TEXTS
    np.testing.assert_array_equal(np.stack(table["embeddings"].tolist()), model.encode(TEXTS, normalize=True))


def test_the_labels_of_a_series_are_kept(model: Model) -> None:
    column = pd.Series(TEXTS, index=["a", "b", "c"])
    assert model.predict(column)["origin_index"].tolist() == ["a", "a", "c", "c", "c"]
    assert model.predict(column, "sentence")["origin_index"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("level", ["token", "sentence"])
def test_no_texts_make_an_empty_table_of_the_same_types(model: Model, level: OutputLevel) -> None:
    full, columns = model.predict(TEXTS, level), {"token": 5, "sentence": 3}[level]
    assert model.predict([], level).shape == (0, columns)
    nothing: tuple[Any, ...] = ([], pd.Series([], dtype=object))
    for texts in nothing:
        pd.testing.assert_series_equal(model.predict(texts, level).dtypes, full.dtypes)
        assert pd.concat([model.predict(texts, level), full])["origin_index"].dtype == np.int64


def test_labels_keep_their_type(model: Model) -> None:
    days = pd.Series(TEXTS, index=pd.date_range("2020-08-25", periods=3))
    pairs = pd.Series(TEXTS, index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]))
    for level in get_args(OutputLevel):
        assert model.predict(days, level)["origin_index"].dtype == days.index.dtype
        assert model.predict(days[:0], level)["origin_index"].dtype == days.index.dtype
        assert model.predict(pairs, level)["origin_index"].tolist()[-1] == ("b", 1)


def test_one_text_needs_no_list(model: Model) -> None:
    assert model.predict("the fox")["token"].tolist() == ["the", "fox"]


def test_without_pandas_the_extra_is_named(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"pip install 'wellread\[table\]'"):
        model.predict(TEXTS)
