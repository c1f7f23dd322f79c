"""The cache: what was fetched, checked and proved on this machine.

    $WELLREAD_HOME/cache/
      locks/<release>.lock
      models/<artifact>-<16 hex of the manifest's sha256>/
        manifest.json  README.md  vocab.txt  onnx/model.onnx …     the members of the forms fetched so far
        .wellread/
          hubs/<16 hex of the hub's URL>.json   what that hub's index says of it: found offline, and if pinned
          <form>.json          completion marker, written last: the manifest's digest and each member's stamp
          incoming-<16 hex>    the whole pieces of a member that came so far
          quarantine/<form>/   a graph that failed its goldens, quarantine/<form>.json why

A form is whole when its marker says so and every member has the size, mtime and inode of the marker's stamp: a warm
load hashes nothing but the manifest. A member whose stamp differs is hashed again, and fetched again if its bytes
differ too. Readers take no lock and need no write access; a writer holds the release's lock, so that anything half
made which it finds is the leaving of a process that died. Of a member begun its whole pieces are taken over, once they
are hashed again. A link inside the folder is never written through, and what stands in the way is removed.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wellread.errors import IntegrityError, WellreadError
from wellread.registry import disk, pieces
from wellread.registry.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.records import PIECE, Document, Manifest, Member, Release, decode, encode

_PRIVATE = ".wellread"


class Marker(Document, frozen=True, kw_only=True):
    """Says that a form is whole. A stamp is (size in bytes, mtime in ns, inode)."""

    form: str
    manifest: str
    stamps: dict[str, tuple[int, int, int]]


class Quarantine(Document, frozen=True, kw_only=True):
    """Says that a form missed its goldens under a version of onnxruntime, and how."""

    manifest: str
    runtime: str
    why: str


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
    """The releases that the cache has something of, once for each hub they came from."""
    return _lines("*")


def remembered(hub: str, stem: str) -> Release | None:
    """What a hub's index said of an artifact when it was fetched from there, or None."""
    return next(_lines(f"{stem}-*", _key(hub)), None)


def _lines(entry: str, hub: str = "*") -> Iterator[Release]:
    for line in sorted((home() / "cache" / "models").glob(f"{entry}/{_PRIVATE}/hubs/{hub}.json")):
        with suppress(IntegrityError, OSError):
            yield decode(line.read_bytes(), Release, str(line))


def _key(text: str) -> str:
    return pieces.sha256(text.encode())[:16]


class Entry:
    """The folder of one release, named by its artifact and what is in it. ``digest`` is its manifest's sha256."""

    def __init__(self, stem: str, digest: str) -> None:
        key = f"{stem}-{digest[:16]}"
        root = home() / "cache"
        self.stem = stem
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
            stamp = self._stamp(path)
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
        if self._linked(self.path / MANIFEST) or pieces.sha256(raw) != self.digest:
            return None
        return parse_manifest(raw, str(self.path))

    def sound(self, member: Member) -> bool:
        """Whether a member is here, byte for byte; hashes it."""
        path = self.path / member.name
        return not self._linked(path) and pieces.matches(member, path)

    def refusal(self, form: str) -> str | None:
        """Why a form is not to be tried: it missed its goldens here, under this onnxruntime; None if it may be."""
        path = self._private / "quarantine" / f"{form}.json"
        try:
            found = decode(path.read_bytes(), Quarantine, str(path))
        except (OSError, IntegrityError):
            return None
        return found.why if (found.manifest, found.runtime) == (self.digest, _runtime()) else None

    def _linked(self, path: Path) -> bool:
        """Whether a link stands between the entry's folder and a file in it, or in the file's place."""
        return any(at.is_symlink() for at in (path, *self._folders(path)))

    def _folders(self, path: Path) -> list[Path]:
        """The folders between the entry's and a file, the outermost first."""
        return [self.path / part for part in reversed(path.relative_to(self.path).parents[:-1])]

    def _stamp(self, path: Path) -> tuple[int, int, int] | None:
        """(size, mtime in ns, inode) of a plain file, else None."""
        try:
            found = path.lstat()
        except OSError:
            return None
        plain = stat.S_ISREG(found.st_mode) and not self._linked(path)
        return (found.st_size, found.st_mtime_ns, found.st_ino) if plain else None

    def _marker(self, form: str) -> Marker | None:
        path = self._private / f"{form}.json"
        try:
            marker = decode(path.read_bytes(), Marker, str(path))
        except (OSError, IntegrityError):
            return None
        if self._linked(path):
            return None
        return marker if (marker.form, marker.manifest) == (form, self.digest) else None

    # ------------------------------------------------------------ writing, under the lock

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the release's lock, in a folder cleared of what a dead process left. Raises WellreadError."""
        import filelock  # a warm load needs none

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
            self._cleared(self._private / "any")
            for leaving in self.path.rglob(".*.tmp"):
                leaving.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def put(self, name: str, data: bytes) -> None:
        """Write a small file in one step. Raises WellreadError if the system refuses."""
        disk.write(self._cleared(self.path / name), data)

    def receive(self, member: Member, read: Callable[[int], Iterable[bytes]]) -> None:
        """Write a member in one step; ``read(n)`` gives its pieces from the nth on, of which some may be here.

        Raises what reading raises, WellreadError if the system refuses; the whole pieces that came are kept.
        """
        target, incoming = self.path / member.name, self._private / f"incoming-{_key(member.name)}"
        try:
            with disk.growing(self._cleared(target), self._cleared(incoming)) as file:
                whole = pieces.leading(member, file)
                file.seek(whole * PIECE)
                file.truncate()
                file.writelines(read(whole))
        except BaseException:
            _drop_part(incoming)
            raise

    def remember(self, hub: str, release: Release) -> None:
        """Keep what a hub says of this release, in the place of what it said before. A closed cache stays as it is."""
        name, line = f"hubs/{_key(hub)}.json", encode(release)
        with suppress(OSError, WellreadError):
            if self._said(name) != line:
                for other in self.path.parent.glob(f"{self.stem}-*/{_PRIVATE}/{name}"):
                    other.unlink()
                self.put(f"{_PRIVATE}/{name}", line)

    def _said(self, name: str) -> bytes:
        try:
            return (self._private / name).read_bytes()
        except OSError:
            return b""

    def finish(self, form: str, manifest: Manifest) -> None:
        """Write the marker: from now on the form is whole."""
        stamps = {member.name: self._stamp(self.path / member.name) for member in members_of(manifest, form)}
        self._mark(form, {name: stamp for name, stamp in stamps.items() if stamp})

    def quarantine(self, form: str, manifest: Manifest, where: str, why: str) -> IntegrityError:
        """Move the graphs of a form out of reach; returns the error that says so, now and until it is tried again.

        ``where`` names the artifact in it.
        """
        away = self._cleared(self._private / "quarantine" / form)
        away.mkdir(parents=True)
        (self._private / f"{form}.json").unlink(missing_ok=True)
        for name in _graphs(manifest, form):
            (self.path / name).replace(away / Path(name).name)
        message = f"{why}\nForm {form!r} of {where} was quarantined in {away}; refresh=True tries it again"
        record = Quarantine(manifest=self.digest, runtime=_runtime(), why=message)
        self.put(f"{_PRIVATE}/quarantine/{form}.json", encode(record))
        return IntegrityError(message)

    def discharge(self, form: str, manifest: Manifest) -> None:
        """Take a form's graphs back out of the quarantine, to be checked again like any member."""
        away = self._private / "quarantine" / form
        for name in _graphs(manifest, form):
            if (away / Path(name).name).is_file() and not self._linked(away / Path(name).name):
                target = self._cleared(self.path / name)
                target.parent.mkdir(parents=True, exist_ok=True)
                (away / Path(name).name).replace(target)
        self._cleared(away.with_name(f"{form}.json")).unlink(missing_ok=True)

    def _cleared(self, path: Path) -> Path:
        """The path of a file to write, what stood in its way removed: links, files for folders, a folder for it."""
        for folder in self._folders(path):
            if folder.is_symlink() or folder.is_file():
                folder.unlink()
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.is_symlink():
            path.unlink()
        return path

    def _mark(self, form: str, stamps: dict[str, tuple[int, int, int]]) -> None:
        marker = Marker(form=form, manifest=self.digest, stamps=stamps)
        self.put(f"{_PRIVATE}/{form}.json", encode(marker))


def _drop_part(incoming: Path) -> None:
    """Cut what is no whole piece off the end of a file."""
    with suppress(OSError):
        whole = incoming.stat().st_size // PIECE * PIECE
        if whole:
            os.truncate(incoming, whole)
        else:
            incoming.unlink()


def _graphs(manifest: Manifest, form: str) -> list[str]:
    return [name for name in manifest.forms[form].members if name.endswith(".onnx")]


def _runtime() -> str:
    """The version of onnxruntime, without importing it; empty where there is none."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and only a failed form needs it

    try:
        return version("onnxruntime")
    except PackageNotFoundError:
        return ""
