"""A member on its way into the cache: a file that grows by pieces, in any order, and takes its name when it is whole.

What a process that died had written is hashed when the next one takes over, and only what is missing or wrong is
fetched again. The file is as long as its last piece needs; where pieces before it are missing it has holes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from wellread.registry import disk
from wellread.registry.pieces import Piece, pieces_of, present
from wellread.registry.records import Member


class Incoming:
    """The file ``temp`` that becomes ``target``. ``missing`` are the pieces of ``member`` to come, by number.

    One thread may write while another is in ``sync``. Every method raises WellreadError where the system refuses: the
    disk is full, closed.
    """

    def __init__(self, member: Member, target: Path, temp: Path, offset: int = 0) -> None:
        self.target, self.temp = target, temp
        self._file: BinaryIO | None = None
        self._pieces = {piece.number: piece for piece in pieces_of(member, offset)}
        self._first = offset
        self.missing = set(self._pieces) - self._held(member)

    @property
    def pieces(self) -> list[Piece]:
        """The pieces to come, ``start`` counted as ``offset`` was."""
        return [self._pieces[number] for number in sorted(self.missing)]

    def write(self, piece: Piece, data: bytes | memoryview) -> None:
        """Put the bytes of a piece where they belong; it counts once it was ``passed``."""
        try:
            file = self._file = self._file or self._opened()
            file.seek(piece.start - self._first)
            file.write(data)
            file.flush()
        except OSError as error:
            raise disk.refused(self.target, error) from error

    def passed(self, piece: Piece) -> bool:
        """Count a piece as right; whether it was the last to come."""
        self.missing.discard(piece.number)
        return not self.missing

    def sync(self) -> None:
        """Have the bytes that were written put on the disk."""
        try:
            if self._file:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise disk.refused(self.target, error) from error

    def settle(self) -> None:
        """Give the file its name, once its bytes would survive a power cut; its folder is for the caller to sync."""
        try:
            with self._file or self._opened() as file:
                file.truncate(sum(piece.size for piece in self._pieces.values()))
                os.fsync(file.fileno())
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.temp.replace(self.target)
        except OSError as error:
            raise disk.refused(self.target, error) from error

    def close(self) -> None:
        """Leave what came so far to the next process, cut after its last good piece; no file where there is none."""
        kept = [piece.end - self._first for number, piece in self._pieces.items() if number not in self.missing]
        with suppress(OSError):  # a file that settled is not there any more
            if self._file:
                self._file.close()
            if kept:
                os.truncate(self.temp, max(kept))
            else:
                self.temp.unlink()

    def _held(self, member: Member) -> set[int]:
        try:
            with self.temp.open("rb") as file:
                return present(member, file)
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise disk.refused(self.target, error) from error

    def _opened(self) -> BinaryIO:
        self.temp.parent.mkdir(parents=True, exist_ok=True)
        return self.temp.open("r+b" if self.temp.exists() else "x+b")
