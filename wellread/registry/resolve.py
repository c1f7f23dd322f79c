"""From a name to one release: which hub, which version.

Hubs are asked in order, the first that has a fitting release wins. Among its releases the last by (Spark version,
library version, moment) is taken, compared as tuples, of those that are compatible, ready and not yanked. A yanked
release is had by its full id only.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from wellread.errors import BadInput, NotFound, near_misses
from wellread.registry import cache
from wellread.registry.index import read_catalog, read_releases
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName, ReleaseId, Version, parse_folder
from wellread.registry.records import CatalogEntry, Release
from wellread.registry.stores import Store, is_local, open_store

OWN = "own"
"""Stands for the user's own hub in a list of hubs."""


def hubs(hub: str | Path | None = None) -> tuple[str | Path, ...]:
    """The hubs to ask, in order: those given (commas separate), else ``WELLREAD_HUB``, else the user's own folder."""
    if isinstance(hub, Path):
        return (hub,)
    listed = [part.strip() for part in (hub or os.environ.get("WELLREAD_HUB") or OWN).split(",")]
    return tuple(cache.home() / "hub" if part == OWN else part for part in listed if part)


def find(
    name: ModelName,
    lang: Lang,
    *,
    hub: str | Path | None = None,
    version: str | None = None,
    folder: str = DEFAULT_FOLDER,
    offline: bool = False,
) -> tuple[Store | None, Release]:
    """The release that a call means and the store that has it; None for a store means that only the cache has it.

    Offline, hubs behind a network are passed over and the cache is asked last. Raises NotFound with what was tried.
    """
    asked = [open_store(url) for url in hubs(hub) if is_local(url) or not offline]
    misses = []
    for store in asked:
        releases = read_releases(store, name)
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
    raise NotFound("\n".join(misses) if misses else _nowhere(name, lang, asked, offline))


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

    ``version`` is a release id, a library version, or a range such as ``>=2.6,<3``. ``library`` and ``spark`` are the
    versions of the client that shall open it; None admits all. Raises BadInput, NotFound; warns of a release that was
    yanked or deprecated.
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
    if version:
        return f"no release {version!r}. Available: {', '.join(ids)}" + near_misses(version, ids)
    return f"none of the releases fits or all were yanked: {', '.join(ids)}; give one as version="


def _nowhere(name: ModelName, lang: Lang, asked: Sequence[Store], offline: bool) -> str:
    """The first sentences of the error for a name that no hub knows."""
    catalogs = [(store.url, read_catalog(store)) for store in asked]
    tried = ", ".join(f"{url} ({_counted(entries)})" for url, entries in catalogs) or "any hub: all need a network"
    message = f"{name} ({lang}): not in {tried}"
    if offline:
        kept = sorted({f"{release.name} ({release.language})" for release in cache.releases()})
        message += f", nor in the cache, and offline. The cache holds: {', '.join(kept) or 'nothing'}"
    entries = [entry for _, found in catalogs for entry in found]
    others = sorted({entry.language for entry in entries if entry.name == name})
    clause = f" It is there in: {', '.join(others)}." if others else near_misses(name, {e.name for e in entries})
    return f"{message}.{clause}"


def _counted(entries: Sequence[CatalogEntry]) -> str:
    return f"{len(entries)} {'model' if len(entries) == 1 else 'models'}" if entries else "0 releases"
