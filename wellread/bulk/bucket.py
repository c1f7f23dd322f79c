"""Files of texts in a bucket, whose names may be any: a hub's keys are fewer.

They are listed by obstore and read by range, with the credentials, the patience and the errors of a hub in a bucket.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from wellread.errors import BadInput, NotFound
from wellread.registry.retry import PatientStore
from wellread.registry.stores import Body, Stat
from wellread.registry.stores.bucket import BucketStore, open_store

_URL = re.compile(r"(?P<bucket>(s3|gs|az)://[^/]+)/?(?P<name>.*)", re.DOTALL)


class Object(NamedTuple):
    """What a listing says of an object; ``size`` in bytes."""

    name: str
    size: int
    etag: str


def divided(url: str) -> tuple[str, str] | None:
    """The bucket of a URL and the name in it, or None for what is in no bucket."""
    found = _URL.fullmatch(url)
    return found and (found["bucket"], found["name"])


def remove(url: str) -> None:
    """Delete one object, if it is there. Raises HubUnavailable, PublishError."""
    bucket, name = divided(url) or ("", url)
    _Texts.at(bucket).remove(name)


def objects(bucket: str, folder: str) -> Iterator[Object]:
    """The objects of ``s3://bucket`` below a folder, "" being all. Raises BadInput, HubUnavailable, MissingExtra."""
    return _Texts.at(bucket).objects(folder)


def lone(bucket: str, name: str) -> tuple[int, str] | None:
    """The size and etag of one object, or None where there is none of that name. Raises as ``objects``."""
    found = _patient(bucket).head(name) if name and not name.endswith("/") else None
    return found and (found.size, _tag(found.etag))


class BucketFile(io.RawIOBase):
    """An object of ``size`` bytes as a file, read by range: the version with that ``etag``, or BadInput is raised."""

    def __init__(self, bucket: str, name: str, size: int, etag: str) -> None:
        self._store, self._name, self._size, self._etag = _patient(bucket), name, size, etag
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        data = b"".join(self._body(self._at, wanted).chunks)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _body(self, start: int, length: int) -> Body:
        body = self._store.get_range(self._name, start, length)
        if body is None:
            raise NotFound(f"{self._store.url}/{self._name} is gone")
        if _tag(body.stat.etag) != self._etag:
            raise BadInput(f"{self._store.url}/{self._name} changed while it was being read: run this again")
        return body


class _Texts(BucketStore):
    """A bucket in which a name may be any."""

    @classmethod
    def at(cls, bucket: str) -> _Texts:
        hub = open_store(bucket)
        return cls(hub._scheme, hub._bucket, "")

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        found = self._get(key, start, length, unless)
        return None if found is None else Body(self._stat(found.meta), self._chunks(key, found))

    def head(self, key: str) -> Stat | None:
        import obstore

        with self._asking(key):
            try:
                return self._stat(obstore.head(self._reader, key))
            except FileNotFoundError:
                return None

    def remove(self, key: str) -> None:
        import obstore

        with self._asking(key, writing=True), suppress(FileNotFoundError):
            obstore.delete(self._reader, key)

    def objects(self, folder: str) -> Iterator[Object]:
        import obstore

        with self._asking(folder):
            for page in obstore.list(self._reader, folder or None, chunk_size=1000):
                for meta in page:
                    yield Object(meta["path"], meta["size"], _tag(self._stat(meta).etag))


def _tag(etag: str) -> str:
    """Without the version behind it, which a listing does not say."""
    return etag.partition(" ")[0]


def _patient(bucket: str) -> PatientStore:
    return PatientStore(_Texts.at(bucket))
