"""CSV and TSV: a line with the names of the columns, then records.

Every column is text, as it is written: ``007`` stays so, and no type is guessed from the first rows that a later one
would contradict. An empty field is null, and ``""`` the empty text.

The blocks are cut here, behind whole records. Arrow's own stream reads ahead in a thread that nothing waits for: where
an error ends the process early, that thread lets go of a file of Python's when there is no Python any more, and aborts.
It also takes a quote that is never closed for one that the end of the file closes, with all records behind it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import cache
from io import BufferedReader
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow

from wellread.bulk.readers import BLOCK, Survey, after

LONGEST = 2**24
"""Bytes that a record has at most: a quote that is never closed would take the rest of the file into memory."""
_EMPTY = b"\xef\xbb\xbf\r\n"
_RECORDS = rb'(?:(?:[^"\r\n]++|(?<![^%b\r\n])"(?:[^"]++|"")*+"|(?<=[^%b\r\n])")*+(?:\r\n|\n|\r(?!\Z)))*+'
"""Records up to the last end of a line that is in no quotes; as for Arrow, a quote opens a field only at its start."""
_SHOWN = 60


def survey(file: BufferedReader, delimiter: str) -> Survey:
    """Reads the file to its end."""
    schema = _schema(_names(file, delimiter))
    return Survey(sum(batch.num_rows for batch in _records(file, schema, delimiter)), schema)


def batches(file: BufferedReader, schema: pa.Schema, first: int, delimiter: str) -> Iterator[pa.RecordBatch]:
    """Records before number ``first`` are parsed and dropped."""
    every = _schema(_names(file, delimiter))
    yield from after((batch.select(schema.names) for batch in _records(file, every, delimiter)), first)


def _names(file: BufferedReader, delimiter: str) -> list[str]:
    """The names in the first line that is not empty, which may hold line breaks between quotes.

    Raises ValueError for one twice, and for a line that is no record.
    """
    line = file.readline()
    while line.strip(_EMPTY) == b"" and (more := file.readline()):
        line = more
    while line.count(b'"') % 2 and (more := file.readline()):
        line += more
    try:
        names = next(csv.reader([line.decode("utf-8-sig")], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise ValueError(f"its first line does not name columns: {error}") from error
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"its first line names {', '.join(map(repr, twice))} twice")
    return names


def _schema(names: list[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


def _records(file: BufferedReader, schema: pa.Schema, delimiter: str) -> Iterator[pa.RecordBatch]:
    """What follows the first line. Raises ValueError for a record of more or fewer fields."""
    rows = 0
    for block in _blocks(file, delimiter) if schema.names else ():
        found = _parsed(block, schema, delimiter, rows)
        rows += found.num_rows
        yield from found.to_batches()


def _blocks(file: BufferedReader, delimiter: str) -> Iterator[bytes]:
    """Whole records, a block of them at once. Raises ValueError for one that is too long, and that never ends."""
    rest = b""
    while data := file.read(BLOCK):
        rest += data
        end = _whole(rest, delimiter)
        if end:
            yield rest[:end]
        rest = rest[end:]
        if len(rest) > LONGEST:
            raise ValueError(f"a record is longer than {LONGEST:,} bytes, or a quote is never closed: {_start(rest)}")
    if rest and not rest.endswith(b"\n"):
        rest += b"\n"
    if end := _whole(rest, delimiter):
        yield rest[:end]
    if rest[end:]:
        raise ValueError(f"a quote is never closed, in the record that begins {_start(rest[end:])}")


def _whole(data: bytes, delimiter: str) -> int:
    """The bytes of the whole records at the beginning."""
    found = _pattern(delimiter).match(data)
    return found.end() if found else 0


@cache
def _pattern(delimiter: str) -> re.Pattern[bytes]:
    sign = re.escape(delimiter.encode())
    return re.compile(_RECORDS % (sign, sign))


def _start(record: bytes) -> str:
    return repr(record[:_SHOWN].decode(errors="replace"))


def _parsed(block: bytes, schema: pa.Schema, delimiter: str, before: int) -> pa.Table:
    """The records of a block, of which there are ``before`` in those before it."""
    bad: list[Any] = []

    def refused(row: Any) -> str:
        bad.append(row)
        return "error"

    # An empty line is a record where there is one column, and between records of several it is nothing.
    parse = arrow.ParseOptions(
        delimiter=delimiter,
        newlines_in_values=True,
        ignore_empty_lines=len(schema) > 1,
        invalid_row_handler=refused,
    )
    convert = arrow.ConvertOptions(
        column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    read = arrow.ReadOptions(column_names=schema.names, block_size=len(block) + 1, use_threads=False)
    try:
        return arrow.read_csv(io.BytesIO(block), read_options=read, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid as error:
        for row in bad:
            expected = f"Expected {row.expected_columns} columns, got {row.actual_columns}: {row.text}"
            raise ValueError(f"Row #{before + row.number}: {expected}") from error
        raise
