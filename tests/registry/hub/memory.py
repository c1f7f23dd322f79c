"""A store in memory, as hard on its users as S3 is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from wellread.registry.stores import Body, Stat


class Memory:
    """A place as S3 is: the etag is a hash of the bytes, so a version that comes back has its old etag again.

    ``said`` are all versions of index files, in the order in which they were written.
    """

    url = "memory"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.said: list[bytes] = []

    def head(self, key: str) -> Stat | None:
        data = self.kept.get(key)
        return None if data is None else Stat(len(data), hashlib.md5(data, usedforsecurity=False).hexdigest())

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        stat = self.head(key)
        return stat and Body(stat, iter([self.kept[key][start : None if length is None else start + length]]))

    def put_new(self, key: str, source: Path | bytes) -> bool:
        return self.put_if(key, source, None)

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        stat = self.head(key)
        if (stat and stat.etag) != etag:
            return False
        self.kept[key] = source if isinstance(source, bytes) else source.read_bytes()
        if key.startswith("index/"):
            self.said.append(self.kept[key])
        return True

    def list(self, prefix: str = "") -> Iterator[str]:
        return iter(sorted(key for key in self.kept if key.startswith(prefix)))
