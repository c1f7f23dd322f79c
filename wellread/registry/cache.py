"""The cache: what was fetched, checked and proved on this machine.

    $WELLREAD_HOME/cache/
      locks/<release>.lock
      models/<artifact>-<16 hex of the manifest's sha256>/
        manifest.json  README.md  vocab.txt  onnx/model.onnx …     the members of the forms fetched so far
        .wellread/
          release.json         the hub's line about it, so that it is found offline
          <form>.json          completion marker, written last: the manifest's digest and each member's stamp
          incoming             the member being written; quarantine/<form>/ what failed its goldens

A form is whole when its marker says so and every member has the size, mtime and inode of the marker's stamp: a warm
load hashes nothing but the manifest. A member whose stamp differs is hashed again, and fetched again if its bytes
differ too. Readers take no lock and need no write access; a writer holds the release's lock, so that anything half
made which it finds is the leaving of a process that died.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from wellread.errors import IntegrityError, WellreadError
from wellread.registry import disk, pieces
from wellread.registry.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.records import FORMAT, Manifest, Member, Record, Release, decode, encode

_PRIVATE = ".wellread"


class Marker(Record, frozen=True, kw_only=True):
    """Says that a form is whole. A stamp is (size in bytes, mtime in ns, inode)."""

    format: int = FORMAT
    form: str
    manifest: str
    stamps: dict[str, tuple[int, int, int]]


def home() -> Path:
    """``WELLREAD_HOME``, or the system's place for a user's data: it holds the user's own hub and keys too."""
    if given := os.environ.get("WELLREAD_HOME"):
        return Path(given).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "wellread"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "wellread"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "wellread"


def releases() -> Iterator[Release]:
    """The releases that the cache has something of."""
    for line in sorted((home() / "cache" / "models").glob(f"*/{_PRIVATE}/release.json")):
        with suppress(IntegrityError, OSError):
            yield decode(line.read_bytes(), Release, str(line))


class Entry:
    """The folder of one release, named by its artifact and what is in it. ``digest`` is its manifest's sha256."""

    def __init__(self, stem: str, digest: str) -> None:
        key = f"{stem}-{digest[:16]}"
        root = home() / "cache"
        self.digest = digest
        self.path = root / "models" / key
        self._private = self.path / _PRIVATE
        self._lock = root / "locks" / f"{key}.lock"

    # ------------------------------------------------------------ reading, without a lock

    def holds(self, form: str, *, full: bool = False) -> Manifest | None:
        """The manifest if a form is whole here, else None; ``full`` hashes every member whatever its stamp says."""
        marker = self._marker(form)
        manifest = self.manifest() if marker else None
        if marker is None or manifest is None:
            return None
        stamps = {}
        for member in members_of(manifest, form):
            path = self.path / member.name
            stamp = _stamp(path)
            if stamp is None or ((full or stamp != marker.stamps.get(member.name)) and not self.sound(member)):
                return None
            stamps[member.name] = stamp
        if stamps != marker.stamps:
            with suppress(OSError, WellreadError):  # a cache that cannot be written serves as it is
                self._mark(form, stamps)
        return manifest

    def manifest(self) -> Manifest | None:
        """The manifest of the release, or None if it is missing or not the one that the folder is named by."""
        try:
            raw = (self.path / MANIFEST).read_bytes()
        except OSError:
            return None
        return parse_manifest(raw, str(self.path)) if pieces.sha256(raw) == self.digest else None

    def sound(self, member: Member) -> bool:
        """Whether a member is here, byte for byte; hashes it."""
        return pieces.matches(member, self.path / member.name)

    def _marker(self, form: str) -> Marker | None:
        path = self._private / f"{form}.json"
        try:
            marker = decode(path.read_bytes(), Marker, str(path))
        except (OSError, IntegrityError):
            return None
        return marker if (marker.form, marker.manifest) == (form, self.digest) else None

    # ------------------------------------------------------------ writing, under the lock

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the release's lock, in a folder cleared of what a dead process left. Raises WellreadError."""
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self._lock)
            lock.acquire()
        except OSError as error:
            raise WellreadError(
                f"the cache {self.path} cannot be written: {error.strerror or error}. "
                "Set WELLREAD_HOME to a folder of yours, or fetch the model where the cache can be written"
            ) from error
        try:
            for leaving in (self._incoming, *self._private.glob(".*.tmp")):
                leaving.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    @property
    def _incoming(self) -> Path:
        return self._private / "incoming"

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a member in one step. Raises what reading the chunks raises, WellreadError if the disk is full."""
        with disk.replacing(self.path / name, temp=self._incoming) as file:
            file.writelines(chunks)

    def finish(self, form: str, manifest: Manifest, release: Release | None) -> None:
        """Write the marker: from now on the form is whole."""
        if release:
            self.put(f"{_PRIVATE}/release.json", [encode(release)])
        stamps = {member.name: _stamp(self.path / member.name) for member in members_of(manifest, form)}
        self._mark(form, {name: stamp for name, stamp in stamps.items() if stamp})

    def quarantine(self, form: str, manifest: Manifest) -> Path:
        """Move the graphs of a form out of reach; returns where they lie."""
        away = self._private / "quarantine" / form
        shutil.rmtree(away, ignore_errors=True)
        away.mkdir(parents=True)
        (self._private / f"{form}.json").unlink(missing_ok=True)
        for name in manifest.forms[form].members:
            if name.endswith(".onnx"):
                (self.path / name).replace(away / Path(name).name)
        return away

    def _mark(self, form: str, stamps: dict[str, tuple[int, int, int]]) -> None:
        marker = Marker(form=form, manifest=self.digest, stamps=stamps)
        disk.write(self._private / f"{form}.json", encode(marker))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """(size, mtime in ns, inode) of a plain file, else None."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino) if path.is_file() and not path.is_symlink() else None
