"""The index of a hub: which releases there are.

    hub.json                                     what the hub says of itself
    index/<2 hex of sha256(name)>/<name>.jsonl   a line a release (see ``entries``): this decides what is published
    aliases/<2 hex>/<reference>.json             an ``Alias``: one read

Files are changed by compare-and-swap only, so that no writer undoes another; a lost race is run again. A line is
believed only if it speaks of the name whose file it stands in, and of no other path. ``serial`` is the file's revision:
each line that is written here has a higher one than all before it.

The index also decides which of two publishers wins a version. An artifact that no line names may be replaced, but only
after its bytes were barred here, which fails where they are listed; and bytes that are barred are never listed. So once
a version is listed nobody overwrites it, however late a write of theirs arrives.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

import msgspec

from wellread.errors import BadInput, IntegrityError, PublishError, VersionConflict
from wellread.registry.hub.entries import (
    SIGNED,
    Entry,
    Listed,
    check,
    countersigned,
    encode_barred,
    encode_line,
    next_serial,
    parse_entries,
    parse_index,
    parse_line,
)
from wellread.registry.names import ModelName, parse_lang, parse_name, parse_reference
from wellread.registry.records import Alias, Release, decode, encode
from wellread.registry.stores import Store, read
from wellread.registry.trust.keys import Key

__all__ = ["SIGNED", "Listed", "encode_line", "parse_index"]

HUB = "hub.json"
CATALOG = "catalog.jsonl"
TRIES = 100
"""Races lost in a row after which a change of an index file is given up."""
_OTHERWISE = "publish this one with another moment (--time)"


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
    found = read(store, index_key(name))
    listed = parse_index(found[0] if found else b"", name, f"{store.url}/{index_key(name)}")
    return tuple(line.release for line in listed)


def listed_names(store: Store) -> Iterator[ModelName]:
    """Every name that has an index file, in no order that means anything; of a store that can be listed."""
    for key in store.list("index/"):
        try:
            name = parse_name(key.rpartition("/")[2].removesuffix(".jsonl"))
        except BadInput:
            continue  # not a file of ours
        if key == index_key(name):
            yield name


def read_lines(store: Store, name: ModelName) -> tuple[Entry, ...]:
    """All lines of a name, for who is to change them: those that list no release among them. Raises IntegrityError."""
    found = read(store, index_key(name))
    return parse_entries(found[0] if found else b"", name, f"{store.url}/{index_key(name)}")


def read_alias(store: Store, reference: str) -> Alias | None:
    """What a reference stands for, or None. Raises BadInput, IntegrityError."""
    key = alias_key(parse_reference(reference))
    found = read(store, key)
    return parse_alias(found[0], reference, f"{store.url}/{key}") if found else None


def parse_alias(raw: bytes, reference: str, where: str) -> Alias | None:
    """What the file of a reference says; None where it is empty: the alias was removed. Raises IntegrityError."""
    if not raw.strip():
        return None
    alias = decode(raw, Alias, where)
    try:
        parse_name(alias.name)
        parse_lang(alias.language)
    except BadInput as error:
        raise IntegrityError(f"{where}: {error}") from error
    if alias.reference != reference:
        raise IntegrityError(f"{where} explains {alias.reference!r}, another reference")
    return alias


# ---------------------------------------------------------------- adding


def add_release(store: Store, release: Release, keys: Sequence[Key] = ()) -> Release:
    """List a release, signed by each key; returns it with its serial, or the line that was there with the same bytes.

    A line that was there gets the signatures that it lacks, where it says what we would say. Raises IntegrityError for
    a line that no reader would believe, VersionConflict if the version is listed with other bytes or was taken over by
    another publisher, PublishError when every race is lost.
    """

    def new(serial: int) -> bytes:
        return encode_line(msgspec.structs.replace(release, serial=serial), keys)

    def again(same: Listed, line: bytes) -> bytes:
        return countersigned(same, line, missing_keys(same, release, keys))

    check(release, release.name, release.file)
    return _add(store, release, new, again)


def missing_keys(listed: Listed, release: Release, keys: Sequence[Key]) -> list[Key]:
    """The keys that did not sign a line and may: it says, state and serial aside, what ``release`` says."""
    kept = {field: getattr(listed.release, field) for field in ("serial", "state", "why")}
    if listed.said != encode(msgspec.structs.replace(release, **kept)):
        return []
    signed = {signature.keyid for signature in listed.signatures}
    return [key for key in keys if key.id not in signed]


def add_line(store: Store, line: bytes) -> Release:
    """List what an encoded line says, as it is: its signatures stay, and so its serial. Otherwise as ``add_release``.

    It is how a release comes from another hub.
    """
    if len(line.splitlines()) != 1:
        raise IntegrityError("what is to be added to an index is not one line")
    release = parse_line(line, "the line to be added").release
    return _add(store, release, lambda _: line.strip(), lambda _, there: there)


def bar(store: Store, release: Release, digest: str) -> None:
    """Bar the bytes of an orphan from ever being listed as the version of ``release``, which is about to replace them.

    Nothing is done where ``release`` is listed already. Raises as ``add_release``.
    """

    def change(known: Sequence[Entry]) -> list[bytes]:
        lines = [entry.line for entry in known]
        rival = msgspec.structs.replace(release, sha256=digest)
        if standing(known, release, store.url) or _is_barred(known, rival):
            return lines
        return [*lines, encode_barred(rival, next_serial(known))]

    change_lines(store, release.name, change)


def _add(
    store: Store, release: Release, new: Callable[[int], bytes], again: Callable[[Listed, bytes], bytes]
) -> Release:
    """List a release: ``new(serial)`` is its line, ``again(listed, line)`` what becomes of one that is there."""

    def change(known: Sequence[Entry]) -> list[bytes]:
        same = standing(known, release, store.url)
        lines = [again(same, entry.line) if same and entry.listed is same else entry.line for entry in known]
        return lines if same else [*lines, new(next_serial(known))]

    after = change_lines(store, release.name, change)
    return next(entry.listed.release for entry in after if entry.listed and entry.version == _version(release))


def standing(known: Iterable[Entry], release: Release, hub: str) -> Listed | None:
    """What a hub says of the version of ``release``, or None.

    Raises VersionConflict if it is listed with other bytes, or these were barred; PublishError for a later format.
    """
    about = [entry for entry in known if entry.version == _version(release)]
    if any(entry.later for entry in about):
        raise PublishError(f"{hub} lists {release.file} in a way that needs a later wellread: upgrade it")
    listed = next((entry.listed for entry in about if entry.listed), None)
    if listed and listed.release.sha256 != release.sha256:
        raise VersionConflict(
            f"{release.path} is published with other bytes (sha256 {listed.release.sha256}, not {release.sha256}). "
            f"A published version never changes: {_OTHERWISE}"
        )
    if not listed and _is_barred(about, release):
        raise VersionConflict(
            f"{release.path}: another publisher took this version over, with other bytes than {release.sha256}: "
            f"{_OTHERWISE}"
        )
    return listed


def _is_barred(known: Iterable[Entry], release: Release) -> bool:
    ours = (_version(release), release.sha256)
    return any(entry.barred and (entry.version, entry.outline.sha256) == ours for entry in known)


def _version(release: Release) -> tuple[str, str]:
    return release.folder, release.file


# ---------------------------------------------------------------- compare and swap


def change_lines(store: Store, name: ModelName, change: Callable[[Sequence[Entry]], list[bytes]]) -> tuple[Entry, ...]:
    """Change the lines of a name by compare-and-swap; returns them as they then stand.

    ``change`` is given the lines that are there and may be called again. Raises PublishError when every race is lost.
    """
    key, where = index_key(name), f"{store.url}/{index_key(name)}"
    after: tuple[Entry, ...] = ()

    def changed(raw: bytes) -> bytes:
        nonlocal after
        known = parse_entries(raw, name, where)
        lines = change(known)
        after = parse_entries(joined(lines), name, where)
        return raw if lines == [entry.line for entry in known] else joined(lines)

    if not swap(store, key, changed, TRIES):
        raise PublishError(f"{where} changed {TRIES} times while it was being written; try again")
    return after


def swap(store: Store, key: str, change: Callable[[bytes], bytes], tries: int) -> bool:
    """Change a file by compare-and-swap; whether it was done within so many tries, with growing, jittered waits.

    ``change`` is given the bytes that are there, none for a file that is not, and may be called again. What is as it
    was is not written.
    """
    for attempt in range(tries):
        found = read(store, key)
        old, etag = found or (b"", None)
        new = change(old)
        if new == old or store.put_if(key, new, etag):
            return True
        time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))  # noqa: S311  jitter, not a secret
    return False


def joined(lines: Iterable[bytes]) -> bytes:
    """Lines as a file."""
    return b"".join(line + b"\n" for line in lines)
