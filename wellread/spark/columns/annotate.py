"""What computes a stage's column in a worker.

    opened()   once in each task: what annotates, its model opened
    rows       from arrays of inputs to a result a row; a row on which that fails gets the empty result, and is counted
    array      from the results of some rows to Arrow

What a worker imports lies in modules apart from the stages: those need pyspark.ml, a quarter of a worker's start.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

import pyarrow as pa

from wellread.spark.cluster.counters import BadRows
from wellread.spark.columns.arrow_columns import Batch, Work

Result = TypeVar("Result")


class Annotate(ABC, Generic[Result]):
    """In a worker: from arrays of inputs to a result a row, and from those to an array."""

    @abstractmethod
    def rows(self, batch: Batch) -> Sequence[Result]:
        """A result for each row of ``batch``."""

    @abstractmethod
    def array(self, results: Sequence[Result]) -> pa.Array:
        """The annotations of rows that gave these results."""

    @abstractmethod
    def empty(self) -> Result:
        """The result of a row on which ``rows`` fails."""

    def parts(self, batch: Batch) -> Iterable[range]:
        """The rows that are computed together, and whose results are held at once."""
        return [range(len(batch[0]))]


def work_of(opened: Callable[[], Annotate[Result]], bad: BadRows) -> Work:
    """What computes a column in a worker: ``opened()`` once, then part after part of every batch."""

    def work(batches: Iterator[Batch]) -> Iterator[pa.Array]:
        annotate = opened()
        for batch in batches:
            for part in annotate.parts(batch):
                yield annotate.array(_spared(annotate, batch, part, bad))

    return work


def _spared(annotate: Annotate[Result], batch: Batch, part: range, bad: BadRows) -> list[Result]:
    def results(numbers: Sequence[int]) -> Sequence[Result]:
        return annotate.rows([array.slice(numbers[0], len(numbers)) for array in batch]) if numbers else []

    return bad.spare(results, part, annotate.empty)
