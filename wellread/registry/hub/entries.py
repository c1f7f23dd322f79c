"""The lines of an index file: what they say, and the bytes in which they say it.

    {"release":{"format":1,"id":"2.6.0_2.4_1598344705269",…,"state":"ready","why":""},"signatures":[]}

A signature covers the bytes of the value of ``release`` exactly as they stand in the line, framed as DSSE does (its
pre-authentication encoding, type ``SIGNED``): nothing is cut out or encoded again before it is checked, and ``jq
.release`` reads it. So whoever changes a file leaves the bytes of all other lines alone, and of its own line the fields
that only a later wellread knows.

Two kinds of line are no release of ours. One of a later format, or in a state of a later wellread, is passed over with
a warning. One in the state ``BARRED`` is for publishers alone (see ``index.bar``): it names bytes that were never
listed as this version and never will be.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, get_args

import msgspec

from wellread.errors import BadInput, IntegrityError
from wellread.registry.artifact.manifest import MAX_BYTES, is_form_name
from wellread.registry.names import (
    ArtifactName,
    ModelName,
    ReleaseId,
    parse_digest,
    parse_folder,
    parse_lang,
    parse_name,
)
from wellread.registry.records import FORMAT, Record, Release, Signature, State, decode, encode
from wellread.registry.trust.keys import Key
from wellread.registry.trust.signing import sign

SIGNED = "application/vnd.wellread.release+json"
BARRED = "barred"


class Line(Record, frozen=True, kw_only=True):
    """A line of an index file. ``release`` is the JSON of a ``Release``, its bytes kept as they are."""

    release: msgspec.Raw
    signatures: tuple[Signature, ...] = ()


class Outline(Record, frozen=True, kw_only=True):
    """As much of a line as every version reads."""

    format: int = FORMAT
    state: str = "ready"
    serial: int = 0
    folder: str = ""
    file: str = ""
    sha256: str = ""


class Listed(NamedTuple):
    """A release as a line lists it: ``said`` are the exact bytes that its ``signatures`` cover."""

    release: Release
    said: bytes
    signatures: tuple[Signature, ...]

    @property
    def line(self) -> bytes:
        """The line, for another hub: without what it may say beside the release and its signatures."""
        return encode(Line(release=msgspec.Raw(self.said), signatures=self.signatures))


class Entry(NamedTuple):
    """A line of an index file as it stands there; ``listed`` is None where it lists no release that we know."""

    line: bytes
    outline: Outline
    listed: Listed | None

    @property
    def version(self) -> tuple[str, str]:
        return self.outline.folder, self.outline.file

    @property
    def barred(self) -> bool:
        return self.listed is None and (self.outline.format, self.outline.state) == (FORMAT, BARRED)

    @property
    def later(self) -> bool:
        """Whether only a later wellread understands it."""
        return self.listed is None and not self.barred


# ---------------------------------------------------------------- reading


def parse_index(raw: bytes, name: ModelName, where: str) -> tuple[Listed, ...]:
    """The releases that an index file lists, in its order; ``where`` names it in errors.

    Lines of a later format are passed over with one warning. Raises IntegrityError.
    """
    found = parse_entries(raw, name, where)
    if later := sum(entry.later for entry in found):
        warnings.warn(f"{where}: {later} of its lines need a later wellread: upgrade it to see them", stacklevel=3)
    return tuple(entry.listed for entry in found if entry.listed)


def parse_entries(raw: bytes, name: ModelName, where: str) -> tuple[Entry, ...]:
    """Every line of an index file. Raises IntegrityError for one that contradicts itself or is another name's."""
    return tuple(_parse_entry(line, name, where) for line in lines_of(raw))


def _parse_entry(raw: bytes, name: ModelName, where: str) -> Entry:
    line = decode(raw, Line, where)
    said = bytes(line.release)
    outline = decode(said, Outline, where)
    if outline.format > FORMAT or outline.state not in get_args(State):
        return Entry(raw, outline, None)
    return Entry(raw, outline, Listed(check(decode(said, Release, where), name, where), said, line.signatures))


def parse_line(raw: bytes, where: str) -> Listed:
    """The one release that a line lists, whatever its name. Raises IntegrityError, for a line of a later format too."""
    line = decode(raw, Line, where)
    said = bytes(line.release)
    release = decode(said, Release, where)
    return Listed(check(release, release.name, where), said, line.signatures)


def lines_of(raw: bytes) -> Iterator[bytes]:
    """The lines of a file, blank ones left out."""
    return (line for line in raw.splitlines() if line.strip())


def check(release: Release, name: ModelName, where: str) -> Release:
    """The release itself. Raises IntegrityError for one that contradicts itself or is about another name."""
    try:
        identity = ReleaseId.parse(release.id)
        stated = f"{release.library_version}_{release.spark_version}_{release.time}"
        file = str(ArtifactName(parse_name(name), parse_lang(release.language), identity))
        parse_folder(release.folder)
        for digest in (release.sha256, release.manifest):
            parse_digest(digest)
    except BadInput as error:
        raise IntegrityError(f"{where}: {error}") from error
    if (release.name, release.id, release.file) != (name, stated, file):
        raise IntegrityError(f"{where} has a line about {release.file!r}, {release.id!r}: this is not {name}'s")
    if wrong := [form for form in release.forms if not is_form_name(form)]:
        raise IntegrityError(f"{where}: {release.file} cannot have a form {wrong[0]!r}")
    if not 0 < release.manifest_size <= min(release.size, MAX_BYTES) or release.serial < 1:
        raise IntegrityError(f"{where}: the sizes of {release.file} cannot be right")
    return release


# ---------------------------------------------------------------- writing


def encode_line(release: Release, keys: Iterable[Key] = ()) -> bytes:
    """A release as a line signed by each key, without a newline."""
    said = encode(release)
    return encode(Line(release=msgspec.Raw(said), signatures=sign(SIGNED, said, keys)))


def encode_barred(release: Release, serial: int) -> bytes:
    """A line that bars the bytes of a release from ever being listed as its version."""
    fields = {"format": FORMAT, "folder": release.folder, "file": release.file, "sha256": release.sha256}
    return msgspec.json.encode({"release": {**fields, "state": BARRED, "serial": serial}, "signatures": ()})


def countersigned(listed: Listed, line: bytes, keys: Iterable[Key]) -> bytes:
    """A line with the signatures of these keys added to those that stand in it; what they cover stays as it is."""
    added = sign(SIGNED, listed.said, keys)
    return _changed(line, {"signatures": (*listed.signatures, *added)}) if added else line


def revised(listed: Listed, line: bytes, keys: Iterable[Key], fields: Mapping[str, object]) -> bytes:
    """A line with other values of some fields of its release, signed anew; what we do not know in it stays."""
    said = _changed(listed.said, fields)
    return _changed(line, {"release": msgspec.Raw(said), "signatures": sign(SIGNED, said, keys)})


def _changed(raw: bytes, fields: Mapping[str, object]) -> bytes:
    """A JSON object with other values of some fields, the bytes of the others kept."""
    return msgspec.json.encode(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]) | dict(fields))


def next_serial(entries: Sequence[Entry]) -> int:
    """The revision that the file has after the next change."""
    return 1 + max((entry.outline.serial for entry in entries), default=0)
