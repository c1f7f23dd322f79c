"""The engine of one machine: unit by unit in this process, with the model on all its cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from wellread.bulk.output import Output
from wellread.bulk.plan import Plan, Unit
from wellread.bulk.rows import BadFile, Rows
from wellread.bulk.work import Done, do
from wellread.runtime.model import Model
from wellread.runtime.progress import progress_bar


def work(model: Model, plan: Plan, output: Output, units: Sequence[Unit]) -> Iterator[Done]:
    """Do the units in their order; of a file that cannot be read the rest is left out.

    Raises WellreadError where a part cannot be written.
    """
    bad: set[int] = set()
    rows = sum(unit.rows for unit in units)
    with closing(Rows(plan)) as reading, progress_bar(rows, None, unit="row") as bar:
        for unit in units:
            if unit.file in bad:
                continue
            try:
                yield do(unit, plan, model, reading, output, bar.update)
            except BadFile as error:
                bad.add(unit.file)
                yield Done(unit, why=str(error))
