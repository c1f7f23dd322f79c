"""From a name to one release: which hub, which version.

Hubs are asked in order, the first that has a fitting release wins. Among its releases the last by (Spark version,
library version, moment) is taken, compared as tuples, of those that are compatible, ready and not yanked. A yanked
release is had by its full id only. A full id never means anything else, so a hub is not asked again for one that was
fetched from it.
"""

from __future__ import annotations

import heapq
import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from wellread.errors import BadInput, IntegrityError, NotFound, near_misses
from wellread.registry import cache
from wellread.registry.index import read_catalog, read_releases
from wellread.registry.names import DEFAULT_FOLDER, ArtifactName, Lang, ModelName, ReleaseId, Version, parse_folder
from wellread.registry.records import CatalogEntry, Release
from wellread.registry.stores import Store, is_local, open_store

OWN = "own"
"""Stands for the user's own hub in a list of hubs."""


def hubs(hub: str | Path | None = None) -> tuple[str | Path, ...]:
    """The hubs to ask, in order: those given (commas separate), else ``WELLREAD_HUB``, else the user's own folder.

    Raises BadInput where none is named.
    """
    if isinstance(hub, Path):
        return (hub,)
    given = hub or os.environ.get("WELLREAD_HUB") or OWN
    listed = [part.strip() for part in given.split(",")]
    if not any(listed):
        raise BadInput(f"{given!r} names no hub: give a folder, a URL, or several with commas between")
    return tuple(_own() if part == OWN else part for part in listed if part)


def _own() -> Path:
    return cache.home() / "hub"


def find(
    name: ModelName,
    lang: Lang,
    *,
    hub: str | Path | None = None,
    version: str | None = None,
    folder: str = DEFAULT_FOLDER,
    offline: bool = False,
    refresh: bool = False,
    suggest: bool = True,
) -> tuple[Store | None, Release]:
    """The release that a call means and the store that has it; None for a store means that only the cache has it.

    A release that a hub gave before and that ``version`` names by its id is taken without asking, unless ``refresh``.
    Offline, hubs behind a network are passed over and the cache is asked last. Raises NotFound with what was tried, and
    with near misses unless ``suggest`` is False.
    """
    asked = [open_store(url) for url in hubs(hub) if is_local(url) or not offline]
    misses = []
    for store in asked:
        known = None if refresh else _remembered(store, name, lang, version, folder)
        releases = (known,) if known else read_releases(store, name)
        try:
            return store, choose(releases, lang=lang, version=version, folder=folder)
        except NotFound as miss:
            misses += [f"{name} ({lang}) in {store.url}: {miss}"] if releases else []
    if offline:
        try:
            kept = [release for release in cache.releases() if release.name == name]
            return None, choose(kept, lang=lang, version=version, folder=folder)
        except NotFound:
            pass
    raise NotFound("\n".join(misses) if misses else _nowhere(name, lang, asked, offline, suggest))


def _remembered(store: Store, name: ModelName, lang: Lang, version: str | None, folder: str) -> Release | None:
    """What the hub said when the release of that id was fetched from it, or None."""
    try:
        artifact = ArtifactName(name, lang, ReleaseId.parse(version or ""))
    except BadInput:
        return None  # a version or a range
    known = cache.remembered(store.url, artifact.stem)
    return known if known and known.folder == folder else None


def choose(
    releases: Iterable[Release],
    *,
    lang: str,
    version: str | None = None,
    folder: str = DEFAULT_FOLDER,
    library: Version | None = None,
    spark: Version | None = None,
    annotator: str | None = None,
) -> Release:
    """The last release that fits.

    ``version`` is a release id, a library version, or a range such as ``>=2.6,<3``. A client that is bound to versions
    of its own, as Spark NLP is, gives its ``library`` and ``spark`` and the ``annotator`` it has; None admits all.
    Raises BadInput, NotFound; warns of a release that was yanked or deprecated.
    """
    parse_folder(folder)
    known = list(releases)
    matching = [r for r in known if r.language == lang and r.folder == folder and annotator in (None, r.annotator)]
    fitting = [r for r in matching if _admitted(library, r.library_version) and _admitted(spark, r.spark_version)]
    wanted = [r for r in fitting if _wanted(r, version)]
    if not wanted:
        raise NotFound(_no_fit(known, lang=lang, folder=folder, version=version))
    best = max(wanted, key=lambda r: ReleaseId.parse(r.id).order)
    if best.state != "ready":
        warnings.warn(f"{best.file} was {best.state}: {best.why or 'no reason is given'}", stacklevel=5)
    return best


def _admitted(client: Version | None, found: str) -> bool:
    return client is None or not found or client.admits(Version.parse(found))


def _wanted(release: Release, version: str | None) -> bool:
    """Whether a release is one that ``version`` means; one that was yanked only by its id."""
    if version == release.id:
        return True
    if release.state == "yanked" or (version and "_" in version):
        return False
    return _in_version(release, version)


def _in_version(release: Release, version: str | None) -> bool:
    """Whether a release is of the library version or range that is asked for; of none asked for all are."""
    return version is None or (bool(release.library_version) and _in_range(release.library_version, version))


def _in_range(found: str, version: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # a range is asked for rarely: keep it off the path

    text = version.strip()
    try:
        return SpecifierSet(text if text[:1] in tuple("<>=!~") else f"=={text}").contains(found)
    except InvalidSpecifier as error:
        raise BadInput(
            f"{version!r} is neither a release id ('2.6.0_2.4_1598344705269'), a library version ('2.6.0') "
            "nor a range ('>=2.6,<3')"
        ) from error


# ---------------------------------------------------------------- what is said when there is none


def _no_fit(known: Sequence[Release], *, lang: str, folder: str, version: str | None) -> str:
    """Why none of a name's releases fits, and what there is instead."""
    languages = sorted({r.language for r in known})
    folders = sorted({r.folder for r in known if r.language == lang})
    ids = [r.id for r in known if (r.language, r.folder) == (lang, folder)]
    if lang not in languages:
        return f"not in language {lang!r}. Available: {', '.join(languages) or 'none'}"
    if folder not in folders:
        return f"not in folder {folder!r}. Available: {', '.join(folders)}"
    yanked = [r for r in known if r.state == "yanked" and r.id in ids and _in_version(r, version)]
    if yanked:
        told = "; ".join(f"{r.id} was yanked: {r.why or 'no reason is given'}" for r in yanked)
        return f"{told}. Give the id as version= to have it all the same"
    if version:
        return f"no release {version!r}. Available: {', '.join(ids)}" + near_misses(version, ids)
    return f"none of the releases fits: {', '.join(ids)}"


def _nowhere(name: ModelName, lang: Lang, asked: Sequence[Store], offline: bool, suggest: bool) -> str:
    """The first sentences of the error for a name that no hub knows."""
    catalogs = [(store, _catalog(store)) for store in asked]
    tried = ", ".join(f"{store.url} ({_counted(store, entries)})" for store, entries in catalogs)
    message = f"{name} ({lang}): not in {tried or 'any hub: all need a network'}"
    if offline:
        kept = sorted({f"{release.name} ({release.language})" for release in cache.releases()})
        message += f", nor in the cache, and offline. The cache holds: {', '.join(kept) or 'nothing'}"
    entries = [entry for _, found in catalogs for entry in found]
    others = sorted({entry.language for entry in entries if entry.name == name} - {lang})
    if others:
        return f"{message}. It is there in: {', '.join(others)}."
    return f"{message}." + (near_misses(name, _alike(name, {entry.name for entry in entries})) if suggest else "")


def _catalog(store: Store) -> Sequence[CatalogEntry]:
    """A hub's catalogue; nothing, and a warning, where it cannot be read: it is there for suggestions."""
    try:
        return read_catalog(store)
    except IntegrityError as error:
        warnings.warn(f"{error}. Publishing anything into the hub mends it", stacklevel=5)
        return ()


def _counted(store: Store, entries: Sequence[CatalogEntry]) -> str:
    if not entries and is_local(store.url) and store.url != str(_own()) and not Path(store.url).exists():
        return "no such folder"
    count = sum(entry.releases for entry in entries)
    return f"{count} {'release' if count == 1 else 'releases'}"


def _alike(name: str, known: Iterable[str]) -> list[str]:
    """The hundred names that share most pairs of letters with one: near misses are dear to find among 100,000."""
    pairs = {name[at : at + 2] for at in range(len(name) - 1)} | {name}
    return heapq.nsmallest(100, known, key=lambda other: (-sum(pair in other for pair in pairs), other))
