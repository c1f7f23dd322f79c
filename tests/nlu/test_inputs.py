"""Every kind of input that ``predict`` takes, and what is said to the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from wellread.errors import BadInput, MissingExtra
from wellread.nlu.inputs import ORIGIN, read

TEXTS = ["I love NLP", None, ""]
FRAME = {"id": [7, 8, 9], "text": TEXTS}


@pytest.mark.parametrize(
    "data",
    [
        TEXTS,
        tuple(TEXTS),
        iter(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype="string"),
        pd.Series(TEXTS, dtype="category"),
        pl.Series(TEXTS),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
        pa.array(TEXTS).dictionary_encode(),
    ],
    ids=lambda data: f"{type(data).__module__}.{type(data).__name__}",
)
def test_a_column_of_texts_is_read_and_numbered(data: Any) -> None:
    given = read(data)
    assert list(given.texts) == TEXTS
    assert (list(given.labels), given.labels.name) == ([0, 1, 2], ORIGIN)
    assert given.beside.shape == (3, 0)


@pytest.mark.parametrize(
    "make",
    [pd.DataFrame, pl.DataFrame, pa.table, pa.RecordBatch.from_pydict],
    ids=("pandas", "polars", "table", "batch"),
)
def test_a_frame_gives_its_texts_and_keeps_the_rest(make: Callable[[Any], Any]) -> None:
    given = read(make(FRAME))
    assert list(given.texts) == TEXTS
    pd.testing.assert_frame_equal(given.beside, pd.DataFrame({"id": [7, 8, 9]}))


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table, pa.RecordBatch.from_pydict], ids=("polars", "table", "batch"))
def test_no_column_loses_a_digit_to_a_null(make: Callable[[Any], Any]) -> None:
    most = 2**63 - 1
    frame = make(
        {"text": ["a", "b"], "id": [most, None], "flag": [None, True], "share": [0.5, None], "name": ["x", None]}
    )
    beside = read(frame).beside
    assert beside["id"].tolist() == [most, pd.NA] and beside["flag"].tolist() == [pd.NA, True]
    assert list(map(str, beside.dtypes))[:3] == ["Int64", "boolean", "float64"]
    assert beside["name"][0] == "x" and pd.isna(beside["name"][1])


def test_whole_numbers_keep_their_width_and_sign() -> None:
    table = pa.table({"text": ["a", "b"], "n": pa.array([255, None], pa.uint8()), "m": pa.array([1, 2], pa.int16())})
    assert list(map(str, read(table).beside.dtypes)) == ["UInt8", "int16"]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=("pandas", "polars", "table"))
def test_a_column_origin_index_is_the_labels(make: Callable[[Any], Any]) -> None:
    given = read(make({"origin_index": [7, 7], "text": ["a", "b"], "id": [1, 2]}))
    assert (list(given.labels), given.labels.name, list(given.beside.columns)) == ([7, 7], ORIGIN, ["id"])


def test_what_is_masked_is_no_text() -> None:
    assert read(np.ma.array(["a", "b"], mask=[False, True])).texts == ["a", None]


@pytest.mark.parametrize("null", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_whatever_means_nothing_is_no_text(null: object) -> None:
    assert read(["a", null]).texts == ["a", None]
    assert read(pd.DataFrame({"text": pd.Series(["a", null], dtype=object)})).texts == ["a", None]


def test_one_text_and_none_at_all() -> None:
    assert read("I love NLP").texts == ["I love NLP"]
    nothing: Any
    for nothing in ([], pd.Series([], dtype=object), np.array([], dtype=str), pl.Series([], dtype=pl.String)):
        assert read(nothing).texts == []
    assert read(np.array(["I", "love"])).texts == ["I", "love"]


def test_the_labels_of_rows_are_kept_even_twice_the_same_and_of_several_levels() -> None:
    series = pd.Series(["x", "y"], index=["a", "a"])
    assert list(read(series).labels) == ["a", "a"]
    several = pd.DataFrame({"text": ["x", "y"]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]))
    assert list(read(several).labels) == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (3, "a int is not texts"),
        (b"I love NLP", "a bytes is not texts"),
        ({"text": ["a"]}, "a dict is not texts"),
        ({"a", "b"}, "a set is not texts"),
        (np.array([["a"]]), "a ndarray is not texts"),
        (["a", 3], "text 1 is '3' of type int, not a str"),
        (["a", ["b"]], "text 1 is \"['b']\" of type list"),
        (np.array([1.5]), "text 0 is '1.5' of type float"),
        (pd.DataFrame({"ptext": ["a"], "id": [1]}), "no column 'text', but 'ptext', 'id'. Did you mean 'ptext'?"),
        (pd.DataFrame({"Text": ["a"]}), "Did you mean 'Text'?"),
        (pd.DataFrame(), "no column 'text', but none at all"),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "2 columns 'text'"),
        (pd.DataFrame([["a", 1, 2]], columns=["text", ORIGIN, ORIGIN]), "2 columns 'origin_index': leave one"),
        (pl.DataFrame({"txt": ["a"]}), "Did you mean 'txt'?"),
        (pd.DataFrame({0: ["a"]}), "but '0'"),
    ],
)
def test_what_holds_no_texts_is_refused_with_what_to_give(data: Any, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(data)
    assert said in str(caught.value)


def test_polars_without_arrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ModuleNotFoundError("pyarrow is required for this", name="pyarrow")

    monkeypatch.setattr(pl.Series, "to_pandas", fail)
    with pytest.raises(MissingExtra, match=r"pyarrow is not installed: pip install 'wellread\[files\]'"):
        read(pl.Series(["a"]))


def test_no_library_is_imported_that_the_caller_has_not(tmp_path: Path) -> None:
    script = (
        "import sys; from wellread.nlu.inputs import read; import wellread.nlu.loading;"
        "read(['a', None]); print({'polars', 'pyspark', 'torch', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
