"""Bringing members into the cache: checked on the way, proved before they count.

    release ─ its line's digest ─▶ manifest ─ sizes ─▶ byte ranges of the wanted members ─ piece hashes ─▶ files
                                                                                   ─ goldens replayed ─▶ marker

A piece that differs is read again once (see ``pieces.checked``); what is in the folder already and sound is kept. The
marker comes last, after ``prove`` has run the form, so a form that was fetched but not proved is never opened. One that
was and failed is not tried again unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from wellread.errors import IntegrityError
from wellread.registry import layout, pieces
from wellread.registry.artifact import Package
from wellread.registry.cache import Entry
from wellread.registry.manifest import MANIFEST, members_of, parse_manifest
from wellread.registry.records import Manifest, Release
from wellread.registry.stores import Store

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
    entry = Entry(release.file.removesuffix(".zip"), release.manifest)
    forms = release.forms if form == ALL else (form,)
    held = [entry.holds(each, full=full) for each in forms]
    if held and held[0] and all(held):
        found = entry.path, held[0]
    else:
        _refuse_failed(entry, forms, refresh)
        if store is None:
            raise IntegrityError(
                f"{release.file}: form {form!r} is not whole in the cache, and offline. Fetch it online"
            )
        found = install(open_release(store, release), form, prove=prove, full=full, refresh=refresh)
    if store:
        entry.remember(store.url, release)
    return found


def open_release(store: Store, release: Release) -> Package:
    """A release in a hub: its manifest, checked against the index line. Raises IntegrityError."""
    where = f"{store.url}/{release.path}"

    def stretch(start: int, length: int) -> Iterable[bytes]:
        body = store.get_range(release.path, start, length)
        if body is None:
            raise IntegrityError(f"{where} is listed in the index but not there: publish it again")
        return body.chunks

    for _ in range(2):
        raw = b"".join(stretch(layout.FIRST, release.manifest_size))
        if pieces.sha256(raw) == release.manifest:
            break
    else:
        raise IntegrityError(f"{where}: its {MANIFEST} differs from the index line, read twice. Nothing of it was used")
    manifest = parse_manifest(raw, where)
    if str(manifest.artifact) != release.file or layout.total(manifest, len(raw)) != release.size:
        raise IntegrityError(f"{where}: the index line speaks of another artifact than its {MANIFEST}")
    return Package(where, raw, manifest, stretch)


def install(
    package: Package, form: str, *, prove: Prove, full: bool = False, refresh: bool = False
) -> tuple[Path, Manifest]:
    """Put a form of a package into the cache, what is there already excepted. Raises as ``bring``."""
    entry, manifest = Entry(package.manifest.artifact.stem, package.digest), package.manifest
    for each in manifest.forms if form == ALL else (form,):
        members_of(manifest, each)
        if entry.holds(each, full=full) is None:
            _refuse_failed(entry, (each,), refresh)
            with entry.writing():
                _complete(entry, package, each, prove=prove, full=full)
    return entry.path, manifest


def _refuse_failed(entry: Entry, forms: Iterable[str], refresh: bool) -> None:
    """Raises IntegrityError for a form that missed its goldens on this machine, unless it shall be tried again."""
    for form in () if refresh else forms:
        if reason := entry.refusal(form):
            raise IntegrityError(reason)


def _complete(entry: Entry, package: Package, form: str, *, prove: Prove, full: bool) -> None:
    """Fetch what is missing of a form, prove it, mark it."""
    if entry.holds(form, full=full) is not None:
        return  # another process was faster
    entry.discharge(form, package.manifest)
    if entry.manifest() is None:
        entry.put(MANIFEST, package.raw)
    for member in members_of(package.manifest, form):
        if not entry.sound(member):
            entry.receive(member, partial(package.read, member))
    try:
        prove(entry.path, package.manifest, form)
    except IntegrityError as error:
        raise entry.quarantine(form, package.manifest, package.where, str(error)) from error
    entry.finish(form, package.manifest)
