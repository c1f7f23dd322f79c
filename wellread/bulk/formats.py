"""How the kinds of files are read: one table, kind → ``Format``.

A file is surveyed once, before the work: how many rows it has, and of what types, the same for all its parts. To find
that out, all kinds but parquet are read to their end. That takes a small part of the time of their vectors, and tells
of a bad record before the work instead of in the middle of it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from wellread.bulk.kinds import Kind
from wellread.bulk.readers import BATCH, Survey, delimited, json_lines, plain_lines, tables


class Format(NamedTuple):
    """``survey(file)`` or ``survey(file, column)``, and ``batches(file, schema, first)``; see ``readers``."""

    survey: Callable[..., Survey]
    batches: Callable[..., Iterator[pa.RecordBatch]]
    nameless: bool = False
    """Whether its one column is called what the caller wants."""


FORMATS: Mapping[str, Format] = {
    "parquet": Format(tables.survey, tables.batches),
    "csv": Format(partial(delimited.survey, delimiter=","), partial(delimited.batches, delimiter=",")),
    "tsv": Format(partial(delimited.survey, delimiter="\t"), partial(delimited.batches, delimiter="\t")),
    "jsonl": Format(json_lines.survey, json_lines.batches),
    "txt": Format(plain_lines.survey, plain_lines.batches, nameless=True),
}


def survey(kind: Kind, file: io.BufferedReader, column: str) -> Survey:
    """The rows and columns of a file of that kind. Raises as ``readers`` says."""
    form = FORMATS[kind.name]
    with _unpacked(file, kind.codec) as stream:
        return form.survey(stream, column) if form.nameless else form.survey(stream)


def batches(kind: Kind, file: io.BufferedReader, schema: pa.Schema, first: int) -> Iterator[pa.RecordBatch]:
    """The rows of a file from number ``first`` on, at most ``BATCH`` at once. Raises as ``readers`` says."""
    with _unpacked(file, kind.codec) as stream:
        for batch in FORMATS[kind.name].batches(stream, schema, first):
            for at in range(0, batch.num_rows, BATCH):
                yield batch.slice(at, BATCH)


@contextmanager
def _unpacked(file: io.BufferedReader, codec: str) -> Iterator[Any]:
    """The bytes of a file, not compressed."""
    if not codec:
        yield file
        return
    with pa.CompressedInputStream(pa.PythonFile(file, "r"), codec) as stream:
        yield io.BufferedReader(_Raw(stream))


class _Raw(io.RawIOBase):
    """Arrow's stream as Python's, which may be read and not more; Arrow's own says that it can seek."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data: bytes = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
