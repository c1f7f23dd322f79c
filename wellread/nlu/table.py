"""The rows of a level as a pandas DataFrame.

The index, named ``origin_index``, has the label of the text that a row is of, as often as it has rows. The columns that
came with the texts stand first. Texts and vectors are objects, ``str`` and (hidden,) float32; what a row may lack is
None in these, and ``pd.NA`` in a column of numbers. A table without rows has the same types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wellread.nlu.columns import Added, Kind
from wellread.nlu.inputs import ORIGIN, Given, load_pandas
from wellread.nlu.levels import Rows

if TYPE_CHECKING:
    import pandas as pd

_TYPES: Mapping[Kind, str] = {
    "text": "object",
    "number": "int64",
    "piece": "Int64",
    "flag": "boolean",
    "vector": "object",
}


def table(given: Given, rows: Rows, columns: Sequence[Added]) -> pd.DataFrame:
    """The table of ``rows``, which are those of the texts given."""
    pandas = load_pandas()
    owners = np.array(rows.owners, np.int64)
    added = pandas.DataFrame({column.name: _values(column, rows) for column in columns})
    beside = given.beside.iloc[owners].reset_index(drop=True)
    frame: pd.DataFrame = pandas.concat([beside, added], axis=1)
    frame.index = given.labels.take(owners).rename(ORIGIN)
    return frame


def _values(column: Added, rows: Rows) -> pd.Series:
    return _series(column.values(rows), _TYPES[column.kind])


def _series(values: Iterable[Any], dtype: str) -> pd.Series:
    series: pd.Series = load_pandas().Series(list(values), dtype=dtype)
    return series
