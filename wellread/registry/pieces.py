"""Pieces of 8 MiB: what is hashed, checked and read again as one.

A member of an artifact is described by the sha256 of its consecutive pieces, so that a flipped bit costs one piece and
not the file. This is the only place where the bytes of members are hashed, whether they come from a folder, a zip, the
cache or a store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wellread.errors import IntegrityError
from wellread.registry.records import PIECE, Member

CHUNK = 1024 * 1024
"""Bytes read from a file at a time."""

Reader = Callable[[int], Iterable[bytes]]
"""From an offset within a member to the rest of its bytes, in chunks of any size."""


class Piece(NamedTuple):
    """The ``number``-th piece of a member; ``start`` is where it lies in the artifact, ``size`` its bytes."""

    member: str
    number: int
    start: int
    size: int
    digest: str

    @property
    def end(self) -> int:
        return self.start + self.size


def sha256(data: bytes | bytearray | memoryview) -> str:
    """The digest in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def pieces_of(member: Member, offset: int = 0) -> tuple[Piece, ...]:
    """The pieces of a member whose first byte lies at ``offset``."""
    return tuple(
        Piece(member.name, number, offset + at, min(PIECE, member.size - at), digest)
        for number, (at, digest) in enumerate(zip(range(0, member.size, PIECE), member.pieces, strict=True))
    )


def describe(path: Path, name: str) -> Member:
    """The size and piece hashes of a file that shall be the member ``name``."""
    with path.open("rb") as file:
        pieces = tuple(sha256(piece) for piece in iter(lambda: file.read(PIECE), b""))
        return Member(name=name, size=file.tell(), pieces=pieces)


def checked(member: Member, read: Reader, where: str) -> Iterator[bytes]:
    """The bytes of a member, each piece compared with its hash before it is handed on.

    A piece that differs is read once more from its start. Raises IntegrityError if it differs again.
    """
    stream = Stream(read(0) if member.pieces else ())
    try:
        for piece in pieces_of(member):
            data = stream.take(piece.size)
            if sha256(data) != piece.digest:
                stream.close()
                stream = Stream(read(piece.start))
                data = stream.take(piece.size)
            if sha256(data) != piece.digest:
                raise IntegrityError(f"{differing(piece, where)}. Fetch or build it again; nothing of it was used")
            yield data
    finally:
        stream.close()


def differing(piece: Piece, where: str) -> str:
    """What is wrong with a piece that was read twice, its bytes counted from the start of its member."""
    at = piece.number * PIECE
    return f"{where}: {piece.member} differs from the manifest in bytes {at} to {at + piece.size}, read twice"


def matches(member: Member, path: Path) -> bool:
    """Whether a file is that member, byte for byte; False too when it is missing or a link."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != member.size:
        return False
    return describe(path, member.name) == member


def present(member: Member, file: BinaryIO) -> set[int]:
    """The numbers of the pieces of a member that an open file holds where they belong."""
    found = set()
    for piece in pieces_of(member):
        file.seek(piece.start)
        if sha256(file.read(piece.size)) == piece.digest:
            found.add(piece.number)
    return found


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


class Stream:
    """Chunks of any size, taken in the lengths that are wanted. ``told`` is given the length of each that comes."""

    def __init__(self, chunks: Iterable[bytes], told: Callable[[int], object] = lambda _: None) -> None:
        self._chunks = iter(chunks)
        self._told = told
        self._held = memoryview(b"")

    def fill(self, buffer: memoryview) -> memoryview:
        """The next bytes, copied into a buffer; what of it they fill, which is less where the stream ends early.

        A buffer that is used again is faster than to keep the chunks: fresh memory costs more than the copy.
        """
        at = 0
        for part in self._parts(len(buffer)):
            buffer[at : at + len(part)] = part
            at += len(part)
        return buffer[:at]

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes; fewer where the stream ends early."""
        return b"".join(self._parts(length))

    def drop(self, length: int) -> None:
        """Pass over the next ``length`` bytes."""
        for _ in self._parts(length):
            pass

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the source of the chunks go, a connection perhaps; no more are taken."""
        if close := getattr(self._chunks, "close", None):
            close()

    def _parts(self, length: int) -> Iterator[memoryview]:
        while length > 0:
            if not self._held:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return
                self._told(len(chunk))
                self._held = memoryview(chunk)
            part, self._held = self._held[:length], self._held[length:]
            length -= len(part)
            yield part
