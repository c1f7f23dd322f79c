"""Stores: the places a hub can be, behind five operations.

A key is a relative POSIX path such as ``index/3f/small_bert_L8_512.jsonl``. A store moves bytes and nothing else: it
neither retries nor hashes nor caches. ``put_new`` creates and never overwrites; ``put_if`` replaces exactly the version
that the caller has seen (compare and swap), told by its etag. One module a kind of place; ``open_store`` picks by URL.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from wellread.errors import BadInput, IntegrityError
from wellread.registry.stores.reasons import without_secrets

MAX_SMALL = 256 * 1024 * 1024
"""Bytes that ``read`` takes into memory at most: an index file, a view, a proof."""
LARGEST = 16 * 1024 * 1024
"""Bytes of an index file, an alias or a hub.json at most."""

_KEY = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_.@\-]*(/[A-Za-z0-9_@][A-Za-z0-9_.@\-]*)*")


class Stat(NamedTuple):
    """What a store knows of a key without reading it.

    ``size`` in bytes, -1 where the place does not say. ``etag`` changes with every write, and means nothing else.
    """

    size: int
    etag: str


class Body(NamedTuple):
    """What a read gives: the ``stat`` of the whole object, taken in the same request, and the bytes asked for.

    ``chunks`` raises as ``get_range`` does, and ends early where the object does. ``ranged`` is False where the place
    cannot give a range, so that all bytes before it were read and dropped.
    """

    stat: Stat
    chunks: Iterator[bytes]
    ranged: bool = True


class Store(Protocol):
    """A place that holds keys. ``url`` is how a person names it, without secrets and without a slash at the end.

    Every operation raises BadInput for a key that no hub has; Interrupted where it may be tried again as it is;
    HubUnavailable where that would not help; those that write raise PublishError where writing is refused.
    """

    url: str

    def head(self, key: str) -> Stat | None:
        """Size and etag, or None where there is no such key."""

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        """``length`` bytes from ``start`` (all of them by default), or None where there is no such key.

        Where the key still has the etag ``unless``, the body is empty: a conditional read in one request. Past the end
        there are no bytes, which is no error.
        """

    def put_new(self, key: str, source: Path | bytes) -> bool:
        """Create; False, with nothing written, where the key exists."""

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        """Replace the version with that etag (None: create); False, with nothing written, if it is another by now."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """All keys that start with ``prefix``, sorted."""


_SCHEMES = {
    "": "folder",
    "file": "folder",
    "http": "web",
    "https": "web",
    "s3": "bucket",
    "gs": "bucket",
    "az": "bucket",
}
"""Scheme of a URL → the module of this package whose ``open_store(url)`` opens it."""
_LOCAL = ("", "file")
_NEARLY = re.compile(r"(https?|s3|gs|az):", re.IGNORECASE)
"""How an address begins that lacks a slash, and that would else be the name of a folder."""
_SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]+:[0-9]{1,5}(/.*)?")
"""An address that lacks its scheme: host and port, as a server prints them."""


def open_store(url: str | Path) -> Store:
    """The store at a path or URL. Opening touches nothing. Raises BadInput, MissingExtra."""
    scheme = "" if isinstance(url, Path) else _scheme(url)
    if not scheme and (near := _NEARLY.match(str(url))):
        raise BadInput(
            f"a hub's address begins with {near[1].lower()}://, and not as this one; for a folder write ./{near[0]}…"
        )
    if not isinstance(url, Path) and _SERVER.fullmatch(url) and not os.path.lexists(url):
        raise BadInput(f"there is no folder {url}: is http:// missing? For a new folder write ./{url}")
    if scheme not in _SCHEMES:
        shown = without_secrets(str(url))
        raise BadInput(f"{shown}: {scheme}:// is not a kind of hub; give a folder, or file, http, https, s3, gs, az")
    module = import_module(f"wellread.registry.stores.{_SCHEMES[scheme]}")
    store: Store = module.open_store(_path_of(str(url)) if scheme == "file" else url)
    return store


def is_local(url: str | Path) -> bool:
    """Whether a hub is read without a network."""
    return isinstance(url, Path) or _scheme(url) in _LOCAL


def is_key(key: str) -> bool:
    """Whether a hub can have a key of that name."""
    return _KEY.fullmatch(key) is not None and len(key) <= 512


def check_key(key: str) -> str:
    """The key itself. Raises BadInput for one that is absolute, hidden, leads upwards or holds odd characters."""
    if not is_key(key):
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
        raise BadInput(
            f"{without_secrets(url)} is not a folder of this machine: write file:///srv/hub, three slashes, or the path"
        )
    return Path(url2pathname(urlsplit(url).path))
