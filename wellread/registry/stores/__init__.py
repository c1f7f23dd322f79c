"""Stores: the places a hub can be, behind five operations.

A key is a relative POSIX path such as ``index/3f/small_bert_L8_512.jsonl``. A store moves bytes and nothing else: it
neither retries nor hashes nor caches. ``put_new`` creates and never overwrites; ``put_if`` replaces exactly the version
that the caller has seen (compare and swap), told by its etag. One module a kind of place; ``open_store`` picks by URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from wellread.errors import BadInput, IntegrityError, NotYet

MAX_SMALL = 256 * 1024 * 1024
"""Bytes that ``read`` takes into memory at most: an index file, a view, a proof."""

_KEY = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_.@\-]*(/[A-Za-z0-9_@][A-Za-z0-9_.@\-]*)*")


class Stat(NamedTuple):
    """What a store knows of a key without reading it. ``etag`` changes with every write, and means nothing else."""

    size: int
    etag: str


class Body(NamedTuple):
    """What a read gives: the ``stat`` of the whole object, taken in the same request, and the bytes asked for."""

    stat: Stat
    chunks: Iterator[bytes]


class Store(Protocol):
    """A place that holds keys. ``url`` is how a person names it."""

    url: str

    def head(self, key: str) -> Stat | None:
        """Size and etag, or None where there is no such key."""

    def get_range(self, key: str, start: int = 0, length: int | None = None) -> Body | None:
        """``length`` bytes from ``start`` (all of them by default), or None where there is no such key."""

    def put_new(self, key: str, source: Path | bytes) -> bool:
        """Create; False, with nothing written, where the key exists."""

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        """Replace the version with that etag (None: create); False, with nothing written, if it is another by now."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """All keys that start with ``prefix``, sorted."""


_SCHEMES = {"": "folder", "file": "folder"}
_LATER = ("http", "https", "s3", "gs", "az")


def open_store(url: str | Path) -> Store:
    """The store at a path or URL. Opening touches nothing. Raises BadInput, NotYet."""
    scheme = "" if isinstance(url, Path) else _scheme(url)
    if scheme in _LATER:
        raise NotYet(f"{url}: hubs over {scheme}:// come in a later version; a folder or a file:// URL works now")
    if scheme not in _SCHEMES:
        raise BadInput(f"{url}: {scheme}:// is not a kind of hub; use a folder or a file:// URL")
    path = _path_of(str(url)) if scheme else Path(url)
    module = import_module(f"wellread.registry.stores.{_SCHEMES[scheme]}")
    store: Store = module.open_store(path)
    return store


def is_local(url: str | Path) -> bool:
    """Whether a hub is read without a network."""
    return isinstance(url, Path) or _scheme(url) in _SCHEMES


def check_key(key: str) -> str:
    """The key itself. Raises BadInput for one that is absolute, hidden, leads upwards or holds odd characters."""
    if not _KEY.fullmatch(key) or len(key) > 512:
        raise BadInput(f"{key!r} is not a key of a hub: use a relative path of letters, digits, '_', '-', '.', '@'")
    return key


def read(store: Store, key: str, limit: int = MAX_SMALL) -> tuple[bytes, str] | None:
    """A whole small object and its etag, or None where there is none. Raises IntegrityError past ``limit`` bytes."""
    body = store.get_range(key)
    if body is None:
        return None
    data = bytearray()
    for chunk in body.chunks:
        data += chunk
        if len(data) > limit:
            raise IntegrityError(f"{store.url}/{key} is larger than {limit} bytes: this is not a hub's file")
    return bytes(data), body.stat.etag


def _scheme(url: str) -> str:
    """The scheme of a URL, empty for a path; a single letter is a Windows drive."""
    scheme, separator, _ = url.partition("://")
    if url.lower().startswith("file:"):
        return "file"
    return scheme.lower() if separator and len(scheme) > 1 else ""


def _path_of(url: str) -> Path:
    """The folder that a ``file://`` URL names. Raises BadInput for one on another machine."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname  # brings an HTTP client with it

    if not url.lower().startswith(("file:///", "file://localhost/")):
        raise BadInput(f"{url} is not a folder of this machine: write file:///srv/hub, three slashes, or just the path")
    return Path(url2pathname(urlsplit(url).path))
