"""Bringing members into the cache: checked on the way, proved before they count.

    release ─ its line's digest ─▶ manifest ─ sizes ─▶ byte ranges of the wanted members ─ piece hashes ─▶ files
                                                                                   ─ goldens replayed ─▶ marker

How the bytes come is the matter of ``download``; what is in the folder already and sound is kept. The marker comes
last, after ``prove`` has run the form, so a form that was fetched but not proved is never opened. One that was and
failed is not tried again unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wellread.errors import IntegrityError
from wellread.registry import disk, pieces
from wellread.registry.artifact import layout
from wellread.registry.artifact.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.cache.entry import Entry, places
from wellread.registry.records import Manifest, Member, Release
from wellread.registry.stores import Body, Store, is_local
from wellread.registry.transfer import climb

if TYPE_CHECKING:
    from wellread.registry.artifact.package import Package

ALL = "all"
"""Stands for every form that a release has."""

Prove = Callable[[Path, Manifest, str], None]
"""Runs a form in its folder against the release's goldens. Raises IntegrityError on a miss."""


def bring(
    store: Store | None, release: Release, form: str, *, prove: Prove, full: bool = False, refresh: bool = False
) -> tuple[Path, Manifest]:
    """A form of a release, whole in the cache: its folder and manifest. Without a store the cache must have it.

    ``full`` hashes what is there; ``refresh`` tries a form again that missed its goldens. Raises NotFound for a form
    that it does not have, IntegrityError for bytes that are not those published.
    """
    stem = release.file.removesuffix(".zip")
    forms = release.forms if form == ALL else (form,)
    own, *others = places(stem, release.manifest)
    if found := _held(own, forms, full):
        return found
    _refuse_failed(own, forms, refresh)
    if found := next(filter(None, (_held(other, forms, full) for other in others)), None):
        return found
    if store is None:
        raise IntegrityError(f"{release.file}: form {form!r} is not whole in the cache, and offline. Fetch it online")
    return install(open_release(store, release), form, prove=prove, full=full, refresh=refresh)


def open_release(store: Store, release: Release) -> Package:
    """A release in a hub: its manifest, checked against the index line. Raises IntegrityError."""
    from wellread.registry.artifact.package import Package

    where = f"{store.url}/{release.path}"

    def body(start: int, length: int) -> Body:
        found = store.get_range(release.path, start, length)
        if found is None:
            raise IntegrityError(f"{where} is listed in the index but not there: publish it again")
        return found

    for _ in range(2):
        told = body(layout.FIRST, release.manifest_size)
        raw = b"".join(told.chunks)
        if pieces.sha256(raw) == release.manifest:
            break
    else:
        raise IntegrityError(f"{where}: {_strange(told.stat.size, release)}. Nothing of it was used")
    manifest = parse_manifest(raw, where)
    if str(manifest.artifact) != release.file or layout.total(manifest, len(raw)) != release.size:
        raise IntegrityError(f"{where}: the index line speaks of another artifact than its {MANIFEST}")
    streams = 1 if is_local(store.url) else climb.MOST
    return Package(where, raw, manifest, body, told.stat, streams, told.ranged)


def _strange(size: int, release: Release) -> str:
    """What is wrong with a file whose manifest is not the one listed."""
    differs = f"its {MANIFEST} differs from the index line, read twice"
    if size in (-1, release.size):
        return differs
    return (
        f"{differs}: the file has {size} bytes where {release.size} were published. "
        "It was overwritten, or something between answers for the hub, such as a page that wants a login"
    )


def install(
    package: Package, form: str, *, prove: Prove, full: bool = False, refresh: bool = False
) -> tuple[Path, Manifest]:
    """Put a form of a package into the cache, what is there already excepted. Raises as ``bring``."""
    entry, manifest = Entry(package.manifest.artifact.stem, package.digest), package.manifest
    forms = tuple(manifest.forms) if form == ALL else (form,)
    for each in forms:
        members_of(manifest, each)
    if missing := [each for each in forms if entry.holds(each, full=full) is None]:
        _refuse_failed(entry, missing, refresh)
        with entry.writing():
            _complete(entry, package, missing, prove=prove, full=full)
    return entry.path, manifest


def _held(entry: Entry, forms: Sequence[str], full: bool) -> tuple[Path, Manifest] | None:
    """The folder and the manifest if all the forms are whole in an entry."""
    held = [entry.holds(form, full=full) for form in forms]
    return (entry.path, held[0]) if held and held[0] and all(held) else None


def _refuse_failed(entry: Entry, forms: Iterable[str], refresh: bool) -> None:
    """Raises IntegrityError for a form that missed its goldens on this machine, unless it shall be tried again."""
    for form in () if refresh else forms:
        if reason := entry.refusal(form):
            raise IntegrityError(reason)


def _complete(entry: Entry, package: Package, forms: Iterable[str], *, prove: Prove, full: bool) -> None:
    """Fetch what is missing of the forms, prove them, mark them."""
    missing = [form for form in forms if entry.holds(form, full=full) is None]  # another process may have been faster
    for form in missing:
        entry.discharge(form, package.manifest)
    if missing and entry.manifest() is None:
        entry.put(MANIFEST, package.raw)
    _receive(entry, package, list(_unsound(entry, package.manifest, missing)))
    _refuse_orders(entry, package, missing)
    for form in missing:
        try:
            prove(entry.path, package.manifest, form)
        except IntegrityError as error:
            raise entry.quarantine(form, package.manifest, package.where, str(error)) from error
        entry.finish(form, package.manifest)


def _refuse_orders(entry: Entry, package: Package, forms: Iterable[str]) -> None:
    """Raises IntegrityError for files that would have other libraries run what no press wrote."""
    from wellread.registry.artifact.settings import gives_orders, member_problems  # a warm load needs none

    wanted = {member for form in forms for member in members_of(package.manifest, form) if gives_orders(member)}
    found = sorted(
        problem
        for member in wanted
        for problem in member_problems(member, pieces.stretch(entry.path / member.name, 0, member.size))
    )
    if found:
        raise IntegrityError(f"{package.where} is refused: {'; '.join(found[:3])}")


def _unsound(entry: Entry, manifest: Manifest, forms: Iterable[str]) -> Iterator[Member]:
    """The members of the forms that are not in the cache as they should be, in the artifact's order."""
    wanted = {member.name for form in forms for member in members_of(manifest, form)}
    return (member for member in manifest.files if member.name in wanted and not entry.sound(member))


def _receive(entry: Entry, package: Package, members: Sequence[Member]) -> None:
    """Download members, what came of them earlier excepted. Raises WellreadError first if the disk has no room."""
    if not members:
        return
    from wellread.registry.transfer.download import download  # threads: a warm load needs none
    from wellread.registry.transfer.progress import bytes_bar

    at = layout.offsets(package.manifest, len(package.raw))
    parts = [entry.incoming(member, at[member.name]) for member in members]
    size = sum(piece.size for part in parts for piece in part.pieces)
    disk.need(entry.path, size, entry.stem)
    with bytes_bar(size, str(package.manifest.name)) as bar:
        download(package, parts, bar)
