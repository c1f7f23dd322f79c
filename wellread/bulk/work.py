"""One unit of work: its rows are read, get their vectors, and are written as a part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import pyarrow as pa
from pyarrow import parquet

from wellread.bulk.output import Output
from wellread.bulk.plan import Plan, Unit
from wellread.bulk.rows import Rows
from wellread.bulk.vectors import added, embedded
from wellread.registry.records import encode
from wellread.runtime.model import Model

_MODEL = b"wellread"
"""The key in a part's metadata under which stands the model that its vectors are by, as JSON."""


class Done(NamedTuple):
    """What became of a unit: ``nulls`` of its rows had no text; ``cut`` says that some were too long for the model;
    ``why`` its file cannot be read, empty if it can."""

    unit: Unit
    nulls: int = 0
    cut: bool = False
    why: str = ""


def do(unit: Unit, plan: Plan, model: Model, rows: Rows, output: Output, tick: Callable[[int], object]) -> Done:
    """Make the part of a unit; ``tick`` is told of rows as they are done.

    Raises BadFile, and WellreadError where the part cannot be written; then there is no part.
    """
    nulls, cut = 0, False
    with output.part(unit.part) as file, _Part(file, plan) as part:
        for batch in rows.of(unit):
            for done in embedded(model, batch, plan.options):
                part.add(done.rows)
                nulls, cut = nulls + done.nulls, cut or done.cut
                tick(done.rows.num_rows)
    return Done(unit, nulls, cut)


class _Part:
    """A part as it is written. It is closed only when it is whole: what was begun is thrown away."""

    def __init__(self, file: Any, plan: Plan) -> None:
        self._file, self._plan = file, plan
        self._writer: parquet.ParquetWriter | None = None

    def add(self, rows: pa.RecordBatch) -> None:
        self._writer = self._writer or self._begun(rows.schema)
        self._writer.write_table(pa.Table.from_batches([rows]))  # a row group, of which nothing stays in memory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if self._writer and error:
            self._writer.is_open = False  # else it closes itself when it goes, into a file that is closed by then
        elif self._writer:
            self._writer.close()

    def _begun(self, schema: pa.Schema) -> parquet.ParquetWriter:
        """A dictionary of a vector's numbers would only take time."""
        vectors = added(self._plan.options)
        plain = [field.name for field in schema if field.name not in vectors and not pa.types.is_nested(field.type)]
        described = schema.with_metadata({_MODEL: encode(self._plan.model)})
        return parquet.ParquetWriter(
            self._file, described, compression="zstd", use_dictionary=plain, write_statistics=plain
        )
