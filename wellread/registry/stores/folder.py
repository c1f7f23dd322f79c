"""A folder as a store: ``./hub``, ``/srv/hub`` or ``file:///srv/hub``.

    hub/
      public/models/…  index/…  aliases/…     the keys, as files
      .wellread/lock  .wellread/incoming-…    writers only; no key starts with a dot

Reading takes no lock, for a file is only ever replaced whole. Writing takes the one lock of the hub: that makes
``put_if`` atomic, and whatever lies in ``.wellread`` unlocked is the leaving of a writer that died.

The etag is mtime, size and inode. A hash would cost a pass over 400 MB for every ``head``; instead ``put_if`` sets each
new version's mtime at least 1 ns after the old one's, so that two versions of a key never share an etag, however coarse
the clock is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from wellread.errors import BadInput, HubUnavailable, PublishError
from wellread.registry import disk
from wellread.registry.pieces import CHUNK, section
from wellread.registry.stores import Body, Stat, Store, check_key

_PRIVATE = ".wellread"
_FAILING = "is its disk there and sound?"
_WAIT = 600.0
"""Seconds to wait for another writer: longer than any copy, shorter than for ever."""


def open_store(path: str | Path) -> Store:
    """The store in a folder, which need not exist yet. Raises BadInput for a path that is a file."""
    path = Path(path).expanduser()
    with suppress(PermissionError):  # said by whoever reads, so that the next hub of a list is tried
        if path.exists() and not path.is_dir():
            raise BadInput(f"{path} is not a folder: a hub is one")
    return FolderStore(path)


class FolderStore:
    """See the module; ``root`` is the hub's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.url = str(self.root)

    def head(self, key: str) -> Stat | None:
        with self._reading(key):
            path = self._path(key)
            return _stat(path.stat()) if path.is_file() else None

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        with self._reading(key):
            try:
                file = self._path(key).open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
        stat = _stat(os.fstat(file.fileno()))
        if stat.etag == unless:
            file.close()
            return Body(stat, iter(()))
        return Body(stat, self._chunks(key, file, start, stat.size - start if length is None else length))

    def put_new(self, key: str, source: Path | bytes) -> bool:
        path = self._path(key)
        with self._writing(key):
            if path.exists():
                return False
            try:
                self._write(path, source, _create)
            except FileExistsError:
                return False
            return True

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        if etag is None:
            return self.put_new(key, source)
        path = self._path(key)
        with self._writing(key):
            found = self.head(key)
            if found is None or found.etag != etag:
                return False
            self._write(path, source, _replace_later)
            return True

    def list(self, prefix: str = "") -> Iterator[str]:
        yield from (key for key in self._keys(prefix.rpartition("/")[0]) if key.startswith(prefix))

    def _keys(self, folder: str) -> Iterator[str]:
        """The keys below a folder as an object store sorts them: by all their bytes, the slashes among them."""
        with self._reading(folder):
            path = self._path(folder) if folder else self.root
            found = [entry for entry in path.iterdir() if entry.name[0] != "."] if path.is_dir() else []
        keys = [entry.relative_to(self.root).as_posix() + "/" * entry.is_dir() for entry in found]
        for key in sorted(keys):
            if not key.endswith("/"):
                yield key
            elif not (self.root / key).is_symlink():
                yield from self._keys(key[:-1])

    def _path(self, key: str) -> Path:
        """Where a key lies. Raises BadInput if a link would lead out of the hub."""
        path = self.root / check_key(key)
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root)):
            raise BadInput(f"{path} is a link that leads out of the hub: remove it")
        return path

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        """Raises HubUnavailable where this user may not read a key, or the disk fails."""
        try:
            yield
        except OSError as error:
            advice = "ask the owner of the hub to open it to you" if isinstance(error, PermissionError) else _FAILING
            raise HubUnavailable(f"cannot read {self.root / key}: {error.strerror or error}; {advice}") from error

    def _chunks(self, key: str, file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
        """The bytes of a file that is closed when they were read or are dropped."""

        def reading() -> Iterator[bytes]:
            with file, self._reading(key):
                yield b""
                yield from section(file, start, length)

        chunks = reading()
        next(chunks)  # a generator that was never started would not close the file
        return chunks

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        """Hold the hub's lock. Raises PublishError where that cannot be had."""
        import filelock  # readers never need it

        private = self.root / _PRIVATE
        try:
            private.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(private / "lock", timeout=_WAIT, mode=0o666, fallback_to_soft=False):
                for leaving in private.glob("incoming-*"):
                    leaving.unlink()
                yield
        except filelock.Timeout as error:
            raise PublishError(f"{self.url} is locked by another writer for {_WAIT:.0f} s; try again") from error
        except (OSError, NotImplementedError) as error:
            raise PublishError(f"cannot write {key} into {self.url}: {error}; is it a folder of yours?") from error

    def _write(self, path: Path, source: Path | bytes, settle: Callable[[Path, Path], None]) -> None:
        temp = self.root / _PRIVATE / f"incoming-{os.getpid()}"
        with disk.replacing(path, temp=temp, settle=settle) as file:
            if isinstance(source, bytes):
                file.write(source)
            else:
                with source.open("rb") as reading:
                    shutil.copyfileobj(reading, file, CHUNK)


def _stat(found: os.stat_result) -> Stat:
    return Stat(found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}")


def _create(temp: Path, target: Path) -> None:
    """Exclusive even where a lock is only pretended; some file systems have no links and rely on the lock."""
    try:
        os.link(temp, target)
    except FileExistsError:
        raise
    except OSError:
        temp.replace(target)


def _replace_later(temp: Path, target: Path) -> None:
    """Replace, with an mtime after the old one's."""
    new, old = temp.stat(), target.stat()
    os.utime(temp, ns=(new.st_atime_ns, max(new.st_mtime_ns, old.st_mtime_ns + 1)))
    temp.replace(target)
