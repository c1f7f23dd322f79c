"""The views of a hub: what is said again, shorter or for others, of what the index decides.

    hub.json                             written once, with the keys that sign what is published then
    aliases/<2 hex>/<reference>.json     the first model to take a reference keeps it
    catalog.jsonl                        an entry for each name, language and folder, about its latest release
    <folder>/metadata.json               a row for each release, for Spark NLP; rows of others stay as they are

A view says nothing that the index does not, so it is never a reason to fail: what cannot be read is rebuilt, what
cannot be written is a warning. What is said of a name is worked out from the index as it is while the view is swapped:
of two publishers the later swap sees both lines. The lines of other names are not decoded, only sorted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from wellread.errors import IntegrityError, WellreadError
from wellread.registry.hub.index import CATALOG, HUB, alias_key, joined, parse_alias, read_releases, swap
from wellread.registry.hub.info import introduce
from wellread.registry.names import ModelName
from wellread.registry.records import Alias, CatalogEntry, Manifest, Release, decode, encode
from wellread.registry.stores import Store
from wellread.registry.views import catalog, lines, rebuild, spark_nlp
from wellread.registry.views.rebuild import refresh

__all__ = ["refresh", "update_views"]

_TRIES = 5
_MEND = "Mend it with: wellread hub refresh --hub"


def update_views(
    store: Store, names: Iterable[ModelName], manifest: Manifest | None = None, keys: Iterable[str] = ()
) -> None:
    """Bring the catalogue and Spark NLP's lists up to date with what the index says of some names.

    With the ``manifest`` of a release that was just listed, and the ids of the ``keys`` that signed it, ``hub.json``
    and its aliases too. Warns where that cannot be done, and never raises.
    """
    touched = sorted(set(names))
    if manifest:
        _introduce(store, manifest, keys)
    _update_catalogue(store, touched, manifest)
    for folder in sorted({release.folder for name in touched for release in _releases(store, name) or ()}):
        _update(store, spark_nlp.metadata_key(folder), partial(_with_rows, store, names=touched, folder=folder))


def _releases(store: Store, name: ModelName) -> Sequence[Release] | None:
    """The releases of a name; None, and a warning, where its index cannot be read."""
    with _forgiving(store, f"what is said of {name}"):
        return read_releases(store, name)
    return None


# ---------------------------------------------------------------- hub.json and aliases


def _introduce(store: Store, manifest: Manifest, keys: Iterable[str]) -> None:
    with _forgiving(store, HUB):
        introduce(store, keys)
    for reference in manifest.aliases:
        alias = Alias(reference=reference, name=manifest.name, language=manifest.language)
        _update(store, alias_key(reference), partial(_with_alias, alias=alias, where=f"{store.url}/{reference}"))


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


def _update_catalogue(store: Store, names: Iterable[ModelName], manifest: Manifest | None) -> None:
    """Swap the entries of some names; rebuild all views where the catalogue cannot be read."""
    with _forgiving(store, CATALOG):
        try:
            _swap(store, CATALOG, partial(_with_entries, store, names=names, manifest=manifest))
        except IntegrityError as error:
            _warn(f"{error}; it is rebuilt from the index")
            refresh(store, manifest)


def _with_entries(store: Store, raw: bytes, names: Iterable[ModelName], manifest: Manifest | None) -> bytes:
    """The catalogue with what the index now says of some names."""
    where = f"{store.url}/{CATALOG}"
    ours, later = catalog.sort_lines(raw, where)
    for name in names:
        place = catalog.place(ours, name)
        old = [decode(line, CatalogEntry, where) for line in ours[place]]
        releases = _releases(store, name)
        if releases is not None:
            fresh = rebuild.entries(store, releases, partial(_title, old, manifest))
            ours[place] = sorted(map(encode, fresh))
    return joined([*ours, *later])


def _title(old: Iterable[CatalogEntry], manifest: Manifest | None, release: Release) -> str | None:
    about = catalog.key(release), release.id
    known = next((entry.title for entry in old if (catalog.key(entry), entry.latest) == about), None)
    return known or rebuild.title_in(manifest, release)


# ---------------------------------------------------------------- Spark NLP's lists


def _with_rows(store: Store, raw: bytes, names: Iterable[ModelName], folder: str) -> bytes:
    """The list of a folder with our rows of some names: each in its old place, new ones after all others."""
    releases = [release for name in names for release in _releases(store, name) or () if release.folder == folder]
    ours = {file: row for _, file, row in rebuild.rows(releases)}
    about = {release.name.encode() for release in releases}
    seen: set[str] = set()
    kept: list[bytes | None] = []
    met = any(name in raw for name in about)  # cheaper to see than 100,000 rows are to split
    there = lines.split((raw,), f"{store.url}/{folder}") if met else filter(None, (raw.rstrip(b"\n"),))
    for line in there:
        file = spark_nlp.file_of(line) if spark_nlp.named(line) in about else None
        if file is None or file not in ours:
            kept.append(line)
        elif file not in seen:
            seen.add(file)
            kept.append(ours[file])
    new = [row for file, row in ours.items() if file not in seen]
    return joined(line for line in (*kept, *new) if line is not None)


# ---------------------------------------------------------------- never a reason to fail


def _update(store: Store, key: str, change: Callable[[bytes], bytes]) -> None:
    with _forgiving(store, key):
        _swap(store, key, change)


def _swap(store: Store, key: str, change: Callable[[bytes], bytes]) -> None:
    if not swap(store, key, change, _TRIES):
        _warn(f"{store.url}/{key} is out of date: other writers were faster. {_MEND} {store.url}")


@contextmanager
def _forgiving(store: Store, what: str) -> Iterator[None]:
    try:
        yield
    except (WellreadError, OSError) as error:
        _warn(f"{store.url}: {what} is out of date: {error}. {_MEND} {store.url}")


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=5)
