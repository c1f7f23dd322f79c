"""Publishing: an artifact and its proof become a release of a hub.

    check everything ─▶ artifact ─▶ proof ─▶ index line ─▶ views
                        └ create only ┘      └ decides

Whatever crashes in between, a reader sees no release before its line, and running it again finishes the work. The same
bytes again are "already there"; other bytes are a conflict. An artifact in the hub that no line names is the leaving of
a publisher that died, and is replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wellread.errors import PublishError, VersionConflict, WellreadError, missing_extra
from wellread.registry.artifact import Package, Packed, identify, verify
from wellread.registry.fetch import open_release
from wellread.registry.index import add_release, read_releases, same_version, update_views
from wellread.registry.manifest import ALWAYS, MANIFEST
from wellread.registry.names import DEFAULT_FOLDER, ReleaseId, parse_folder
from wellread.registry.pieces import stretch
from wellread.registry.proof import proof_name, read_proof
from wellread.registry.records import Manifest, Proof, Release
from wellread.registry.stores import Store, open_store

UNPROVED = ("tf",)
"""Forms that are the source itself, so there is nothing to compare them with."""


@dataclass(frozen=True)
class Published:
    """The release as the hub lists it; ``already_there`` if nothing had to be written."""

    release: Release
    already_there: bool


def publish(artifact: Path, proof: Path, hub: str | Path, *, folder: str = DEFAULT_FOLDER) -> Published:
    """Put an artifact and its proof into a hub.

    Raises BadInput, IntegrityError for files that are not sound, PublishError naming every reason for a refusal,
    VersionConflict if the version is there with other bytes; the hub's index is then as it was.
    """
    store = open_store(hub)
    package = verify(artifact)
    packed = identify(package, artifact)
    _refuse_unfit(package, packed, read_proof(proof), artifact)
    release = release_line(package.manifest, packed, parse_folder(folder))
    listed = _listed(store, release, package)
    wrote = _place(store, release, release.path, artifact)
    placed = store.head(release.path)
    if listed:
        wrote |= store.put_new(proof_name(release.path), proof)
    else:
        _place(store, release, proof_name(release.path), proof)
    release = add_release(store, release)
    if store.head(release.path) != placed:  # a rival took ours for an orphan just before the line was there
        _place(store, release, release.path, artifact)
    update_views(store, package.manifest, _latest(store, release))
    return Published(release, already_there=bool(listed) and not wrote)


# ---------------------------------------------------------------- what is refused


def _refuse_unfit(package: Package, packed: Packed, proof: Proof, artifact: Path) -> None:
    problems = [
        *_identity_problems(package, packed, proof, artifact),
        *_parity_problems(package.manifest, proof),
        *_content_problems(package.manifest),
    ]
    if problems:
        raise PublishError("\n  ".join([f"{artifact.name} is refused:", *problems]))


def _identity_problems(package: Package, packed: Packed, proof: Proof, artifact: Path) -> list[str]:
    name = str(package.manifest.artifact)
    checks = {
        f"its name must be {name}, after its manifest": artifact.name == name,
        f"its proof is about {proof.artifact}": proof.artifact == name,
        f"its proof is about other bytes (sha256 {proof.sha256}, not {packed.sha256})": proof.sha256 == packed.sha256,
        "its proof is about another manifest": proof.manifest == packed.manifest,
    }
    return [problem for problem, fine in checks.items() if not fine]


def _parity_problems(manifest: Manifest, proof: Proof) -> list[str]:
    passed = {parity.form for parity in proof.parity.forms if parity.passed and parity.points}
    measured = {parity.form for parity in proof.parity.forms}
    failed = [f"form {form!r} failed parity" for form in sorted(measured - passed)]
    unmeasured = sorted(set(manifest.forms) - measured - set(UNPROVED))
    nothing = [] if measured else ["its proof compares no form with the source"]
    return failed + [f"form {form!r} was never compared with the source" for form in unmeasured] + nothing


def _content_problems(manifest: Manifest) -> list[str]:
    names = {member.name for member in manifest.files}
    needed = ("title", "description", "license", "library_version", "spark_version", "annotator", "forms", "files")
    empty = [f"its manifest leaves {field!r} empty" for field in needed if not getattr(manifest, field)]
    missing = [f"it has no {name}" for name in ALWAYS if name not in names]
    stranger = ["its source was given by hand and is not known to be this model: build it under another --name"]
    licence = _licence_problems(manifest.license) if manifest.license else []
    return (stranger if manifest.source.override else []) + empty + missing + licence


def _licence_problems(expression: str) -> list[str]:
    try:
        from license_expression import get_spdx_licensing
    except ImportError as error:
        raise missing_extra("license-expression", "press") from error
    errors = get_spdx_licensing().validate(expression).errors
    return [f"its licence {expression!r} is not an SPDX expression: {'; '.join(errors)}"] if errors else []


# ---------------------------------------------------------------- what is written


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


def _listed(store: Store, release: Release, package: Package) -> Release | None:
    """The line of this very artifact, or None. Raises VersionConflict naming what differs."""
    known = read_releases(store, release.name)
    try:
        return same_version(known, release)
    except VersionConflict as conflict:
        line = next(line for line in known if line.path == release.path)
        raise VersionConflict(f"{conflict}\n{_difference(store, line, package)}") from conflict


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


def _place(store: Store, release: Release, key: str, source: Path) -> bool:
    """Bring a file to its key, over the leaving of a dead publisher if need be; whether it had to be written.

    Raises VersionConflict if by now the index lists other bytes.
    """
    for _ in range(5):
        found = store.head(key)
        if found and _same(store, key, source):
            return False
        same_version(read_releases(store, release.name), release)
        if store.put_if(key, source, found.etag if found else None):
            return True
    raise PublishError(f"{store.url}/{key} keeps changing: another publisher is at work on this version; try again")


def _same(store: Store, key: str, source: Path) -> bool:
    """Whether a key holds the bytes of a file."""
    size = source.stat().st_size
    body = store.get_range(key)
    if body is None or body.stat.size != size:
        return False
    return _sha256(body.chunks) == _sha256(stretch(source, 0, size))


def _sha256(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _latest(store: Store, release: Release) -> str:
    """The id of the release that the catalogue shows for a name and language."""
    known = [line for line in read_releases(store, release.name) if line.language == release.language]
    offered = [line.id for line in known if line.state != "yanked"]
    return max(offered or [release.id], key=lambda text: ReleaseId.parse(text).order)
