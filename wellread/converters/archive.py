"""Unpacking archives from strangers: hostile until proven.

    .tar  .tar.gz  .tgz  .zip        told apart by their first bytes, never by their name

A member may be a plain file or a folder. Its name must be relative and stay inside, and no two members may share one,
not even on a disk that ignores case. Sizes in headers are not believed: what is bounded is the bytes that really come
out, how many members there are, and how many times larger than the archive they are. Everything is written into a
folder beside the target, which takes the target's name when the last checksum has been read: a target that exists is
whole.
"""

from __future__ import annotations

import gzip
import shutil
import stat
import struct
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from wellread.errors import CorruptSource, UnsafeArchive

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
_CHUNK = 1024 * 1024
_LONGEST_READ = 4 * _CHUNK
_BROKEN = (
    *(EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, struct.error),
    *(ValueError, OverflowError, NotImplementedError, RecursionError),  # what hostile headers make the libraries raise
)


@dataclass(frozen=True)
class Limits:
    """Bounds on what comes out: bytes, members, and bytes out per byte in (which counts from ``small`` bytes on)."""

    total: int = 8 * 2**30
    members: int = 10_000
    ratio: int = 100
    small: int = 64 * 2**20


LIMITS = Limits()


def extract(archive: Path, into: Path, limits: Limits = LIMITS, folder: str = "") -> Path:
    """Unpack ``archive`` as the new folder ``into``, or only what lies in ``folder`` of it; gives ``into`` back.

    Raises UnsafeArchive or CorruptSource, both naming the member, with nothing left behind.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{into.name}.", suffix=".partial", dir=into.parent))
    try:
        _write(archive, partial / into.name, limits, folder)
        (partial / into.name).replace(into)
    except _BROKEN as error:
        why = str(error) or type(error).__name__
        raise CorruptSource(f"{archive.name} is broken, or no .zip, .tar or .tar.gz: {why}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return into


@dataclass(frozen=True)
class _Member:
    """A file in an archive: its name, and where to read it."""

    name: str
    content: IO[bytes]


def _write(archive: Path, root: Path, limits: Limits, folder: str) -> None:
    root.mkdir()
    meter = _Meter(archive, limits)
    inside = f"{folder.strip('/')}/" if folder.strip("/") else ""
    for member in _members(archive, meter):
        if member.name.startswith(inside):
            _copy(member, root / member.name.removeprefix(inside), meter)
    if inside and not any(root.iterdir()):
        raise CorruptSource(f"{archive.name} holds no folder {folder!r}")


def _copy(member: _Member, target: Path, meter: _Meter) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while chunk := member.content.read(_CHUNK):
            meter.count(len(chunk), member.name)
            file.write(chunk)


def _members(archive: Path, meter: _Meter) -> Iterator[_Member]:
    return (_zip_members if _is_zip(archive) else _tar_members)(archive, meter)


def _is_zip(archive: Path) -> bool:
    with archive.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _is_gzip(archive: Path) -> bool:
    with archive.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _zip_members(archive: Path, meter: _Meter) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            name = meter.admit(info.orig_filename, folder=info.is_dir())
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise UnsafeArchive(f"{archive.name}: {info.filename!r} is a link or a device, not a file")
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise CorruptSource(f"{archive.name}: {info.filename!r} is encrypted or of an unusual compression")
            if not info.is_dir():
                with file.open(info) as content:
                    yield _Member(name, content)


def _tar_members(archive: Path, meter: _Meter) -> Iterator[_Member]:
    with _unpacked(archive, meter) as stream, tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:") as file:
        for info in file:
            name = meter.admit(info.name, folder=info.isdir())
            if not (info.isreg() or info.isdir()):
                raise UnsafeArchive(f"{archive.name}: {info.name!r} is a link or a device, not a file")
            if info.size < 0:
                raise CorruptSource(f"{archive.name}: {info.name!r} claims a negative size")
            try:
                tarfile.data_filter(info, str(archive.parent))
            except tarfile.FilterError as error:
                raise UnsafeArchive(f"{archive.name}: {error}") from error
            content = file.extractfile(info)
            if content is not None:
                yield _Member(name, content)
        stream.drain()


@contextmanager
def _unpacked(archive: Path, meter: _Meter) -> Iterator[_Stream]:
    with archive.open("rb") as raw:
        if not _is_gzip(archive):
            yield _Stream(raw, meter)
            return
        with gzip.GzipFile(fileobj=raw) as file:
            yield _Stream(file, meter)


class _Stream:
    """A tar's bytes for ``tarfile``, which trusts the sizes of long headers: no single read may be large."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, meter: _Meter) -> None:
        self._file = file
        self._meter = meter

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_READ:
            raise UnsafeArchive(f"{self._meter.archive.name}: a header claims {size} bytes")
        return self._file.read(size)

    def readinto(self, buffer: memoryview) -> int:
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def drain(self) -> None:
        """Read on to the end, where gzip keeps its checksum."""
        while chunk := self._file.read(_CHUNK):
            self._meter.count(len(chunk), "what follows the last member")


class _Meter:
    """What an archive has given so far, held against the limits."""

    def __init__(self, archive: Path, limits: Limits) -> None:
        self.archive = archive
        self._limits = limits
        self._bytes = 0
        self._most = min(limits.total, max(limits.small, limits.ratio * archive.stat().st_size))
        self._seen: dict[str, bool] = {}
        self._members = 0

    def count(self, size: int, what: str) -> None:
        """Add ``size`` bytes that came out of ``what``. Raises UnsafeArchive past the limit."""
        self._bytes += size
        if self._bytes > self._most:
            raise UnsafeArchive(f"{self.archive.name}: {what!r} takes it past {self._most} bytes unpacked")

    def admit(self, name: str, *, folder: bool) -> str:
        """The name of a member as a relative POSIX path. Raises UnsafeArchive, CorruptSource."""
        self._members += 1
        if self._members > self._limits.members:
            raise UnsafeArchive(f"{self.archive.name} has more than {self._limits.members} members")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or not _is_plain(name):
            raise UnsafeArchive(f"{self.archive.name}: {name!r} is not a plain relative path")
        if not parts and not folder:
            raise CorruptSource(f"{self.archive.name}: {name!r} is no file name")
        self._claim(parts, folder, name)
        return "/".join(parts)

    def _claim(self, parts: list[str], folder: bool, name: str) -> None:
        folded = [unicodedata.normalize("NFC", part).casefold() for part in parts]
        parents = ["/".join(folded[:depth]) for depth in range(1, len(folded))]
        path = "/".join(folded)
        if any(not self._seen.setdefault(parent, True) for parent in parents) or not self._free(path, folder):
            raise UnsafeArchive(f"{self.archive.name}: {name!r} is there twice, or differs by case only")
        self._seen[path] = folder

    def _free(self, path: str, folder: bool) -> bool:
        return path not in self._seen or (folder and self._seen[path])


def _is_plain(name: str) -> bool:
    """No backslash, drive letter or control character; every part short enough for any disk."""
    odd = any(character in "\\:" or not character.isprintable() for character in name)
    return not odd and all(len(part.encode("utf-8", "surrogatepass")) <= 255 for part in name.split("/"))
