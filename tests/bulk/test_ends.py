"""A file is read by the thread that asks for its rows, and by no other.

A thread of Arrow's that reads ahead out of a file of Python's outlives an error. Where that ends the process, it lets
go of the file when there is no Python any more, and aborts: in four of ten runs, as it was.
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.conftest import Write
from wellread.bulk import formats
from wellread.bulk.kinds import kind_of

_RECORDS = b"text,id\n" + b"a,1\n" * 9000
_CONTENTS: dict[str, Any] = {
    "a.csv": _RECORDS,
    "a.csv.gz": gzip.compress(_RECORDS),
    "a.tsv": _RECORDS.replace(b",", b"\t"),
    "a.jsonl": json.dumps({"text": "a"}).encode() + b"\n",
    "a.txt.gz": gzip.compress(b"a\n"),
    "a.parquet": {"text": ["a"] * 9000},
}


class Watched(io.FileIO):
    """A file that notes who reads it."""

    readers: set[int]

    def readinto(self, buffer: Any, /) -> int:
        self.readers.add(threading.get_ident())
        return super().readinto(buffer) or 0


def watched(path: Path, readers: set[int]) -> io.BufferedReader:
    raw: Any = Watched(path)
    raw.readers = readers
    return io.BufferedReader(raw, 512)


@pytest.mark.parametrize("name", _CONTENTS)
def test_nobody_else_reads(name: str, write: Write) -> None:
    path = write(name, _CONTENTS[name], **({"row_group_size": 3000} if name == "a.parquet" else {}))
    readers: set[int] = set()
    with watched(path, readers) as file:
        found = formats.survey(kind_of(name), file, "text")
    with watched(path, readers) as file:
        rows = formats.batches(kind_of(name), file, found.schema, 0)
        assert sum(batch.num_rows for batch in rows) == found.rows
    assert readers == {threading.get_ident()}


@pytest.mark.heavy
def test_an_error_is_no_abort(running: Path, home: Path, write: Write) -> None:
    path = write("a.csv", _RECORDS)
    asked = ("--hub", running, "--input", path, "--output", path.parent / "out", "--column", "review")
    command = [sys.executable, "-m", "wellread", "embed", "tiny", *map(str, asked)]
    codes = [subprocess.run(command, capture_output=True, check=False).returncode for _ in range(8)]
    assert codes == [1] * 8
