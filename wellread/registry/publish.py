"""Publishing: an artifact and its proof become a release of a hub.

    check everything ─▶ artifact ─▶ proof ─▶ index line ─▶ views
                        └ create only ┘      └ decides

Whatever crashes in between, a reader sees no release before its line, and running it again finishes the work. The same
bytes again are "already there"; other bytes are a conflict. An artifact in the hub that no line names is the leaving of
a publisher that died, and is replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wellread.errors import IntegrityError, PublishError, VersionConflict, WellreadError, missing_extra
from wellread.registry.artifact import Package, Packed, identify, verify
from wellread.registry.fetch import open_release
from wellread.registry.index import add_release, read_releases, same_version
from wellread.registry.manifest import ALWAYS, MANIFEST
from wellread.registry.names import DEFAULT_FOLDER, parse_folder
from wellread.registry.pieces import stretch
from wellread.registry.proof import parse_proof, proof_name, read_proof
from wellread.registry.records import Manifest, Proof, Release
from wellread.registry.stores import Store, open_store, read
from wellread.registry.views import update_views

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
    place_artifact = partial(_place, store, release, release.path, artifact, _holds)
    place_proof = partial(_place, store, release, proof_name(release.path), proof, partial(_proves, package, packed))
    wrote = place_artifact() | place_proof()
    placed = store.head(release.path)
    release = add_release(store, release)
    if store.head(release.path) != placed:  # a rival took ours for an orphan just before the line was there
        place_artifact()
    place_proof()
    update_views(store, package.manifest)
    return Published(release, already_there=bool(listed) and not wrote)


# ---------------------------------------------------------------- what is refused


def _refuse_unfit(package: Package, packed: Packed, proof: Proof, artifact: Path) -> None:
    name = str(package.manifest.artifact)
    problems = [
        *([] if artifact.name == name else [f"its name must be {name}, after its manifest"]),
        *_proof_problems(package, packed, proof),
        *_content_problems(package.manifest),
    ]
    if problems:
        raise PublishError("\n  ".join([f"{artifact.name} is refused:", *problems]))


def _proof_problems(package: Package, packed: Packed, proof: Proof) -> list[str]:
    checks = {
        f"its proof is about {proof.artifact}": proof.artifact == str(package.manifest.artifact),
        f"its proof is about other bytes (sha256 {proof.sha256}, not {packed.sha256})": proof.sha256 == packed.sha256,
        "its proof is about another manifest": proof.manifest == packed.manifest,
    }
    unfit = [problem for problem, fine in checks.items() if not fine]
    return unfit + _parity_problems(package.manifest, proof)


def _parity_problems(manifest: Manifest, proof: Proof) -> list[str]:
    """What the figures of a proof do not show; its own verdicts are not enough (see ``Point.met``)."""
    measured = [parity.form for parity in proof.parity.forms]
    failed = sorted({parity.form for parity in proof.parity.forms if not parity.passed})
    unmeasured = sorted(set(manifest.forms) - set(measured) - set(UNPROVED))
    checks = {
        "its proof compares no form with the source": bool(measured),
        "its proof compares a form twice": len(set(measured)) == len(measured),
        "its proof is about another source than its manifest": proof.source == manifest.source.tensors,
        **{f"form {form!r} failed parity": False for form in failed},
        **{f"form {form!r} was never compared with the source": False for form in unmeasured},
    }
    return [problem for problem, fine in checks.items() if not fine]


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


def _place(store: Store, release: Release, key: str, source: Path, fine: Callable[[Store, str, Path], bool]) -> bool:
    """Bring a file to its key, over the leaving of a dead publisher if need be; whether it had to be written.

    What is there stays where it is ``fine``. Raises VersionConflict if by now the index lists other bytes.
    """
    for _ in range(5):
        found = store.head(key)
        if found and fine(store, key, source):
            return False
        same_version(read_releases(store, release.name), release)
        if store.put_if(key, source, found.etag if found else None):
            return True
    raise PublishError(f"{store.url}/{key} keeps changing: another publisher is at work on this version; try again")


def _holds(store: Store, key: str, source: Path) -> bool:
    """Whether a key holds the bytes of a file."""
    size = source.stat().st_size
    body = store.get_range(key)
    if body is None or body.stat.size != size:
        return False
    return _sha256(body.chunks) == _sha256(stretch(source, 0, size))


def _proves(package: Package, packed: Packed, store: Store, key: str, source: Path) -> bool:
    """Whether a key holds a proof of this artifact, be it another than ours: one is enough."""
    found = read(store, key)
    try:
        proof = parse_proof(found[0], key) if found else None
    except IntegrityError:
        return False
    return proof is not None and not _proof_problems(package, packed, proof)


def _sha256(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
