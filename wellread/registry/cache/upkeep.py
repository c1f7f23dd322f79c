"""Looking after the cache: what is in it, whether it is as it was published, what may go.

    $WELLREAD_HOME/cache/
      models/<release>/            a release: the unit of all that is done here
      models/.removed.<16 hex>/    one being removed, renamed before the first file goes: no reader takes it for whole
      zips/<16 hex>/<file>         a whole zip of a Spark NLP hub, which counts as a release too
      sites/<digest>/              the site of a hub that was served, with its lock beside it
      demo/<digest>/               what a version of the live demo runs on, likewise
      stamps/                      what is known of a site cache: goes with the release there
      locks/  hubs/                small, and never removed here

Releases, zips, sites and demos are what may go; sites and demos are made anew by whoever wants them next.

Whatever a process that was killed left half removed goes with the next ``prune`` or ``remove``; so does what it left
half written where there are no locks, once nobody wrote into it for a day. What another process is fetching is never
touched. Nothing here asks a hub: what is removed is fetched again by whoever opens it next.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from wellread.errors import BadInput, IntegrityError, NotFound, WellreadError, near_misses
from wellread.registry import disk
from wellread.registry.artifact.manifest import MANIFEST, members_of
from wellread.registry.cache.entry import Entry, entries, forgotten
from wellread.registry.home import home
from wellread.registry.names import ArtifactName

_PRIVATE = ".wellread"
_REMOVED = ".removed."
_ZIP = "spark-nlp"
"""The form of a zip that only Spark NLP opens."""
_LOCK = ".lock"
"""Beside a zip."""
_MADE = {"sites": "site", "demo": "demo"}
"""Folder → what each folder in it is; its lock is held by whoever makes or serves it."""
_DAY = 24 * 3600.0
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


class Kept(NamedTuple):
    """A release in the cache, or a zip: ``size`` in bytes, ``used`` in seconds since 1970, to the hour, 0 if unknown.

    ``forms`` are those that were fetched whole; ``name`` is that of the artifact, without ``.zip``. Of what was made
    here they are its kind, and the folder below the cache.
    """

    name: str
    forms: tuple[str, ...]
    size: int
    used: float
    path: Path
    lock: Path


class Wrong(NamedTuple):
    """A file of a release that is not as it was published, ``gone`` if it is missing; of ``forms`` that need it."""

    name: str
    file: str
    path: Path
    gone: bool
    forms: tuple[str, ...]


class Freed(NamedTuple):
    """What was removed, what was not because another process is at it, and the bytes that are left in the cache."""

    removed: tuple[Kept, ...]
    busy: tuple[Kept, ...]
    left: int


def kept() -> list[Kept]:
    """All there is, the least recently used first."""
    return sorted([*map(_kept, entries()), *_zips(), *_made()], key=attrgetter("used", "name"))


def parse_size(text: str) -> int:
    """Bytes: ``10GB`` is 10¹⁰, ``10GiB`` 10 · 2³⁰; the B may be left out. Raises BadInput."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is not a size: use one like '10GB', '500MB' or '1.5GiB'")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(unit.lower() or " "))


# ---------------------------------------------------------------- checking


def verify(names: Iterable[str] = ()) -> Iterator[Wrong]:
    """Hash what the cache has of these releases, of all by default; yields what is wrong. Raises NotFound."""
    for entry in _chosen(names):
        yield from _wrong_in(entry)


def repair(names: Iterable[str] = ()) -> Iterator[Wrong]:
    """Remove what is wrong, so that it is fetched again when it is next needed; yields what it was.

    The sound pieces of a member stay, as of one begun. A form counts as missing before a file of it goes. Waits for who
    is fetching the same release. Raises NotFound, WellreadError where the cache cannot be written.
    """
    for entry in _chosen(names):
        if next(_wrong_in(entry), None) is None:
            continue
        with entry.writing():
            for wrong in list(_wrong_in(entry)):
                for form in wrong.forms:
                    _unlink(entry.path / _PRIVATE / f"{form}.json")
                _keep_pieces(entry, wrong)
                _unlink(wrong.path)
                yield wrong


def _keep_pieces(entry: Entry, wrong: Wrong) -> None:
    """Set aside what is sound of a member for the next fetch. Raises WellreadError where the system refuses."""
    manifest = None if wrong.file == MANIFEST else entry.manifest()
    if manifest and not wrong.gone:
        entry.incoming(manifest.member(wrong.file)).close()


def _wrong_in(entry: Entry) -> Iterator[Wrong]:
    marked = _marked(entry)
    try:
        manifest = entry.manifest()
    except IntegrityError:  # written by a later wellread
        manifest = None
    if manifest is None:
        path = entry.path / MANIFEST
        if marked or path.exists():
            yield Wrong(entry.stem, MANIFEST, path, not path.exists(), marked)
        return
    needed = {form: set(members_of(manifest, form)) for form in marked if form in manifest.forms}
    for member in manifest.files:
        path = entry.path / member.name
        forms = tuple(form for form, members in needed.items() if member in members)
        gone = not os.path.lexists(path)
        if (forms or not gone) and not entry.sound(member):
            yield Wrong(entry.stem, member.name, path, gone, forms)


def _marked(entry: Entry) -> tuple[str, ...]:
    """The forms that were fetched whole."""
    return tuple(sorted(path.stem for path in (entry.path / _PRIVATE).glob("*.json")))


def _chosen(names: Iterable[str]) -> list[Entry]:
    """The releases of these names; all of them if none is given. Raises NotFound."""
    found, wanted = list(entries()), list(names)
    _refuse_unknown(wanted, [entry.stem for entry in found])
    return [entry for entry in found if not wanted or any(_is_called(entry.stem, name) for name in wanted)]


# ---------------------------------------------------------------- removing


def prune(limit: int, *, dry_run: bool = False) -> Freed:
    """Remove the least recently used until the whole cache has ``limit`` bytes at most, or there is no more to remove.

    ``dry_run`` only says what would go. Raises WellreadError where the cache cannot be written.
    """
    return _free(kept(), lambda left: left > limit, dry_run)


def remove(names: Iterable[str], *, dry_run: bool = False) -> Freed:
    """Remove all releases of a model by its name, or one by its artifact's. Raises NotFound, and as ``prune``."""
    wanted, there = list(names), kept()
    _refuse_unknown(wanted, [item.name for item in there])
    chosen = [item for item in there if any(_is_called(item.name, name) for name in wanted)]
    return _free(chosen, lambda left: True, dry_run)


def remove_all(*, dry_run: bool = False) -> Freed:
    """Remove all that may go. Raises as ``prune``."""
    return _free(kept(), lambda left: True, dry_run)


def _free(items: Iterable[Kept], more: Callable[[int], bool], dry_run: bool) -> Freed:
    """Remove items in their order while ``more(bytes left)``."""
    if not dry_run:
        _clear_leavings()
    removed: list[Kept] = []
    busy: list[Kept] = []
    left = sum(map(_size, (home() / "cache").glob("*/")))
    for item in items:
        if not more(left):
            break
        with _alone(item, dry_run) as free:
            (removed if free else busy).append(item)
            if free:
                left -= item.size
            if free and not dry_run:
                _remove(item.path)
    return Freed(tuple(removed), tuple(busy), left)


def _remove(path: Path) -> None:
    """Take a release out of sight in one step, then delete it. A zip is one file, and one step."""
    try:
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return
        away = path.with_name(f"{_REMOVED}{secrets.token_hex(8)}")
        path.rename(away)
    except OSError as error:
        raise disk.refused(path, error) from error
    shutil.rmtree(away, ignore_errors=True)  # what stays goes the next time


def _clear_leavings() -> None:
    models = home() / "cache" / "models"
    for leaving in (*(home() / "cache").glob(f"*/{_REMOVED}*"), *forgotten()):
        shutil.rmtree(leaving, ignore_errors=True)
    for half in models.rglob("*.tmp"):
        with suppress(OSError):  # it took its name meanwhile, or goes the next time
            if time.time() - half.lstat().st_mtime > _DAY:
                half.unlink()


@contextmanager
def _alone(item: Kept, dry_run: bool) -> Iterator[bool]:
    """Hold the lock of an item; False where another process holds it. Where there are no locks nobody does."""
    import filelock

    if dry_run and not item.lock.exists():
        yield True
        return
    lock = filelock.FileLock(item.lock, timeout=0, fallback_to_soft=False)
    try:
        item.lock.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise disk.refused(item.lock, error) from error
        yield True
        return
    try:
        yield True
    finally:
        lock.release()


# ---------------------------------------------------------------- what there is


def _kept(entry: Entry) -> Kept:
    lock = home() / "cache" / "locks" / f"{entry.path.name}.lock"
    return Kept(entry.stem, _marked(entry), _size(entry.path), entry.used(), entry.path, lock)


def _zips() -> Iterator[Kept]:
    """Zips, and what came so far of those that were broken off."""
    for path in (home() / "cache" / "zips").glob("*/*"):
        if path.name != _LOCK and path.is_file() and not path.is_symlink():
            found, begun = path.stat(), path.name.startswith(".")
            name = path.name.removeprefix(".").removesuffix(".part").removesuffix(".zip")
            used = max(found.st_mtime, found.st_atime)
            yield Kept(name, () if begun else (_ZIP,), found.st_size, used, path, path.with_name(_LOCK))


def _made() -> Iterator[Kept]:
    """Sites and demos; of one being made there is a hidden folder at most."""
    for folder, kind in _MADE.items():
        for path in (home() / "cache" / folder).glob("[!.]*/"):
            lock = path.with_suffix(_LOCK)
            used = max(found.stat().st_mtime for found in (path, lock) if found.exists())
            yield Kept(f"{folder}/{path.name}", (kind,), _size(path), used, path, lock)


def _size(folder: Path) -> int:
    """Bytes of all files below a folder; links are not followed, and what vanishes meanwhile counts nothing."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += (Path(parent) / name).lstat().st_size
    return total


def _is_called(stem: str, name: str) -> bool:
    """Whether a name means an artifact: the model's name, or the artifact's own."""
    return name.removesuffix(".zip") == stem or name == _model(stem)


def _model(stem: str) -> str:
    try:
        return ArtifactName.parse(f"{stem}.zip").name
    except BadInput:
        return stem


def _refuse_unknown(names: Iterable[str], stems: Iterable[str]) -> None:
    known = list(stems)
    for name in names:
        if not any(_is_called(stem, name) for stem in known):
            models = {_model(stem) for stem in known}
            raise NotFound(f"{name} is not in the cache {home() / 'cache'}.{near_misses(name, models)}")


def _unlink(path: Path) -> None:
    """Remove whatever has that name. Raises WellreadError where the system refuses."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise WellreadError(f"cannot remove {path}: {error.strerror or error}") from error
