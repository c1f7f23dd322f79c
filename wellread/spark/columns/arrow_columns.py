"""A column computed by a function from Arrow arrays to Arrow arrays, on every pyspark from 3.5 on.

From 4.1 on pyspark hands Arrow arrays over as they are (``arrow_udf``). Before that there are only pandas UDFs, which
take every nested value apart and build it again, a Python object for every component of a vector. ``_finished`` keeps
them from that: a Series around an Arrow array, which pyspark then writes as it is.

A function is given an iterator of batches and yields its results in parts of any size: as many rows in all as came in.
So it can open a model once for all batches, and a batch of 10,000 rows need not be held with all its vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import DataType

from wellread.spark.cluster.carrying import carried
from wellread.spark.cluster.pandas_warning import unwarned_of_pandas

Batch = Sequence[pa.Array]
"""One array a column, all of the same number of rows."""
Work = Callable[[Iterator[Batch]], Iterator[pa.Array]]
_ARROW_UDF: Any = getattr(F, "arrow_udf", None)


def computed(work: Work, inputs: Sequence[Column], kinds: Sequence[DataType], result: DataType) -> Column:
    """The column of type ``result`` that ``work`` makes of ``inputs``, whose types are ``kinds``."""
    if _ARROW_UDF:
        return _by_arrow(work, result)(*inputs)
    return _by_pandas(work, [to_arrow_type(kind) for kind in kinds], result)(*inputs)


def by_weight(lists: pa.Array, most: int) -> Iterable[range]:
    """The rows of a column of lists in parts that hold ``most`` elements together, or one row that has more."""
    ends = np.cumsum(lists.value_lengths().fill_null(0).to_numpy())
    first = 0
    while first < len(ends):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + most, "right")))
        yield range(first, last)
        first = last


def _by_arrow(work: Work, result: DataType) -> Callable[..., Column]:
    def run(batches: Iterator[tuple[pa.Array, ...]]) -> Iterator[pa.Array]:
        return work(_columns(batch) for batch in batches)

    return _udf(_ARROW_UDF, run, pa.Array, result)


def _by_pandas(work: Work, kinds: Sequence[pa.DataType], result: DataType) -> Callable[..., Column]:
    import pandas as pd
    from pyspark.sql.pandas.functions import pandas_udf

    def run(batches: Iterator[tuple[Any, ...]]) -> Iterator[Any]:
        arrays = ([pa.array(*one) for one in zip(_columns(batch), kinds, strict=True)] for batch in batches)
        return map(_finished, work(arrays))

    return _udf(pandas_udf, run, pd.Series, result)


def _udf(
    make: Any, run: Callable[[Iterator[Any]], Iterator[Any]], array: type, result: DataType
) -> Callable[..., Column]:
    """pyspark learns from the hints that a function takes and gives iterators.

    It is told that results may differ: else ``explode`` or a filter over the column has Spark compute the column twice.
    """
    run.__annotations__ = {"batches": Iterator[tuple[array, ...]], "return": Iterator[array]}  # type: ignore[valid-type]
    with unwarned_of_pandas():
        made: Callable[..., Column] = make(carried(run), result).asNondeterministic()
    return made


def _columns(batch: Any) -> Sequence[Any]:
    """pyspark hands a single column over bare."""
    return batch if isinstance(batch, tuple) else (batch,)


def _finished(array: pa.Array) -> Any:
    """A Series that is Arrow already: pyspark's conversion, an ``apply``, leaves it as it is."""
    import pandas as pd

    series = pd.Series(pd.arrays.ArrowExtensionArray(array))
    object.__setattr__(series, "apply", lambda *_, **__: series)
    return series
