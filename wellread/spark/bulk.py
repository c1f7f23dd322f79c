"""Files embedded by a cluster: the engine of ``wellread.bulk`` whose units are Spark's tasks.

The driver has listed the files and planned the units. A task takes some units that follow each other, reads their rows
where they lie, and writes their parts; only what became of them comes back. So Spark needs no library for buckets, and
a task that is run again, because its worker was lost, leaves the parts that are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from wellread.bulk.output import Output, open_output
from wellread.bulk.plan import Plan, Unit
from wellread.bulk.rows import BadFile, Rows
from wellread.bulk.run import Engine
from wellread.bulk.work import Done, do
from wellread.errors import WellreadError
from wellread.registry.records import decode, encode
from wellread.spark.cluster.carrying import carried
from wellread.spark.cluster.session import context_of, prepare
from wellread.spark.cluster.shipping import Shipped, ship
from wellread.spark.cluster.worker import model_in_worker

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from wellread.runtime.model import Model

_SAID = re.compile(
    r"^(?:\w+\.)*\w*(?:Error|Exception): (.*?)(?=\n\s*(?:at |SQLSTATE)|\n\n|\Z)", re.MULTILINE | re.DOTALL
)
"""The last line of a traceback of Python, and what follows it there."""
_JAVA = re.compile(r".*(?:Error|Exception): (\S.*)")
"""The innermost word of a line of Java's, where no Python spoke: a worker that is killed has no last word."""
_LONGEST = 300
_TASKS = 4
"""Tasks for each core: the last ones to end keep the others waiting for a quarter of the time at most."""


def engine(session: SparkSession) -> Engine:
    """What ``embed_files`` takes to have the work done by the executors of a session."""

    def work(model: Model, plan: Plan, output: Output, units: Sequence[Unit]) -> Iterable[Done]:
        if not units:
            return []
        prepare(session)
        context, task = context_of(session), _Task(ship(model, session), encode(plan), output.url)
        tasks = min(len(units), _TASKS * context.defaultParallelism)
        try:
            found = context.parallelize(units, tasks).mapPartitions(carried(task)).collect()
        except Exception as error:  # py4j's or pyspark's own, by what of Spark was used before
            raise WellreadError(
                f"Spark cannot do the work: {_cause(str(error))}\n"
                "When that is mended, the same command goes on with the parts that are there"
            ) from error
        return _told(found, output)

    return work


class _Task:
    """Does some units in a worker. What goes wrong comes back as a value: Spark would try it again three times."""

    def __init__(self, shipped: Shipped, plan: bytes, output: str) -> None:
        self._shipped, self._plan, self._output = shipped, plan, output

    def __call__(self, units: Iterable[Unit]) -> Iterator[Done | str]:
        try:
            yield from self._done(units)
        except WellreadError as error:
            yield str(error)

    def _done(self, units: Iterable[Unit]) -> Iterator[Done]:
        model, output = model_in_worker(self._shipped), open_output(self._output)
        plan = decode(self._plan, Plan, "the plan")
        with closing(Rows(plan)) as rows:
            for unit in units:
                try:
                    yield Done(unit) if output.has(unit.part) else do(unit, plan, model, rows, output, _unseen)
                except BadFile as error:
                    yield Done(unit, why=str(error))


def _cause(trace: str) -> str:
    """What a worker said last, out of the traces of Python and Java; else the beginning."""
    found = _SAID.search(trace) or _JAVA.search(trace)
    return found[1].strip() if found else " ".join(trace.split())[:_LONGEST]


def _unseen(_: int) -> None:
    """Nobody watches a worker."""


def _told(found: Sequence[Done | str], output: Output) -> list[Done]:
    """What became of the units. Raises WellreadError where a worker cannot write, or writes somewhere else."""
    done = [each for each in found if isinstance(each, Done)]
    if failures := dict.fromkeys(each for each in found if isinstance(each, str)):
        raise WellreadError("\n".join(list(failures)[:3]))
    there = output.names()
    if lost := [each.unit.part for each in done if not each.why and each.unit.part not in there]:
        raise WellreadError(
            f"{lost[0]} and {len(lost) - 1} other parts were written and are not in {output.url} here: the workers' "
            "folder of that name is another one. Give a folder that all machines share, or a bucket"
        )
    return done
