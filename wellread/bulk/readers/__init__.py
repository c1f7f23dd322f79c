"""One module a kind of file, each with two functions.

``survey(file, …) -> Survey``, and ``batches(file, schema, first, …)``: the rows from number ``first`` on, as batches of
that schema. Both raise what Arrow raises, ValueError or OSError for a file that is not of the kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa

BATCH = 4096
"""Rows of a batch, at most: as many as a model sorts by length at once."""
BLOCK = 2**22
"""Bytes of a file of lines that are parsed at once."""


class Survey(NamedTuple):
    """What is known of a file before it is read for good: its rows, the columns of all of them, and which of these
    cannot be read as they are written, and why."""

    rows: int
    schema: pa.Schema
    faults: Mapping[str, str] = {}


def after(batches: Iterator[pa.RecordBatch], first: int) -> Iterator[pa.RecordBatch]:
    """Batches without their first rows, for a file that can only be read from its beginning."""
    for batch in batches:
        if first < batch.num_rows:
            yield batch.slice(first)
        first = max(0, first - batch.num_rows)
