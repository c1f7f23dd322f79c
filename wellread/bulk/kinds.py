"""What kinds of files hold texts, told by how a name ends: ``.csv``, and ``.csv.gz`` if it is compressed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from wellread.errors import BadInput, near_misses

KINDS: Mapping[str, str] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "txt",
}
"""Suffix → kind."""
COMPRESSIONS: Mapping[str, str] = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""Suffix → codec of Arrow; for every kind but parquet, which compresses by itself."""


class Kind(NamedTuple):
    """A kind of file; ``codec`` is empty for one that is not compressed."""

    name: str
    codec: str


def kind_of(path: str) -> Kind:
    """The kind of a file. Raises BadInput for one that is of none."""
    if (kind := _kind(path)) is None:
        suffix = PurePosixPath(path).suffix.lower()
        known = f"{', '.join(KINDS)}; all but parquet with {', '.join(COMPRESSIONS)} behind"
        raise BadInput(f"{path} is of no kind that is read.{near_misses(suffix, KINDS)} Known: {known}")
    return kind


def is_known(path: str) -> bool:
    """Whether a file of that name is of a kind that is read."""
    return _kind(path) is not None


def _kind(path: str) -> Kind | None:
    name = PurePosixPath(path.lower())
    codec = COMPRESSIONS.get(name.suffix, "")
    kind = KINDS.get(PurePosixPath(name.stem).suffix if codec else name.suffix)
    return None if kind is None or (codec and kind == "parquet") else Kind(kind, codec)
