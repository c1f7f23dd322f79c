"""Publishing: an artifact and its proof become a release of a hub.

    check everything ─▶ artifact ─▶ proof ─▶ index line ─▶ views
                        └ create only ┘      └ decides

Whatever crashes in between, a reader sees no release before its line, and running it again finishes the work. The same
bytes again are "already there", and what was damaged of them is mended; other bytes are a conflict. An artifact in the
hub that no line names is the leaving of a publisher that died, or the work of a rival that lives: its bytes are barred
in the index first, then replaced. So of two publishers of one version exactly one wins, and what lies in the hub is the
winner's (see ``index``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from wellread.errors import BadInput, IntegrityError, PublishError, VersionConflict, WellreadError
from wellread.registry.artifact.manifest import MANIFEST
from wellread.registry.artifact.package import Package, Packed, identify, verify
from wellread.registry.artifact.proof import Envelope, parse_proof, proof_name, read_proof, signed_proof
from wellread.registry.hub.entries import SIGNED, Listed
from wellread.registry.hub.gate import proof_problems, refuse_unfit
from wellread.registry.hub.index import add_line, add_release, bar, index_key, missing_keys, read_lines, standing
from wellread.registry.names import DEFAULT_FOLDER, parse_digest, parse_folder
from wellread.registry.records import Manifest, Release, decode
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, read
from wellread.registry.transfer.fetch import open_release
from wellread.registry.trust.keys import Key, own_keys
from wellread.registry.trust.signing import signers
from wellread.registry.views.update import update_views

_TRIES = 5

Outcome = Literal["already there", "signed", "mended", "new"]
"""What became of a release, in rising order: nothing, a signature added, its artifact or proof written again because
that was damaged or lost, listed for the first time."""


@dataclass(frozen=True)
class Published:
    """What became of an artifact, or would become of it in a dry run.

    ``release`` is what ``hub`` lists, its serial still to be given in a dry run. ``wrote`` are the hub's keys that had
    to be written, views left out. ``outcome`` sums that up. ``signed`` are the ids of the keys that vouch for it here.
    ``views`` are up to date, or left to ``wellread hub refresh``.
    """

    release: Release
    outcome: Outcome
    hub: str
    wrote: tuple[str, ...]
    signed: tuple[str, ...]
    views: bool
    dry_run: bool

    @property
    def already_there(self) -> bool:
        """Whether nothing had to be written."""
        return self.outcome == "already there"


class Found(NamedTuple):
    """What lies at a key: the ``outcome`` of putting its ``better`` there instead, "already there" where it is fine;
    the digest that it is ``about`` is empty where it is rubbish."""

    etag: str
    outcome: Outcome
    about: str
    better: Path | bytes


class Part(NamedTuple):
    """A file of a release in a hub: ``look`` says what lies at its key now, ``source`` is what we have for it."""

    key: str
    source: Path | bytes
    look: Callable[[Store, str], Found | None]


def publish(
    artifact: Path,
    proof: Path,
    hub: str | Path,
    *,
    folder: str = DEFAULT_FOLDER,
    dry_run: bool = False,
    views: bool = True,
    line: Listed | None = None,
) -> Published:
    """Put an artifact and its proof into a hub, signed with the user's keys; or as it is, under another hub's ``line``.

    A dry run checks and compares everything and writes nothing. Without ``views`` these are left to a later refresh.
    Raises BadInput, IntegrityError for files that are not sound or not what the line says, PublishError naming every
    reason for a refusal, VersionConflict if the version is there with other bytes; the hub's index is then as it was.
    """
    store, keys = open_hub(hub), () if line else own_keys()
    package = verify(artifact)
    packed = identify(package, artifact)
    refuse_unfit(package, packed, read_proof(proof), artifact)
    release = release_line(package.manifest, packed, parse_folder(folder))
    if line:
        release = _as_listed(line.release, release)
    listed = _listed(store, release, package)
    signed = tuple(key.id for key in keys)
    envelope = signed_proof(proof.read_bytes(), keys)
    parts = (
        Part(release.path, artifact, partial(_artifact_at, packed)),
        Part(proof_name(release.path), envelope, partial(_proof_at, package, packed, envelope, keys)),
    )
    done = {part.key: _place(store, release, part, dry_run) for part in parts}
    done[index_key(release.name)] = _line_outcome(listed, release, keys)
    if dry_run:
        release = listed.release if listed else release
    else:
        release = add_line(store, line.line) if line else add_release(store, release, keys)
        if views:
            update_views(store, [release.name], package.manifest, vouching(line) if line else signed)
    outcome = max(done.values(), key=get_args(Outcome).index)
    wrote = tuple(key for key, what in done.items() if what != "already there")
    return Published(release, outcome, store.url, wrote, signed, views=views, dry_run=dry_run)


def vouching(line: Listed) -> tuple[str, ...]:
    """The ids of the keys whose signatures of a line are good."""
    return signers(SIGNED, line.said, line.signatures)


def release_line(manifest: Manifest, packed: Packed, folder: str) -> Release:
    """The index line of an artifact, its serial still to be given."""
    return Release(
        id=str(manifest.artifact.release),
        name=manifest.name,
        language=manifest.language,
        folder=folder,
        library_version=manifest.library_version,
        spark_version=manifest.spark_version,
        time=manifest.time,
        annotator=manifest.annotator,
        engine=manifest.engine,
        file=str(manifest.artifact),
        size=packed.size,
        sha256=packed.sha256,
        md5=packed.md5,
        manifest=packed.manifest,
        manifest_size=packed.manifest_size,
        forms=tuple(manifest.forms),
        serial=1,
    )


def _as_listed(said: Release, found: Release) -> Release:
    """A release as the line of another hub has it. Raises IntegrityError where that says something else of it."""
    fields = sorted({*said.__struct_fields__} - {"serial", "state", "why"})
    if wrong := [field for field in fields if getattr(said, field) != getattr(found, field)]:
        raise IntegrityError(f"{said.file}: its index line and its manifest differ in {', '.join(wrong)}")
    return said


# ---------------------------------------------------------------- what the hub has of it


def _listed(store: Store, release: Release, package: Package) -> Listed | None:
    """The line of this very artifact, or None. Raises VersionConflict naming what differs."""
    known = read_lines(store, release.name)
    try:
        return standing(known, release, store.url)
    except VersionConflict as conflict:
        rival = next(
            (entry.listed for entry in known if entry.listed and entry.listed.release.path == release.path), None
        )
        if rival is None:
            raise
        raise VersionConflict(f"{conflict}\n{_difference(store, rival.release, package)}") from conflict


def _difference(store: Store, line: Release, package: Package) -> str:
    """A sentence that names what the published artifact and ours differ in."""
    try:
        theirs = open_release(store, line).manifest
    except WellreadError as error:
        return f"The published one cannot be read: {error}"
    ours = package.manifest
    old, new = ({member.name: member for member in manifest.files} for manifest in (theirs, ours))
    differing = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    fields = [field for field in ours.__struct_fields__ if getattr(ours, field) != getattr(theirs, field)]
    clauses = differing or [f"{MANIFEST} ({', '.join(fields)})"]
    return f"They differ in {', '.join(clauses)}"


def _artifact_at(packed: Packed, store: Store, key: str) -> Found | None:
    body = store.get_range(key)
    if body is None:
        return None
    digest = _sha256(body.chunks)
    return Found(body.stat.etag, "already there" if digest == packed.sha256 else "mended", digest, packed.path)


def _proof_at(
    package: Package, packed: Packed, ours: bytes, keys: Sequence[Key], store: Store, key: str
) -> Found | None:
    """A proof of this artifact is fine, be it another than ours: one is enough. What we say too, we sign too."""
    there = read(store, key)
    if there is None:
        return None
    raw, etag = there
    try:
        proof = parse_proof(raw, key)
        about = parse_digest(proof.sha256)
    except (IntegrityError, BadInput):
        return Found(etag, "mended", "", ours)
    if proof_problems(package, packed, proof):
        return Found(etag, "mended", about, ours)
    better = signed_proof(raw, keys) if _payload(raw, key) == _payload(ours, key) else raw
    return Found(etag, "already there" if better == raw else "signed", about, better)


def _payload(envelope: bytes, where: str) -> str:
    return decode(envelope, Envelope, where).payload


def _sha256(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


# ---------------------------------------------------------------- what is written


def _line_outcome(listed: Listed | None, release: Release, keys: Sequence[Key]) -> Outcome:
    """What listing a release does to its line."""
    if listed is None:
        return "new"
    return "signed" if missing_keys(listed, release, keys) else "already there"


def _place(store: Store, release: Release, part: Part, dry_run: bool) -> Outcome:
    """Bring a part of a release to its key, over an orphan if need be; what that does, or would.

    What is about other bytes is replaced only after these were barred from being listed, so that what is listed is
    never replaced. Raises VersionConflict if by now the index lists other bytes, or ours were barred.
    """
    for _ in range(_TRIES):
        found = part.look(store, part.key)
        outcome = found.outcome if found else "mended"
        if dry_run or outcome == "already there":
            return outcome
        if found and found.about not in ("", release.sha256):
            bar(store, release, found.about)
        if store.put_if(part.key, found.better if found else part.source, found.etag if found else None):
            return outcome
    raise PublishError(
        f"{store.url}/{part.key} keeps changing: another publisher is at work on this version; try again"
    )
