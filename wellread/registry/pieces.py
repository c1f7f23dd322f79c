"""Pieces of 8 MiB: what is hashed, checked and read again as one.

A member of an artifact is described by the sha256 of its consecutive pieces, so that a flipped bit costs one piece and
not the file. This is the only place where the bytes of members are hashed, whether they come from a folder, a zip, the
cache or a store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from wellread.errors import IntegrityError
from wellread.registry.records import PIECE, Member

CHUNK = 1024 * 1024
"""Bytes read from a file at a time."""

Reader = Callable[[int], Iterable[bytes]]
"""From an offset within a member to the rest of its bytes, in chunks of any size."""


def sha256(data: bytes | bytearray) -> str:
    """The digest in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def describe(path: Path, name: str) -> Member:
    """The size and piece hashes of a file that shall be the member ``name``."""
    with path.open("rb") as file:
        pieces = tuple(sha256(piece) for piece in iter(lambda: file.read(PIECE), b""))
        return Member(name=name, size=file.tell(), pieces=pieces)


def checked(member: Member, read: Reader, where: str, first: int = 0) -> Iterator[bytes]:
    """The bytes of a member from its ``first`` piece on, each piece compared with its hash before it is handed on.

    A piece that differs is read once more from its start. Raises IntegrityError if it differs again.
    """
    stream = _Stream(read(first * PIECE)) if first < len(member.pieces) else None
    for number, digest in enumerate(member.pieces[first:], first):
        start = number * PIECE
        length = min(PIECE, member.size - start)
        piece = stream.take(length) if stream else b""
        if sha256(piece) != digest:
            stream = _Stream(read(start))
            piece = stream.take(length)
        if sha256(piece) != digest:
            raise IntegrityError(
                f"{where}: {member.name} differs from the manifest in bytes {start} to {start + length}, read twice. "
                "Fetch or build it again; nothing of it was used"
            )
        yield piece


def matches(member: Member, path: Path) -> bool:
    """Whether a file is that member, byte for byte; False too when it is missing or a link."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != member.size:
        return False
    return describe(path, member.name) == member


def leading(member: Member, file: BinaryIO) -> int:
    """How many whole pieces of a member an open file begins with."""
    file.seek(0)
    for number, digest in enumerate(member.pieces):
        if sha256(file.read(min(PIECE, member.size - number * PIECE))) != digest:
            return number
    return len(member.pieces)


def stretch(path: Path, start: int, length: int) -> Iterator[bytes]:
    """``length`` bytes of a file from ``start``, in chunks; fewer where the file ends."""
    with path.open("rb") as file:
        yield from section(file, start, length)


def section(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    """The same of an open file."""
    file.seek(start)
    while length > 0 and (chunk := file.read(min(CHUNK, length))):
        length -= len(chunk)
        yield chunk


class _Stream:
    """Chunks of any size, taken in the sizes that are wanted."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = bytearray()

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes; fewer where the stream ends early."""
        while len(self._held) < length and (chunk := next(self._chunks, None)) is not None:
            self._held += chunk
        taken = bytes(self._held[:length])
        del self._held[:length]
        return taken
