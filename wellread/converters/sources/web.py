"""Getting one file over http(s), a source's archive most often."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from wellread.converters.sources import Progress
from wellread.errors import CorruptSource, HubUnavailable, SourceUnavailable, UnsafeArchive
from wellread.registry.stores.connection import follow, redirect, unled
from wellread.registry.stores.reasons import explain

TIMEOUT = (3.05, 20.0)
"""Seconds to connect, and between two pieces of the answer: where there is no network it is known at once."""
MOST = 8 * 2**30
_CHUNK = 1024 * 1024
_REDIRECTS = 8


@contextmanager
def opened(url: str) -> Iterator[requests.Response]:
    """The answer to a GET, its body not read yet; redirects stay within http(s) and never drop https.

    Raises SourceUnavailable.
    """
    try:
        with unled() as session, _followed(session, url) as response:
            response.raise_for_status()
            yield response
    except (requests.RequestException, UnicodeError) as error:
        raise SourceUnavailable(explain(error)) from error


def _followed(session: requests.Session, url: str) -> requests.Response:
    for _ in range(_REDIRECTS):
        response = session.get(
            url, stream=True, timeout=TIMEOUT, allow_redirects=False, headers={"Accept-Encoding": "identity"}
        )
        target = redirect(response)
        if target is None:
            return response
        response.close()
        try:
            url = follow("it", url, target)
        except HubUnavailable as error:
            raise SourceUnavailable(str(error)) from error
    raise SourceUnavailable(f"it was redirected more than {_REDIRECTS} times")


def edition(url: str) -> str:
    """What the server says by which a change shows; anything, never the same, where it says nothing.

    Raises SourceUnavailable.
    """
    with opened(url) as response:
        told = [response.headers.get(name, "") for name in ("ETag", "Last-Modified", "Content-Length")]
    return "\n".join(told) if any(told[:2]) else secrets.token_hex()


def download(url: str, target: Path, sha256: str, progress: Progress, most: int = MOST) -> None:
    """Stream ``url`` into ``target``, which is there only once all of it has come and fits ``sha256``, if given.

    Raises SourceUnavailable, UnsafeArchive (more than ``most`` bytes), CorruptSource.
    """
    partial = target.with_name(f"{target.name}.part")
    with opened(url) as response:
        digest = _stream(response, partial, progress, most)
    check_digest(urlsplit(url).path.rpartition("/")[2] or url, digest, sha256)
    partial.replace(target)


def _stream(response: requests.Response, partial: Path, progress: Progress, most: int) -> str:
    name = urlsplit(response.url).path.rpartition("/")[2]
    length = response.headers.get("Content-Length", "")
    announced = int(length) if length.isdecimal() else 0
    hasher, size = hashlib.sha256(), 0
    _bound(response.url, announced, most)
    with partial.open("wb") as file:
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            _bound(response.url, size, most)
            hasher.update(chunk)
            file.write(chunk)
            progress(f"downloading {name}: {size >> 20} of {announced >> 20 or '?'} MB")
    return hasher.hexdigest()


def _bound(url: str, size: int, most: int) -> None:
    if size > most:
        raise UnsafeArchive(f"{url.partition('?')[0]} is larger than {most} bytes")


def check_digest(what: str, found: str, pinned: str) -> None:
    """Raises CorruptSource if a pin is given and not met."""
    if pinned and found != pinned:
        raise CorruptSource(f"{what} has sha256 {found[:16]}…, the recipe pins {pinned[:16]}…")


def digest_of(path: Path) -> str:
    """The sha256 of a file, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
