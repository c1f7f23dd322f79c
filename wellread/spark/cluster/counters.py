"""Rows that could not be embedded: counted, told once, and given an empty result, so that a job of a day goes on.

A damaged model is no bad row: it fails the job. The count is Spark's accumulator: where Spark runs a task a second
time, after a failure or for a result that was not cached, its rows count a second time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pyspark.accumulators import AccumulatorParam

from wellread.errors import IntegrityError
from wellread.spark.cluster.session import context_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Row = TypeVar("Row")
Result = TypeVar("Result")
REASONS = 5
"""Different reasons that are kept, at most."""
_log = logging.getLogger("wellread.spark")


class _Reasons(AccumulatorParam[tuple[str, ...]]):
    def zero(self, value: tuple[str, ...]) -> tuple[str, ...]:
        return ()

    def addInPlace(self, value1: tuple[str, ...], value2: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value1 + value2))[:REASONS]


class BadRows:
    """The bad rows of one stage in one session. Made on the driver; a function that holds it may travel to workers."""

    def __init__(self, session: SparkSession, stage: str) -> None:
        context = context_of(session)
        self.stage = stage
        self._count = context.accumulator(0)
        self._reasons = context.accumulator((), _Reasons())

    @property
    def count(self) -> int:
        """How many there were, in the jobs that have ended; on the driver only."""
        return int(self._count.value)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, at most five different ones; on the driver only."""
        return self._reasons.value

    def add(self, error: Exception) -> None:
        """Count one, in a worker; the first of each kind in a worker goes to its log."""
        reason = f"{type(error).__name__}: {error}"[:300]
        self._count.add(1)
        self._reasons.add((reason,))
        _tell(self.stage, reason)

    def spare(
        self, call: Callable[[Sequence[Row]], Sequence[Result]], rows: Sequence[Row], empty: Callable[[], Result]
    ) -> list[Result]:
        """``call(rows)``, one result a row; rows on which it fails get ``empty()`` and are counted.

        They are found by halving, so that the others are computed in company. Raises IntegrityError as ``call`` does.
        """
        try:
            return list(call(rows))
        except IntegrityError:
            raise
        except Exception as error:  # whatever a text does to a tokenizer, the other rows stand
            if len(rows) == 1:
                self.add(error)
                return [empty()]
        half = len(rows) // 2
        return [result for part in (rows[:half], rows[half:]) for result in self.spare(call, part, empty)]


_told: set[tuple[str, str]] = set()


def _tell(stage: str, reason: str) -> None:
    if (stage, reason) not in _told and len(_told) < 100:
        _told.add((stage, reason))
        _log.warning("%s: a row could not be embedded and gets an empty result: %s", stage, reason)
