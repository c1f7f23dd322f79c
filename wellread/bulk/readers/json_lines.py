"""JSON lines: an object a line, nested ones too.

The types are what Arrow finds, brought together over the whole file: a field that comes late is a column, null before.
What looks like a date is text, as it is to JSON. A field that is ``{}`` wherever it is given holds nothing that a table
could, and is left out.

Whole numbers are 64-bit, and floats where others of the same field are: one that would become another number is told.

The blocks are cut here: Arrow's own stream takes the columns of its first block for those of all.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import Any

import pyarrow as pa
from pyarrow import json as arrow

from wellread.bulk.readers import BLOCK, Survey, after

_LONG = re.compile(rb"[0-9]{16}")
"""Digits of a whole number that a float may not hold: 2**53 has 16."""
_SOMETHING = re.compile(r"\S")
_SHOWN = 40
_Path = tuple[str, ...]
"""Names of fields, one in the other; lists have none."""


def survey(file: BufferedReader) -> Survey:
    """Reads the file to its end."""
    rows, schema = 0, pa.schema([])
    inexact: dict[_Path, int] = {}
    for block in _blocks(file):
        found = _parsed(block)
        rows += found.num_rows
        schema = pa.unify_schemas([schema, _kept(found.schema)], promote_options="permissive")
        inexact = dict(_inexact(block)) | inexact
    floats = {path: number for path, number in inexact.items() if _is_float(path, schema)}
    return Survey(rows, schema, {path[0]: _lost(path, number) for path, number in floats.items()})


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


# ---------------------------------------------------------------- types


def _kept(schema: pa.Schema) -> pa.Schema:
    """The columns as they are read."""
    kinds = ((field, _read_as(field.type)) for field in schema)
    return pa.schema([field.with_type(kind) for field, kind in kinds if kind])


def _read_as(kind: pa.DataType) -> pa.DataType | None:
    """Text for dates, and None for an object without fields: Parquet has no such type."""
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        fields = _kept(pa.schema(list(kind)))
        return pa.struct(list(fields)) if len(fields) else None
    if pa.types.is_list(kind):
        value = _read_as(kind.value_type)
        return value and pa.list_(kind.value_field.with_type(value))
    return kind


# ---------------------------------------------------------------- whole numbers


def _inexact(block: bytes) -> Iterator[tuple[_Path, int]]:
    """The whole numbers that a float does not hold, each with the way to it. Arrow tells nothing of them."""
    for value in _values(block.decode("utf-8-sig")) if _LONG.search(block) else ():
        yield from ((path, number) for path, number in _integers(value) if _differs(number))


def _values(text: str) -> Iterator[Any]:
    """Each object of a block, wherever its lines end: as Arrow reads them."""
    decoder, at = json.JSONDecoder(strict=False), 0
    while begin := _SOMETHING.search(text, at):
        value, at = decoder.raw_decode(text, begin.start())
        yield value


def _integers(value: Any, path: _Path = ()) -> Iterator[tuple[_Path, int]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _integers(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _integers(inner, path)
    elif isinstance(value, int):
        yield path, value


def _differs(number: int) -> bool:
    try:
        return number != float(number)
    except OverflowError:
        return True


def _is_float(path: _Path, schema: pa.Schema) -> bool:
    """Whether what lies at the end of a way became a float."""
    kind: Any = pa.struct(list(schema))
    for name in path:
        kind = kind.field(kind.get_field_index(name)).type
        while pa.types.is_list(kind):
            kind = kind.value_type
    return bool(pa.types.is_floating(kind))


def _lost(path: _Path, number: int) -> str:
    return (
        f"the whole number {str(number)[:_SHOWN]} in {'.'.join(path)!r} would become another one: whole numbers have "
        "64 bits, and are floats where others of the field are.\nWrite them in quotes, as text"
    )
