"""CSV and TSV: a line with the names of the columns, then records.

Every column is text, as it is written: ``007`` stays so, and no type is guessed from the first rows that a later one
would contradict. An empty field is null, and ``""`` the empty text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import BufferedReader

import pyarrow as pa
from pyarrow import csv as arrow

from wellread.bulk.readers import Survey, after

BLOCK = 2**24
"""Bytes that are parsed at once, and that a record has at most: Arrow's reader takes none over more than two blocks."""
_EMPTY = b"\xef\xbb\xbf\r\n"


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
    """What follows the first line."""
    names = schema.names
    if not names or not file.peek(1):
        return
    # An empty line is a record where there is one column, and between records of several it is nothing.
    parse = arrow.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=len(names) > 1)
    convert = arrow.ConvertOptions(
        column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    read = arrow.ReadOptions(column_names=names, block_size=BLOCK, use_threads=False)
    try:
        with arrow.open_csv(file, read_options=read, parse_options=parse, convert_options=convert) as reader:
            yield from reader
    except pa.ArrowInvalid as error:
        if "straddl" in str(error):
            raise ValueError(f"a record is longer than {BLOCK:,} bytes, or a quote is never closed") from error
        raise
