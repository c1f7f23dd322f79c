"""The index of a hub: which releases there are.

    hub.json                                     what the hub says of itself
    index/<2 hex of sha256(name)>/<name>.jsonl   a ``Release`` a line: this decides what is published
    aliases/<2 hex>/<reference>.json             an ``Alias``: one read
    catalog.jsonl                                a ``CatalogEntry`` a line: to list, search and suggest

Files are changed by compare-and-swap only, so that no writer undoes another. A lost race for the index is run again
until it is won; a view may fail five times and is then left to be rebuilt, for it says nothing that the index does not.
A line is believed only if it speaks of the name whose file it stands in, and of no other path.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Iterator
from hashlib import sha256

import msgspec

from wellread.errors import BadInput, IntegrityError, PublishError, VersionConflict
from wellread.registry.manifest import MAX_BYTES
from wellread.registry.names import ArtifactName, ModelName, ReleaseId, parse_digest, parse_folder, parse_lang
from wellread.registry.records import Alias, CatalogEntry, HubInfo, Manifest, Release, decode, encode, encode_pretty
from wellread.registry.stores import Store, read

HUB = "hub.json"
CATALOG = "catalog.jsonl"
_INDEX_TRIES = 100
_VIEW_TRIES = 5


def index_key(name: ModelName) -> str:
    """Where a name's releases are listed."""
    return f"index/{_shard(name)}/{name}.jsonl"


def alias_key(reference: str) -> str:
    """Where an alias or NLU reference is explained."""
    return f"aliases/{_shard(reference)}/{reference}.json"


def _shard(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:2]


# ---------------------------------------------------------------- reading


def read_releases(store: Store, name: ModelName) -> tuple[Release, ...]:
    """All releases of a name, in the order of the file; none where the hub does not know it. Raises IntegrityError."""
    found = read(store, index_key(name))
    return _releases(found[0], name, f"{store.url}/{index_key(name)}") if found else ()


def read_alias(store: Store, reference: str) -> Alias | None:
    """What a reference stands for, or None. Raises BadInput, IntegrityError."""
    found = read(store, alias_key(reference))
    return decode(found[0], Alias, f"{store.url}/{alias_key(reference)}") if found else None


def read_catalog(store: Store) -> tuple[CatalogEntry, ...]:
    """All models of a hub, sorted by name and language. Raises IntegrityError."""
    found = read(store, CATALOG)
    return _catalog(found[0], f"{store.url}/{CATALOG}") if found else ()


def _releases(raw: bytes, name: ModelName, where: str) -> tuple[Release, ...]:
    return tuple(_check(decode(line, Release, where), name, where) for line in _lines(raw))


def _catalog(raw: bytes, where: str) -> tuple[CatalogEntry, ...]:
    return tuple(decode(line, CatalogEntry, where) for line in _lines(raw))


def _lines(raw: bytes) -> Iterator[bytes]:
    return (line for line in raw.splitlines() if line.strip())


def _check(release: Release, name: ModelName, where: str) -> Release:
    """The line itself. Raises IntegrityError for one that contradicts itself or is about another name."""
    try:
        identity = ReleaseId.parse(release.id)
        stated = f"{release.library_version}_{release.spark_version}_{release.time}"
        file = str(ArtifactName(name, parse_lang(release.language), identity))
        parse_folder(release.folder)
        for digest in (release.sha256, release.manifest):
            parse_digest(digest)
    except BadInput as error:
        raise IntegrityError(f"{where}: {error}") from error
    if (release.name, release.id, release.file) != (name, stated, file):
        raise IntegrityError(f"{where} has a line about {release.file!r}, {release.id!r}: this is not {name}'s")
    if not 0 < release.manifest_size <= min(release.size, MAX_BYTES) or release.serial < 1:
        raise IntegrityError(f"{where}: the sizes of {release.file} cannot be right")
    return release


# ---------------------------------------------------------------- writing


def add_release(store: Store, release: Release) -> Release:
    """List a release; returns it with its serial, or the line that was there with the same bytes.

    Raises VersionConflict if the version is listed with other bytes, PublishError when every race is lost.
    """
    key, where = index_key(release.name), f"{store.url}/{index_key(release.name)}"
    listed = release

    def change(raw: bytes) -> bytes:
        nonlocal listed
        known = _releases(raw, release.name, where)
        if same := same_version(known, release):
            listed = same
            return raw
        listed = msgspec.structs.replace(release, serial=1 + max((line.serial for line in known), default=0))
        return _joined([*(encode(line) for line in known), encode(listed)])

    if not _swap(store, key, change, _INDEX_TRIES):
        raise PublishError(f"{where} changed {_INDEX_TRIES} times while {release.file} was being added; try again")
    return listed


def same_version(known: tuple[Release, ...], release: Release) -> Release | None:
    """The line of the same version in the same folder, or None. Raises VersionConflict if its bytes are others."""
    version = (release.folder, release.file)
    found = next((line for line in known if (line.folder, line.file) == version), None)
    if found and found.sha256 != release.sha256:
        raise VersionConflict(
            f"{release.path} is published with other bytes (sha256 {found.sha256}, not {release.sha256}). "
            "A published version never changes: publish this one with another moment (--time)"
        )
    return found


def update_views(store: Store, manifest: Manifest, latest: str) -> None:
    """Bring the hub's own file, the aliases and the catalogue up to date. Warns where another writer kept winning."""
    store.put_new(HUB, encode_pretty(HubInfo(name=store.url.rstrip("/").rpartition("/")[2] or "hub")))
    for reference in manifest.aliases:
        _update_alias(store, Alias(reference=reference, name=manifest.name, language=manifest.language))
    entry = CatalogEntry(
        name=manifest.name,
        language=manifest.language,
        title=manifest.title,
        annotator=manifest.annotator,
        latest=latest,
    )
    _update_view(store, CATALOG, lambda raw: _with_entry(raw, entry, f"{store.url}/{CATALOG}"))


def _with_entry(raw: bytes, entry: CatalogEntry, where: str) -> bytes:
    entries = {(old.name, old.language): old for old in _catalog(raw, where)}
    entries[entry.name, entry.language] = entry
    return _joined(encode(entries[key]) for key in sorted(entries))


def _update_alias(store: Store, alias: Alias) -> None:
    """The first model to take a reference keeps it."""
    known = read_alias(store, alias.reference)
    if known and (known.name, known.language) != (alias.name, alias.language):
        message = f"{alias.reference} stands for {known.name} ({known.language}) in {store.url}: left as it is"
        warnings.warn(message, stacklevel=4)
    elif not known:
        _update_view(store, alias_key(alias.reference), lambda raw: raw or encode(alias) + b"\n")


def _update_view(store: Store, key: str, change: Callable[[bytes], bytes]) -> None:
    if not _swap(store, key, change, _VIEW_TRIES):
        message = f"{store.url}/{key} is out of date: other writers were faster. Publish the release again to mend it"
        warnings.warn(message, stacklevel=4)


def _swap(store: Store, key: str, change: Callable[[bytes], bytes], tries: int) -> bool:
    """Change a file by compare-and-swap; whether it was done within so many tries, with growing, jittered waits."""
    for attempt in range(tries):
        found = read(store, key)
        old, etag = found or (b"", None)
        new = change(old)
        if (found and new == old) or store.put_if(key, new, etag):
            return True
        time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))  # noqa: S311  jitter, not a secret
    return False


def _joined(lines: Iterator[bytes] | list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
