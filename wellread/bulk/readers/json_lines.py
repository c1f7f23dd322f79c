"""JSON lines: an object a line, nested ones too.

The types are what Arrow finds, brought together over the whole file: a field that comes late is a column, null before.
What looks like a date is text, as it is to JSON.

The blocks are cut here: Arrow's own stream takes the columns of its first block for those of all.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from io import BufferedReader

import pyarrow as pa
from pyarrow import json as arrow

from wellread.bulk.readers import BLOCK, Survey, after


def survey(file: BufferedReader) -> Survey:
    """Reads the file to its end."""
    rows, schema = 0, pa.schema([])
    for block in _blocks(file):
        found = _parsed(block)
        rows += found.num_rows
        schema = pa.unify_schemas([schema, _undated(found.schema)], promote_options="permissive")
    return Survey(rows, schema)


def batches(file: BufferedReader, schema: pa.Schema, first: int) -> Iterator[pa.RecordBatch]:
    """Lines before number ``first`` are parsed and dropped, and so are fields that ``schema`` has not."""
    options = arrow.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    parsed = (batch for block in _blocks(file) for batch in _parsed(block, options).to_batches())
    yield from after(parsed, first)


def _blocks(file: BufferedReader) -> Iterator[bytes]:
    """Whole lines, a block of them at once, a longer line alone; never only white space."""
    rest = b""
    while data := file.read(BLOCK):
        head, newline, tail = data.rpartition(b"\n")
        if newline:
            block, rest = rest + head, tail
            if block.strip():
                yield block
        else:
            rest += data
    if rest.strip():
        yield rest


def _parsed(block: bytes, options: arrow.ParseOptions | None = None) -> pa.Table:
    read = arrow.ReadOptions(block_size=len(block) + 1, use_threads=False)
    found = arrow.read_json(io.BytesIO(block), read_options=read, parse_options=options)
    found.validate(full=True)  # Arrow takes any bytes for text
    return found


def _undated(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_type(_text_for_dates(field.type)) for field in schema])


def _text_for_dates(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_text_for_dates(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_text_for_dates(kind.value_type)))
    return kind
