"""The index of a hub: which releases there are.

    hub.json                                     what the hub says of itself
    index/<2 hex of sha256(name)>/<name>.jsonl   a ``Line`` a release: this decides what is published
    aliases/<2 hex>/<reference>.json             an ``Alias``: one read
    catalog.jsonl                                a ``CatalogEntry`` a line: to list, search and suggest

    {"release":{"format":1,"id":"2.6.0_2.4_1598344705269",…,"state":"ready","why":""},"signatures":[]}

A signature covers the bytes of the value of ``release`` exactly as they stand in the line, framed as DSSE does (its
pre-authentication encoding, type ``SIGNED``): nothing is cut out or encoded again before it is checked, and ``jq
.release`` reads it. So whoever adds a line leaves the bytes of the others alone, those of a later format included.

Files are changed by compare-and-swap only, so that no writer undoes another; a lost race is run again. A line is
believed only if it speaks of the name whose file it stands in, and of no other path.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple, get_args

import msgspec

from wellread.errors import BadInput, IntegrityError, PublishError, VersionConflict
from wellread.registry.manifest import MAX_BYTES
from wellread.registry.names import (
    ArtifactName,
    ModelName,
    ReleaseId,
    parse_digest,
    parse_folder,
    parse_lang,
    parse_name,
    parse_reference,
)
from wellread.registry.records import (
    FORMAT,
    Alias,
    CatalogEntry,
    Record,
    Release,
    Signature,
    State,
    decode,
    encode,
    is_later,
)
from wellread.registry.stores import Store, read

HUB = "hub.json"
CATALOG = "catalog.jsonl"
SIGNED = "application/vnd.wellread.release+json"
_TRIES = 100


class Line(Record, frozen=True, kw_only=True):
    """A line of an index file. ``release`` is the JSON of a ``Release``, its bytes kept as they are."""

    release: msgspec.Raw
    signatures: tuple[Signature, ...] = ()


class Outline(Record, frozen=True):
    """As much of a line as every version reads."""

    format: int = 1
    state: str = "ready"
    serial: int = 0
    folder: str = ""
    file: str = ""


class _Listing(NamedTuple):
    """What an index file says, and the outlines of the lines that only a later wellread understands."""

    releases: tuple[Release, ...]
    later: tuple[Outline, ...]


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
    """All releases of a name, in the order of the file; none where the hub does not know it.

    Lines of a later format are passed over with a warning. Raises IntegrityError.
    """
    found, where = read(store, index_key(name)), f"{store.url}/{index_key(name)}"
    listing = _listing(found[0] if found else b"", name, where)
    if listing.later:
        message = f"{where}: {len(listing.later)} of its lines need a later wellread: upgrade it to see them"
        warnings.warn(message, stacklevel=3)
    return listing.releases


def read_alias(store: Store, reference: str) -> Alias | None:
    """What a reference stands for, or None. Raises BadInput, IntegrityError."""
    key = alias_key(parse_reference(reference))
    found = read(store, key)
    return parse_alias(found[0], reference, f"{store.url}/{key}") if found else None


def parse_alias(raw: bytes, reference: str, where: str) -> Alias:
    """What the file of a reference says. Raises IntegrityError."""
    alias = decode(raw, Alias, where)
    try:
        parse_name(alias.name)
        parse_lang(alias.language)
    except BadInput as error:
        raise IntegrityError(f"{where}: {error}") from error
    if alias.reference != reference:
        raise IntegrityError(f"{where} explains {alias.reference!r}, another reference")
    return alias


def read_catalog(store: Store) -> tuple[CatalogEntry, ...]:
    """All models of a hub, sorted by name, language and folder; lines of a later format left out.

    Raises IntegrityError.
    """
    found = read(store, CATALOG)
    return parse_catalog(found[0], f"{store.url}/{CATALOG}")[0] if found else ()


def parse_catalog(raw: bytes, where: str) -> tuple[tuple[CatalogEntry, ...], tuple[bytes, ...]]:
    """The entries of a catalogue, and its lines of a later format as they are. Raises IntegrityError."""
    entries, later = [], []
    for line in _lines(raw):
        try:
            entries.append(decode(line, CatalogEntry, where))
        except IntegrityError:
            if not is_later(line):
                raise
            later.append(line)
    return tuple(entries), tuple(later)


def _listing(raw: bytes, name: ModelName, where: str) -> _Listing:
    releases: list[Release] = []
    later: list[Outline] = []
    for line in _lines(raw):
        said = bytes(decode(line, Line, where).release)
        outline = decode(said, Outline, where)
        if outline.format > FORMAT or outline.state not in get_args(State):
            later.append(outline)
        else:
            releases.append(_check(decode(said, Release, where), name, where))
    return _Listing(tuple(releases), tuple(later))


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

    Raises IntegrityError for a line that no reader would believe, VersionConflict if the version is listed with other
    bytes, PublishError when every race is lost.
    """
    key, where = index_key(release.name), f"{store.url}/{index_key(release.name)}"
    listed = _check(release, release.name, release.file)

    def change(raw: bytes) -> bytes:
        nonlocal listed
        listing = _listing(raw, release.name, where)
        if same := same_version(listing.releases, release):
            listed = same
            return raw
        if _version(release) in map(_version, listing.later):
            raise PublishError(f"{where} lists {release.file} in a way that needs a later wellread: upgrade it")
        serials = [*(line.serial for line in listing.releases), *(line.serial for line in listing.later)]
        listed = msgspec.structs.replace(release, serial=1 + max(serials, default=0))
        return joined([*_lines(raw), encode_line(listed)])

    if not swap(store, key, change, _TRIES):
        raise PublishError(f"{where} changed {_TRIES} times while {release.file} was being added; try again")
    return listed


def encode_line(release: Release) -> bytes:
    """A release as an unsigned line, without a newline."""
    return encode(Line(release=msgspec.Raw(encode(release))))


def same_version(known: Iterable[Release], release: Release) -> Release | None:
    """The line of the same version in the same folder, or None. Raises VersionConflict if its bytes are others."""
    found = next((line for line in known if _version(line) == _version(release)), None)
    if found and found.sha256 != release.sha256:
        raise VersionConflict(
            f"{release.path} is published with other bytes (sha256 {found.sha256}, not {release.sha256}). "
            "A published version never changes: publish this one with another moment (--time)"
        )
    return found


def _version(line: Release | Outline) -> tuple[str, str]:
    return line.folder, line.file


def swap(store: Store, key: str, change: Callable[[bytes], bytes], tries: int) -> bool:
    """Change a file by compare-and-swap; whether it was done within so many tries, with growing, jittered waits.

    ``change`` is given the bytes that are there, none for a file that is not, and may be called again.
    """
    for attempt in range(tries):
        found = read(store, key)
        old, etag = found or (b"", None)
        new = change(old)
        if (found and new == old) or store.put_if(key, new, etag):
            return True
        time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))  # noqa: S311  jitter, not a secret
    return False


def joined(lines: Iterable[bytes]) -> bytes:
    """Lines as a file."""
    return b"".join(line + b"\n" for line in lines)
