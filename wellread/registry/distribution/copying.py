"""Copying a release from hub to hub: how one is promoted, and how it travels where no network is.

    index line ─▶ artifact into $WELLREAD_HOME/work/copies/ ─ the line's size, sha256, MD5 ─▶ publish's checks
               ─▶ artifact ─▶ proof ─▶ the same line ─▶ views

The line comes over byte for byte, so that its signatures still hold; the proof too. Nothing is believed because another
hub listed it: what ``publish`` refuses is refused here. Whatever breaks off can be run again: of an artifact the bytes
that came are kept, and what has arrived is "already there". What was damaged there since is seen, for it is read, and
mended.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from wellread.errors import BadInput, IntegrityError, NotFound, NotYet, PublishError
from wellread.registry import disk
from wellread.registry.artifact.package import Packed
from wellread.registry.artifact.proof import parse_proof, proof_name
from wellread.registry.home import home
from wellread.registry.hub.entries import Listed, parse_index
from wellread.registry.hub.gate import proof_problems
from wellread.registry.hub.index import index_key, read_alias, read_lines, standing
from wellread.registry.hub.publish import Outcome, publish, vouching
from wellread.registry.names import DEFAULT_FOLDER, Lang, ModelName
from wellread.registry.pieces import stretch
from wellread.registry.records import Release
from wellread.registry.resolve.choice import choose
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, is_local, read
from wellread.registry.transfer.fetch import open_release
from wellread.registry.transfer.progress import bytes_bar
from wellread.registry.trust import policy
from wellread.registry.views.update import update_views


class Copied(NamedTuple):
    """The release as the target lists it, and what became of it there, or would in a dry run."""

    release: Release
    outcome: Outcome

    @property
    def already_there(self) -> bool:
        """Whether nothing had to be written."""
        return self.outcome == "already there"


# ---------------------------------------------------------------- which


def chosen(
    source: Store,
    name: ModelName,
    lang: Lang,
    *,
    version: str | None = None,
    folder: str = DEFAULT_FOLDER,
    every: bool = False,
) -> tuple[Listed, ...]:
    """The line of the release that is meant, as ``choice`` chooses; ``every``: those of all that were not yanked.

    ``name`` may be an alias of the source. Raises NotFound, NotYet for a model that only Spark NLP's metadata.json
    lists, TrustError where the policy for the source is to enforce signatures and a line has none that is trusted.
    """
    known = _listed(source, name)
    if not known and (alias := read_alias(source, name)):
        name, lang = alias.name, alias.language
        known = _listed(source, name)
    if not known:
        _refuse_missing(source)
        _refuse_foreign(source, name, folder)
        raise NotFound(f"{name} ({lang}): not in {source.url}; wellread list --hub {source.url} shows what is")
    fitting = [line for line in known if (line.release.language, line.release.folder) == (lang, folder)]
    offered = [line for line in fitting if line.release.state != "yanked"]
    if not every or not offered:
        best = choose([line.release for line in known], lang=lang, version=version, folder=folder)
        offered = [line for line in fitting if line.release.id == best.id]
    for line in offered:
        _check_trust(source, line)
    return tuple(offered)


def _listed(source: Store, name: ModelName) -> tuple[Listed, ...]:
    key = index_key(name)
    found = read(source, key)
    return parse_index(found[0], name, f"{source.url}/{key}") if found else ()


def _refuse_missing(source: Store) -> None:
    if is_local(source.url) and not Path(source.url).exists():
        raise NotFound(f"there is no folder {source.url}: no hub to copy from")


def _refuse_foreign(source: Store, name: ModelName, folder: str) -> None:
    """Raises NotYet for a model of a hub that is Spark NLP's."""
    from wellread.registry.views.spark_nlp import read_foreign  # only for a name that is nowhere

    if any(read_foreign(source, name, folder)):
        raise NotYet(
            f"{name} is in {source.url} as Spark NLP's metadata.json lists it, without a proof: it cannot be copied. "
            "Build it from its source: wellread build"
        )


def _check_trust(source: Store, line: Listed) -> None:
    if policy.wanted(source.url) != "off":
        policy.check(source.url, line.release, vouching(line))


# ---------------------------------------------------------------- copying


def copy(source: Store, line: Listed, hub: str | Path, *, dry_run: bool = False) -> Copied:
    """Copy a release with its proof and its aliases into a hub, its line as it is.

    What the target has of it is read and checked; a dry run moves nothing. Raises IntegrityError where bytes are not
    those of the line or the manifest, PublishError as ``publish``, VersionConflict if the version is there with other
    bytes, WellreadError for a full disk.
    """
    target, release = open_hub(hub), line.release
    known = standing(read_lines(target, release.name), release, target.url)
    if known and _is_whole(target, release):
        if not dry_run:  # who died after the line left views and aliases as they were
            update_views(target, [release.name], open_release(target, release).manifest, vouching(line))
        return Copied(known.release, "already there")
    proof = _proof(source, release)
    if dry_run:
        return Copied(known.release, "mended") if known else Copied(release, "new")
    with scratch("copies", release.sha256[:16]) as folder:
        artifact, beside = folder / release.file, folder / proof_name(release.file)
        _bring(source, release, artifact)
        disk.write(beside, proof)
        published = publish(artifact, beside, hub, folder=release.folder, line=line)
        return Copied(published.release, published.outcome)


def _is_whole(store: Store, release: Release) -> bool:
    """Whether a listed release is there as publishing would leave it: its bytes, and a proof of them."""
    artifact, proof = store.get_range(release.path), read(store, proof_name(release.path))
    if artifact is None or proof is None or _digests(artifact.chunks)[0] != release.sha256:
        return False
    package = open_release(store, release)
    packed = Packed(Path(release.file), release.size, release.sha256, release.md5, release.manifest, len(package.raw))
    try:
        return not proof_problems(package, packed, parse_proof(proof[0], release.file))
    except (IntegrityError, BadInput):
        return False


def _proof(source: Store, release: Release) -> bytes:
    key = proof_name(release.path)
    found = read(source, key)
    if found is None:
        raise PublishError(f"{source.url}/{key} is not there: a release is not copied without its proof")
    return found[0]


# ---------------------------------------------------------------- on the way


@contextmanager
def scratch(kind: str, name: str) -> Iterator[Path]:
    """A folder in $WELLREAD_HOME/work that nobody else uses meanwhile and a later run finds again.

    It goes when the block ends well. Raises WellreadError where the system refuses.
    """
    import filelock  # who only reads hubs needs none

    root = home() / "work" / kind
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(root / "lock")
        lock.acquire()
    except OSError as error:
        raise disk.refused(root, error) from error
    try:
        (root / name).mkdir(exist_ok=True)
        yield root / name
        shutil.rmtree(root / name)
    finally:
        lock.release()


def _bring(source: Store, release: Release, artifact: Path) -> None:
    """The artifact in a file, as its line says; a beginning that an earlier run left is taken up.

    Raises IntegrityError if it differs, brought twice.
    """
    for _ in range(2):
        _receive(source, release, artifact)
        if _digests(stretch(artifact, 0, release.size + 1)) == (release.sha256, release.md5, release.size):
            return
        artifact.unlink()
    raise IntegrityError(
        f"{source.url}/{release.path} differs from its index line, brought twice. Nothing of it was used: "
        "ask the owner of the hub to publish it again"
    )


def _receive(source: Store, release: Release, artifact: Path) -> None:
    """Add what is missing to the file. Raises WellreadError, before a byte is asked for, where it has no room."""
    try:
        with artifact.open("ab") as file, bytes_bar(release.size, release.file) as bar:
            missing = max(release.size - file.tell(), 0)
            if missing > (free := shutil.disk_usage(artifact.parent).free):
                raise OSError(errno.ENOSPC, f"{missing / 1e6:.0f} MB are missing, {free / 1e6:.0f} MB are free")
            body = source.get_range(release.path, file.tell(), missing)
            if body is None:
                raise IntegrityError(f"{source.url}/{release.path} is listed in the index but not there")
            for chunk in body.chunks if missing else ():
                bar.update(file.write(chunk))
    except OSError as error:
        raise disk.refused(artifact, error) from error


def _digests(chunks: Iterable[bytes]) -> tuple[str, str, int]:
    """(sha256, MD5 in upper case, bytes)."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for chunk in chunks:
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
    return sha256.hexdigest(), md5.hexdigest().upper(), size
