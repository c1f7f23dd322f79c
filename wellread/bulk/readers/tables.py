"""Parquet, as it is."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from itertools import accumulate

import pyarrow as pa
from pyarrow import parquet

from wellread.bulk.readers import BATCH, Survey, after

_BUFFER = 2**20
"""Bytes of a column that are read at once."""


def survey(file: BufferedReader) -> Survey:
    """Out of the footer."""
    with parquet.ParquetFile(file) as found:
        return Survey(found.metadata.num_rows, found.schema_arrow.remove_metadata())


def batches(file: BufferedReader, schema: pa.Schema, first: int) -> Iterator[pa.RecordBatch]:
    """Row groups before that of row ``first`` are not read; of a row group each page when it is its turn."""
    with parquet.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False) as found:
        sizes = [found.metadata.row_group(group).num_rows for group in range(found.num_row_groups)]
        ends = list(accumulate(sizes))
        wanted = [group for group, end in enumerate(ends) if end > first]
        if wanted:
            columns = schema.names if len(schema) < len(found.schema_arrow) else None
            read = found.iter_batches(BATCH, row_groups=wanted, columns=columns, use_threads=False)
            yield from map(_sound, after(read, first - ends[wanted[0]] + sizes[wanted[0]]))


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Raises ArrowInvalid where a text is not UTF-8: Parquet takes any bytes for text."""
    batch.validate(full=True)
    return batch
