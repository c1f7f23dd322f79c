"""The views of a hub: what is said again, shorter, of what the index decides.

    hub.json                             written once
    aliases/<2 hex>/<reference>.json     the first model to take a reference keeps it
    catalog.jsonl                        an entry for each name, language and folder, about its latest release

A view says nothing that the index does not, so it is never a reason to fail: what cannot be read is rebuilt, what
cannot be written is a warning. What an entry says is worked out from the index as it is while the view is swapped: of
two publishers the later swap sees both lines.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from wellread.errors import BadInput, IntegrityError, WellreadError
from wellread.registry.fetch import open_release
from wellread.registry.index import (
    CATALOG,
    HUB,
    alias_key,
    joined,
    parse_alias,
    parse_catalog,
    read_releases,
    swap,
)
from wellread.registry.names import Lang, ModelName, ReleaseId, parse_name
from wellread.registry.records import Alias, CatalogEntry, HubInfo, Manifest, Release, encode, encode_pretty
from wellread.registry.stores import Store

_TRIES = 5
_Key = tuple[ModelName, Lang, str]
_Catalogue = Mapping[_Key, CatalogEntry]


def update_views(store: Store, manifest: Manifest) -> None:
    """Bring all views up to date after a release was listed. Warns where that cannot be done."""
    with _forgiving(store, HUB):
        store.put_new(HUB, encode_pretty(HubInfo(name=store.url.rstrip("/").rpartition("/")[2] or "hub")))
    for reference in manifest.aliases:
        alias = Alias(reference=reference, name=manifest.name, language=manifest.language)
        _update(store, alias_key(reference), partial(_with_alias, alias=alias, where=f"{store.url}/{reference}"))
    _update(store, CATALOG, partial(_with_release, store, manifest=manifest))


# ---------------------------------------------------------------- aliases


def _with_alias(raw: bytes, alias: Alias, where: str) -> bytes:
    """The alias's file as it is, or written anew where it cannot be read."""
    try:
        known = parse_alias(raw, alias.reference, where) if raw else None
    except IntegrityError as error:
        _warn(f"{error}; it is written anew")
        known = None
    if known and (known.name, known.language) != (alias.name, alias.language):
        _warn(f"{where}: {alias.reference} stands for {known.name} ({known.language}): left as it is")
    return raw if known else encode(alias) + b"\n"


# ---------------------------------------------------------------- the catalogue


def _with_release(store: Store, raw: bytes, manifest: Manifest) -> bytes:
    """The catalogue with what the index now says of a name; of every name where it could not be read."""
    try:
        entries, later = parse_catalog(raw, f"{store.url}/{CATALOG}")
        names: Iterable[ModelName] = {manifest.name}
    except IntegrityError as error:
        _warn(f"{error}; it is rebuilt from the index")
        entries, later, names = (), (), set(_all_names(store))
    known = {_key(entry): entry for entry in entries}
    kept = {key: entry for key, entry in known.items() if entry.name not in names}
    fresh = {_key(entry): entry for name in names for entry in _entries(store, name, known, manifest)}
    found = kept | fresh
    return joined([*(encode(found[key]) for key in sorted(found)), *later])


def _entries(store: Store, name: ModelName, known: _Catalogue, manifest: Manifest) -> Iterator[CatalogEntry]:
    """What the index says of a name, an entry for each language and folder."""
    groups: dict[tuple[Lang, str], list[Release]] = {}
    with _forgiving(store, f"the index of {name}"):
        for line in read_releases(store, name):
            groups.setdefault((line.language, line.folder), []).append(line)
    for (language, folder), lines in groups.items():
        latest, old = _latest(lines), known.get((name, language, folder))
        yield CatalogEntry(
            name=name,
            language=language,
            folder=folder,
            title=old.title if old and old.latest == latest.id else _title(store, latest, manifest),
            annotator=latest.annotator,
            latest=latest.id,
            releases=len(lines),
        )


def _latest(lines: list[Release]) -> Release:
    """The release that is taken by default; where all were yanked, the last of them."""
    offered = [line for line in lines if line.state != "yanked"]
    return max(offered or lines, key=lambda line: ReleaseId.parse(line.id).order)


def _title(store: Store, release: Release, manifest: Manifest) -> str:
    """A release's title, out of its own manifest; its name where that cannot be had."""
    if release.file == str(manifest.artifact):
        return manifest.title
    try:
        return open_release(store, release).manifest.title
    except WellreadError:
        return release.name


def _all_names(store: Store) -> Iterator[ModelName]:
    for key in store.list("index/"):
        try:
            yield parse_name(key.rpartition("/")[2].removesuffix(".jsonl"))
        except BadInput:
            continue  # not a file of ours


def _key(entry: CatalogEntry) -> _Key:
    return entry.name, entry.language, entry.folder


# ---------------------------------------------------------------- never a reason to fail


def _update(store: Store, key: str, change: Callable[[bytes], bytes]) -> None:
    with _forgiving(store, key):
        if swap(store, key, change, _TRIES):
            return
        _warn(f"{store.url}/{key} is out of date: other writers were faster. Publish the release again to mend it")


@contextmanager
def _forgiving(store: Store, what: str) -> Iterator[None]:
    try:
        yield
    except WellreadError as error:
        _warn(f"{store.url}: {what} is out of date: {error}. Mend that and publish the release again")


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=5)
