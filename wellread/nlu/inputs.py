"""What ``predict`` may be given, whatever library it is of: the texts, their labels, and the columns beside them.

    str                                    one text, labelled 0
    list, tuple, 1-D numpy array           0, 1, 2 …
    Series, Arrow array, polars Series     the labels of the Series, else 0, 1, 2 …
    DataFrame, Arrow table, polars frame   its column ``text``; all other columns are kept
      with a column ``origin_index``       the labels are those: a result that was given back keeps its ties

A text that is None, NaN, ``pd.NA``, masked or a null is no text, which is no mistake. What a library makes is turned
into pandas by its own ``to_pandas``, so that none is imported that the caller has not. No column loses digits by that:
integers and booleans become pandas' ``Int64`` and ``boolean``, all columns of a type of which one has nulls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from wellread.errors import BadInput, missing_extra, near_misses

if TYPE_CHECKING:
    import pandas as pd

TEXT = "text"
CHUNK = "chunk"
ORIGIN = "origin_index"
_WANTED = "pass a str, a list, tuple, Series or 1-D array of str, or a DataFrame with a column 'text'"
_NOT_TEXTS = (bytes, bytearray, memoryview, Mapping, AbstractSet)
_NULLABLE = {"bool": "boolean"} | {
    f"{sign}int{bits}": f"{sign.upper()}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
"""Arrow's types that pandas makes floats or objects of where there are nulls → those of its own that take them."""


@dataclass(frozen=True, slots=True)
class Given:
    """``texts``, None for a null; ``labels``, one a text, named ``origin_index``; ``beside`` them a row a text."""

    texts: Sequence[str | None]
    labels: pd.Index
    beside: pd.DataFrame


def load_pandas() -> ModuleType:
    """pandas. Raises MissingExtra."""
    try:
        import pandas
    except ImportError as error:
        raise missing_extra("pandas", "nlu") from error
    return pandas


def read(data: Any) -> Given:
    """The texts in ``data``. Raises BadInput for what holds none, MissingExtra without pandas."""
    pandas = load_pandas()
    data = _in_pandas(data)
    if isinstance(data, pandas.DataFrame):
        return _in_frame(data)
    texts = _texts(data)
    labels = data.index if isinstance(data, pandas.Series) else pandas.RangeIndex(len(texts))
    return Given(texts, _labels(labels), pandas.DataFrame(index=labels))


def _in_frame(frame: pd.DataFrame) -> Given:
    check_columns(frame.columns)
    own = ORIGIN in check_single(ORIGIN, frame.columns)
    labels = load_pandas().Index(frame[ORIGIN]) if own else frame.index
    beside = frame.drop(columns=[TEXT, ORIGIN] if own else TEXT)
    return Given(_texts(frame[TEXT]), _labels(labels), beside)


def check_columns(columns: Iterable[Any], rename: str = f"df.rename(columns={{…: {TEXT!r}}})") -> None:
    """Raises BadInput where a frame has no column ``text``, or several, naming the columns that it has."""
    names = check_single(TEXT, columns)
    if TEXT in names:
        return
    near = near_misses(TEXT, names)
    raise BadInput(
        f"the DataFrame has no column {TEXT!r}, but {', '.join(map(repr, names[:20])) or 'none at all'}.{near} "
        f"Rename the one that has the texts: {rename}"
    )


def check_single(name: str, columns: Iterable[Any]) -> list[str]:
    """The names of a frame's columns. Raises BadInput where several have that name."""
    names = [str(column) for column in columns]
    if names.count(name) > 1:
        raise BadInput(f"the DataFrame has {names.count(name)} columns {name!r}: leave one")
    return names


def check_choice(name: str, value: object, known: Sequence[str]) -> None:
    """Raises BadInput for an option's value that is not among those known, naming near misses."""
    if value not in known:
        hint = near_misses(str(value), known)
        raise BadInput(f"{name}={value!r} is not one of {', '.join(map(repr, known))}.{hint}")


def is_null(value: object) -> bool:
    """Whether a value is what some library means by nothing: None, NaN, ``pd.NA``, ``NaT``, numpy's ``masked``."""
    pandas = load_pandas()
    return value is None or value is np.ma.masked or bool(pandas.api.types.is_scalar(value) and pandas.isna(value))


def _in_pandas(data: Any) -> Any:
    """What another library's frame or column is in pandas; anything else as it is."""
    if not hasattr(data, "to_pandas"):
        return data
    try:
        return data.to_pandas(**_exactly(data))
    except ModuleNotFoundError as error:  # polars goes by way of Arrow
        raise missing_extra(error.name or "pyarrow", "files") from error


def _exactly(data: Any) -> dict[str, Any]:
    """The option of Arrow's ``to_pandas``, which polars hands on, that keeps whole numbers whole beside nulls."""
    if type(data).__module__.partition(".")[0] not in ("pyarrow", "polars") or not hasattr(data, "columns"):
        return {}
    arrow = data.to_arrow() if hasattr(data, "to_arrow") else data
    lacking = {str(column.type) for column in arrow.columns if column.null_count}
    pandas_type = load_pandas().api.types.pandas_dtype
    known = {name: pandas_type(own) for name, own in _NULLABLE.items() if name in lacking}
    return {"types_mapper": lambda kind: known.get(str(kind))}


def _texts(data: Any) -> list[str | None]:
    if isinstance(data, str):
        return [data]
    if isinstance(data, _NOT_TEXTS) or not isinstance(data, Iterable) or getattr(data, "ndim", 1) != 1:
        raise BadInput(f"a {type(data).__name__} is not texts: {_WANTED}")
    return [_text(number, value) for number, value in enumerate(data)]


def _text(number: int, value: object) -> str | None:
    if isinstance(value, str):
        return value
    if is_null(value):
        return None
    raise BadInput(f"text {number} is {str(value)[:40]!r} of type {type(value).__name__}, not a str: {_WANTED}")


def _labels(index: pd.Index) -> pd.Index:
    """Labels of several levels are tuples: an index of levels has no name of its own."""
    labels: pd.Index = index.to_flat_index().rename(ORIGIN)
    return labels
