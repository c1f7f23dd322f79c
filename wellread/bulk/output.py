"""Where the parts go: a folder, or a place in a bucket.

A part, the plan and ``_SUCCESS`` appear whole. In a folder a part is written beside its place and renamed; a part for a
bucket is written to this machine's temporary folder and sent in one PUT, which creates and never replaces.

A folder takes one run at a time, by a lock that goes with its process. A bucket has none; two runs of one plan make the
same parts there, and who comes second leaves what is there. Two plans never meet: the first that is written stays.
"""

from __future__ import annotations

import errno
import re
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from wellread.bulk.bucket import remove
from wellread.errors import BadInput, WellreadError
from wellread.registry import disk
from wellread.registry.retry import open_hub
from wellread.registry.stores import is_local, read

PLAN = "_plan.json"
SUCCESS = "_SUCCESS"
_LOCK = "_lock"
_PART = re.compile(r"part-\d+-\d+\.parquet")
_BEGUN = (".part-*.tmp", f".{PLAN}.*.tmp", f".{SUCCESS}.*.tmp")
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)


class Output(Protocol):
    """A place for parts. ``url`` is how a person names it. All raise WellreadError where the place fails."""

    url: str

    def alone(self) -> AbstractContextManager[bool]:
        """Hold the place against other runs, and say whether that can be. Raises BadInput where another holds it."""

    def names(self) -> set[str]:
        """What lies there, but for what begins with a dot."""

    def read(self, name: str) -> bytes | None:
        """A small file, or None where there is none."""

    def write(self, name: str, data: bytes, before: bytes | None = None) -> None:
        """Put a small file in place of ``before``. Raises BadInput where another run has put something else there."""

    def remove(self, name: str) -> None:
        """Take a small file away, if it is there."""

    def has(self, name: str) -> bool:
        """Whether a file is there."""

    def part(self, name: str) -> AbstractContextManager[Any]:
        """A file to write a part to, which appears when the block ends well."""


def open_output(url: str) -> Output:
    """The place at a path or a bucket's URL; touches nothing. Raises BadInput, MissingExtra."""
    if is_local(url):
        return Folder(Path(url.removeprefix("file://")).expanduser().absolute())
    if url.startswith(("http://", "https://")):
        raise BadInput(f"{url}: vectors are written to a folder, or to a bucket (s3://, gs://, az://)")
    return Bucket(url)


def parts_of(output: Output) -> set[str]:
    """The parts that are there. Raises BadInput where there is something and no plan: it was not written by a run."""
    names = output.names()
    foreign = sorted(names - {_LOCK})
    if PLAN not in names and foreign:
        raise BadInput(f"{output.url} holds {foreign[0]}, and no {PLAN}: give a new or empty folder by --output")
    return {name for name in names if _PART.fullmatch(name)}


class Folder:
    """A folder, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = str(path)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        import filelock

        if self._path.exists() and not self._path.is_dir():
            raise BadInput(f"{self.url} is a file: give a folder by --output")
        lock = filelock.FileLock(self._path / _LOCK, timeout=0, fallback_to_soft=False)
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except filelock.Timeout as error:
            raise BadInput(
                f"another run is writing to {self.url}: wait for its end, or give another --output"
            ) from error
        except NotImplementedError:
            pass  # a file system without locks: parts appear whole all the same
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise disk.refused(self._path, error) from error
        try:
            self._sweep()
            yield lock.is_locked
        finally:
            self._sweep()
            lock.release()

    def _sweep(self) -> None:
        """Remove what a run that was killed had begun, or a worker of this one."""
        for pattern in _BEGUN:
            for begun in self._path.glob(pattern):
                with suppress(OSError):
                    begun.unlink()

    def names(self) -> set[str]:
        return {each.name for each in self._path.iterdir() if each.name[0] != "."} if self._path.is_dir() else set()

    def read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WellreadError(f"cannot read {self._path / name}: {error.strerror or error}") from error

    def write(self, name: str, data: bytes, before: bytes | None = None) -> None:
        disk.write(self._path / name, data)

    def remove(self, name: str) -> None:
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            raise disk.refused(self._path / name, error) from error

    def has(self, name: str) -> bool:
        return (self._path / name).is_file()

    def part(self, name: str) -> AbstractContextManager[BinaryIO]:
        return disk.replacing(self._path / name)


class Bucket:
    """A place in a bucket."""

    def __init__(self, url: str) -> None:
        self._store = open_hub(url)
        self.url = self._store.url

    @contextmanager
    def alone(self) -> Iterator[bool]:
        yield False

    def names(self) -> set[str]:
        return set(self._store.list())

    def read(self, name: str) -> bytes | None:
        found = read(self._store, name)
        return found and found[0]

    def write(self, name: str, data: bytes, before: bytes | None = None) -> None:
        for _ in range(2):  # who comes second looks again: the other may have put the same
            there, etag = read(self._store, name) or (None, None)
            if there == data or (there == before and self._store.put_if(name, data, etag)):
                return
        raise BadInput(f"another run is writing to {self.url}: wait for its end, or give another --output")

    def remove(self, name: str) -> None:
        if self.has(name):  # who may only create, and finds nothing to delete, needs no leave to delete
            remove(f"{self.url}/{name}")

    def has(self, name: str) -> bool:
        return self._store.head(name) is not None

    @contextmanager
    def part(self, name: str) -> Iterator[Any]:
        """Raises PublishError where the bucket refuses it."""
        with tempfile.TemporaryDirectory(prefix="wellread-") as folder:
            path = Path(folder, name)
            with disk.replacing(path) as file:
                yield file
            self._store.put_new(name, path)
