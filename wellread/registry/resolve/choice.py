"""Of the releases of a name, the one that a call means.

The last by (Spark version, library version, moment) is taken, compared as tuples, of those that are compatible and not
yanked. A yanked release is had by its full id only. A client that is bound to versions of its own, as Spark NLP is,
says which, and which engines it likes best.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

from wellread.errors import BadInput, NotFound, near_misses
from wellread.registry.names import DEFAULT_FOLDER, ReleaseId, Version, parse_folder
from wellread.registry.records import Release


def choose(
    releases: Iterable[Release],
    *,
    lang: str,
    version: str | None = None,
    folder: str = DEFAULT_FOLDER,
    library: Version | None = None,
    spark: Version | None = None,
    annotator: str | None = None,
    engines: Sequence[str] = (),
) -> Release:
    """The last release that fits.

    ``version`` is a release id, a library version, or a range such as ``>=2.6,<3``. A client gives its ``library`` and
    ``spark``, the ``annotator`` that it has and the ``engines`` that it runs, the one it likes best first; None and ()
    admit all. Raises BadInput, NotFound; warns of a release that was yanked or deprecated.
    """
    parse_folder(folder)
    known = list(releases)
    matching = [r for r in known if r.language == lang and r.folder == folder and annotator in (None, r.annotator)]
    fitting = [r for r in matching if _admitted(library, r.library_version) and _admitted(spark, r.spark_version)]
    wanted = _preferred([r for r in fitting if _wanted(r, version)], engines)
    if not wanted:
        raise NotFound(_no_fit(known, lang=lang, folder=folder, version=version))
    best = max(wanted, key=lambda r: ReleaseId.parse(r.id).order)
    if best.state != "ready":
        warnings.warn(f"{best.file} was {best.state}: {best.why or 'no reason is given'}", stacklevel=5)
    return best


def _preferred(releases: Sequence[Release], engines: Sequence[str]) -> Sequence[Release]:
    """Those of the first engine that has any; all of them where no engine is asked for."""
    if not engines:
        return releases
    by_engine = ([r for r in releases if r.engine == engine] for engine in engines)
    return next(filter(None, by_engine), [])


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
    from packaging.specifiers import SpecifierSet  # a range is asked for rarely: keep it off the path

    text = version.strip()
    try:
        return SpecifierSet(text if text[:1] in tuple("<>=!~") else f"=={text}").contains(found)
    except ValueError as error:  # packaging's own, and Python's for a number of thousands of digits
        raise BadInput(
            f"{version[:60]!r} is neither a release id ('2.6.0_2.4_1598344705269'), a library version ('2.6.0') "
            "nor a range ('>=2.6,<3')"
        ) from error


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
        return f'{told}. It is still had by its id: --version ID, or version="ID"'
    if version:
        near = near_misses(version, ids)
        return f"no release {version!r}. Available: {', '.join(ids)}{'.' if near else ''}{near}"
    return f"none of the releases fits: {', '.join(ids)}"
