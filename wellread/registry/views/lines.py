"""A hub's files of lines, read one line at a time: a catalogue of 100,000 models never stands in memory whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wellread.errors import IntegrityError
from wellread.registry.stores import Store

LONGEST = 1024 * 1024
"""Bytes of a line at most: who sends more is no hub."""


def stream(store: Store, key: str) -> Iterator[bytes] | None:
    """The lines of a file, blank ones left out, as they come; None where there is no such file.

    Raises IntegrityError past ``LONGEST`` bytes without an end of line, and what reading raises.
    """
    body = store.get_range(key)
    return None if body is None else split(body.chunks, f"{store.url}/{key}")


def split(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The lines in chunks of any size, blank ones left out."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from filter(bytes.strip, whole)
        if len(rest) > LONGEST:
            raise IntegrityError(f"{where} has a line of more than {LONGEST} bytes: this is not a hub's file")
    if rest.strip():
        yield rest
