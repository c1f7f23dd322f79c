"""Plain text: a text a line, UTF-8. ``\\r\\n`` ends a line too; an empty line is the empty text."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from itertools import islice

import pyarrow as pa

from wellread.bulk.readers import BATCH, Survey

_MARK = b"\xef\xbb\xbf"
"""What some editors put before the first character."""


def survey(file: BufferedReader, column: str) -> Survey:
    """Reads the file to its end. Its one column is called ``column``."""
    schema = pa.schema([(column, pa.string())])
    return Survey(sum(batch.num_rows for batch in batches(file, schema, 0)), schema)


def batches(file: BufferedReader, schema: pa.Schema, first: int) -> Iterator[pa.RecordBatch]:
    """Lines before number ``first`` are read and dropped."""
    lines = islice(_lines(file), first, None)
    while texts := [line.decode() for line in islice(lines, BATCH)]:
        yield pa.record_batch([pa.array(texts, pa.string())], schema=schema)


def _lines(file: BufferedReader) -> Iterator[bytes]:
    for number, line in enumerate(file):
        text = line if number else line.removeprefix(_MARK)
        yield text.removesuffix(b"\n").removesuffix(b"\r")
