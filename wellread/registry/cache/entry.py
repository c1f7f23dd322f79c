"""The cache: what was fetched, checked and proved on this machine.

    $WELLREAD_HOME/cache/
      locks/<release>.lock
      models/<artifact>-<16 hex of the manifest's sha256>/
        manifest.json  README.md  vocab.txt  onnx/model.onnx …     the members of the forms fetched so far
        .wellread/
          <form>.json          completion marker, written last: the manifest's digest and each member's stamp
          used                 its mtime says when the release was last opened, to the hour
          incoming-<16 hex>    the pieces of a member that came so far, each at its place
          quarantine/<form>/   a graph that failed its goldens, quarantine/<form>.json why
      stamps/<16 hex of a site cache's path>/<release>/<form>.json     markers of files in that cache, as seen from here
    $WELLREAD_SITE_CACHE/models/…              a second cache of the same layout, only ever read

A form is whole when its marker says so and every member has the size, mtime and inode of the marker's stamp: a warm
load hashes nothing but the manifest. A member whose stamp differs is hashed again; if its bytes differ too, the pieces
that do are fetched again. Readers take no lock and need no write access; a writer holds the release's lock, so that
anything half made which it finds is the leaving of a process that died. Of a member begun the good pieces are taken
over, once they are hashed again. A link inside the folder is never written through, and what stands in the way is
removed.

Where a file system has no locks, each writer has files of its own and the last rename wins: nothing half made is taken
over then, and nothing wrong is read.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from wellread.errors import IntegrityError, WellreadError
from wellread.registry import disk, pieces
from wellread.registry.artifact.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.cache.incoming import Incoming
from wellread.registry.cache.locks import locked
from wellread.registry.home import home
from wellread.registry.records import Document, Manifest, Member, decode, encode

SITE = "WELLREAD_SITE_CACHE"
"""The environment variable that names a cache which several users share."""
_PRIVATE = ".wellread"
_HOUR = 3600.0


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


def entries() -> Iterator[Entry]:
    """What the user's own cache has something of, sorted by name."""
    models = home() / "cache" / "models"
    for path in sorted(models.iterdir()) if models.is_dir() else ():
        stem, _, short = path.name.rpartition("-")
        if stem and path.is_dir() and not path.is_symlink():
            yield Entry(stem, _digest(path, short))


def _digest(path: Path, short: str) -> str:
    """The sha256 of an entry's manifest; of one that is missing or changed only the digits of the folder's name."""
    with suppress(OSError):
        found = pieces.sha256((path / MANIFEST).read_bytes())
        return found if found.startswith(short) else short
    return short


def forgotten() -> Iterator[Path]:
    """Folders of stamps on releases that the site's cache has no more; none while that cache is not there at all."""
    if (site := _site()) and (site / "models").is_dir():
        notes = home() / "cache" / "stamps" / _key(str(site))
        yield from (each for each in notes.glob("*/") if not (site / "models" / each.name).exists())


def places(stem: str, digest: str) -> Iterator[Entry]:
    """Where to look for a release: in the user's cache, then in the site's if there is one."""
    yield Entry(stem, digest)
    if site := _site():
        yield Entry(stem, digest, site)


def _site() -> Path | None:
    given = os.environ.get(SITE)
    return Path(given).expanduser().absolute() if given else None


def _key(text: str) -> str:
    return pieces.sha256(text.encode())[:16]


class Entry:
    """The folder of one release, named by its artifact and what is in it. ``digest`` is its manifest's sha256.

    ``site`` is another cache than the user's, which is only read; what is noted about it stands in the user's.
    """

    def __init__(self, stem: str, digest: str, site: Path | None = None) -> None:
        key = f"{stem}-{digest[:16]}"
        root = home() / "cache"
        self.stem = stem
        self.digest = digest
        self.path = (site or root) / "models" / key
        self._private = self.path / _PRIVATE
        self._notes = root / "stamps" / _key(str(site)) / key if site else None
        self._lock = root / "locks" / f"{key}.lock"
        self._apart = ""  # what tells our half made files from those of others, where there are no locks

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
        self._touch()
        return manifest

    def used(self) -> float:
        """When the release was last opened, to the hour, or fetched: seconds since 1970; 0 where nothing says so."""
        return max(map(_modified, (self._private / "used", *self._private.glob("*.json"))))

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
        """What says that a form is whole: of a site's cache, what was noted here about it before what it says."""
        noted = _read_marker(self._notes / f"{form}.json") if self._notes else None
        path = self._private / f"{form}.json"
        marker = noted or (None if self._linked(path) else _read_marker(path))
        return marker if marker and (marker.form, marker.manifest) == (form, self.digest) else None

    def _touch(self) -> None:
        """Note that the release is in use, at most once an hour; a cache that cannot be written stays as it is."""
        path = self._private / "used"
        with suppress(OSError):
            if self._notes is None and not self._linked(path) and abs(time.time() - _modified(path)) > _HOUR:
                path.touch()

    # ------------------------------------------------------------ writing, under the lock

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the release's lock, in a folder cleared of what a dead process left. Raises WellreadError.

        Where the file system has no locks others may be writing too: then nothing is cleared but what was our own.
        """
        import secrets  # a warm load needs none

        with ExitStack() as held:
            try:
                waiting = f"Another process is fetching {self.stem}: waiting for it."
                alone = held.enter_context(locked(self._lock, waiting))
                self._cleared(self._private / "any")
            except OSError as error:
                raise self._closed(error) from error
            self._apart = "" if alone else f".{os.getpid()}.{secrets.token_hex(4)}.tmp"
            try:
                self._sweep(".*.tmp" if alone else None)
                yield
            finally:
                self._sweep(f"incoming-*{self._apart}" if self._apart else None)

    def _sweep(self, leavings: str | None) -> None:
        for leaving in self.path.rglob(leavings) if leavings else ():
            leaving.unlink(missing_ok=True)

    def _closed(self, error: OSError) -> WellreadError:
        return WellreadError(
            f"the cache {self.path} cannot be written: {error.strerror or error}. "
            "Set WELLREAD_HOME to a folder of yours, or fetch the model where the cache can be written"
        )

    def put(self, name: str, data: bytes) -> None:
        """Write a small file in one step. Raises WellreadError if the system refuses."""
        disk.write(self._cleared(self.path / name), data)

    def incoming(self, member: Member, offset: int = 0) -> Incoming:
        """A member to be received, with what an earlier writer had of it, or what is sound of the file in its place.

        ``offset`` is where it lies in its artifact. Raises WellreadError if the system refuses.
        """
        target, temp = self.path / member.name, self._private / f"incoming-{_key(member.name)}{self._apart}"
        try:
            self._cleared(target)
            if not self._cleared(temp).exists() and not self._apart and target.is_file():
                temp.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(target, temp)  # not moved: an open model has its weights in that very file
                target.unlink()
            return Incoming(member, target, temp, offset)
        except OSError as error:
            raise self._closed(error) from error

    def finish(self, form: str, manifest: Manifest) -> None:
        """Write the marker: from now on the form is whole."""
        stamps = {member.name: self._stamp(self.path / member.name) for member in members_of(manifest, form)}
        self._mark(form, {name: stamp for name, stamp in stamps.items() if stamp})
        self._touch()

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
            import shutil  # brings every compression with it

            shutil.rmtree(path)
        elif path.is_symlink():
            path.unlink()
        return path

    def _mark(self, form: str, stamps: dict[str, tuple[int, int, int]]) -> None:
        marker = encode(Marker(form=form, manifest=self.digest, stamps=stamps))
        if self._notes:
            disk.write(self._notes / f"{form}.json", marker)
        else:
            self.put(f"{_PRIVATE}/{form}.json", marker)


def _read_marker(path: Path) -> Marker | None:
    try:
        return decode(path.read_bytes(), Marker, str(path))
    except (OSError, IntegrityError):
        return None


def _modified(path: Path) -> float:
    """When a file was last written, in seconds since 1970; 0 where there is none."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _graphs(manifest: Manifest, form: str) -> list[str]:
    return [name for name in manifest.forms[form].members if name.endswith(".onnx")]


def _runtime() -> str:
    """The version of onnxruntime, without importing it; empty where there is none."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and only a failed form needs it

    try:
        return version("onnxruntime")
    except PackageNotFoundError:
        return ""
