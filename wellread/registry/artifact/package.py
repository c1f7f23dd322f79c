"""The artifact: a deterministic STORED zip whose manifest describes every other member.

The same members give the same bytes on every machine (see ``layout``), and who knows the manifest reads any member by
its byte range. A zip is untrusted: ``open_artifact`` takes only one that is, header for header, what ``pack`` writes.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wellread.errors import BadInput, IntegrityError
from wellread.registry import disk, pieces
from wellread.registry.artifact import layout
from wellread.registry.artifact.manifest import KINDS, MANIFEST, MAX_BYTES, is_member_name, parse_manifest
from wellread.registry.records import Manifest, Member, encode_pretty
from wellread.registry.stores import Body, Stat


@dataclass(frozen=True)
class Packed:
    """An artifact in a file. ``sha256`` lower case, ``md5`` upper case as Spark NLP compares it, sizes in bytes;
    ``manifest`` is the sha256 of ``manifest.json``."""

    path: Path
    size: int
    sha256: str
    md5: str
    manifest: str
    manifest_size: int


@dataclass(frozen=True)
class Package:
    """An artifact wherever it lies: its manifest, and any stretch of its bytes.

    ``raw`` is ``manifest.json``, ``where`` names the artifact in errors. ``body(offset, length)`` reads from the zip;
    ``first`` is what the place said of the whole zip when the manifest was read. ``streams`` is how many reads at once
    are worth trying; ``ranged`` is False where every read begins at the zip's first byte, whatever is asked for.
    """

    where: str
    raw: bytes
    manifest: Manifest
    body: Callable[[int, int], Body]
    first: Stat
    streams: int = 1
    ranged: bool = True

    @property
    def digest(self) -> str:
        """The sha256 of the manifest, which pins every byte of every member."""
        return pieces.sha256(self.raw)

    @property
    def size(self) -> int:
        """Bytes of the whole zip, as they follow from the manifest."""
        return layout.total(self.manifest, len(self.raw))

    def stretch(self, start: int, length: int) -> Iterator[bytes]:
        """``length`` bytes of the zip from ``start``, unchecked; fewer where it ends."""
        return self.body(start, length).chunks

    def read(self, member: Member) -> Iterator[bytes]:
        """The bytes of a member, each checked before it is handed on. Raises IntegrityError."""
        offset = layout.offsets(self.manifest, len(self.raw))[member.name]
        return pieces.checked(member, lambda at: self.stretch(offset + at, member.size - at), self.where)


# ---------------------------------------------------------------- making one


def describe(folder: Path) -> tuple[Member, ...]:
    """The members for a manifest: every file of a folder but ``manifest.json``, sorted. Raises BadInput."""
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    names = [name for name in found if name != MANIFEST]
    if wrong := [name for name in names if not is_member_name(name) or (folder / name).is_symlink()]:
        raise BadInput(
            f"{folder}: {', '.join(wrong)} cannot be in an artifact: "
            f"it takes plain files of the kinds {' '.join(KINDS)}"
        )
    return tuple(pieces.describe(folder / name, name) for name in names)


def pack(folder: Path, manifest: Manifest, out: Path) -> Packed:
    """Write ``manifest`` and the files it lists, taken from ``folder``, as the zip ``out``, in one step.

    Raises BadInput for a manifest that no artifact can have, IntegrityError where a file is not what it says.
    """
    raw = encode_pretty(manifest)
    _check_packable(manifest, raw, out)
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with disk.replacing(out) as file:
        for chunk in _zipped(folder, manifest, raw):
            sha256.update(chunk)
            md5.update(chunk)
            file.write(chunk)
        size = file.tell()
    return Packed(out, size, sha256.hexdigest(), md5.hexdigest().upper(), pieces.sha256(raw), len(raw))


def _check_packable(manifest: Manifest, raw: bytes, out: Path) -> None:
    try:
        parse_manifest(raw, out.name)
    except IntegrityError as error:
        raise BadInput(str(error)) from error
    size = layout.total(manifest, len(raw))
    if size > layout.MAX_ARTIFACT:
        raise BadInput(
            f"{out} would have {size} bytes; an artifact has at most {layout.MAX_ARTIFACT}: pack fewer forms"
        )


def _zipped(folder: Path, manifest: Manifest, raw: bytes) -> Iterator[bytes]:
    """The whole zip, front to back."""
    crc = zlib.crc32(raw)
    yield layout.header(MANIFEST, len(raw), crc)
    yield raw
    members = [(MANIFEST, len(raw), crc)]
    for member in manifest.files:
        path = folder / member.name
        if path.is_symlink() or not path.is_file():
            raise IntegrityError(f"{path} is missing: the manifest lists it")
        crc = _crc(pieces.stretch(path, 0, member.size))
        yield layout.header(member.name, member.size, crc)
        yield from pieces.checked(member, partial(_rest, path, member.size), str(folder))
        members.append((member.name, member.size, crc))
    yield layout.directory(members)


def _rest(path: Path, size: int, start: int) -> Iterator[bytes]:
    return pieces.stretch(path, start, size - start)


def _crc(chunks: Iterable[bytes]) -> int:
    crc = 0
    for chunk in chunks:
        crc = zlib.crc32(chunk, crc)
    return crc


# ---------------------------------------------------------------- reading one


def open_artifact(path: Path) -> Package:
    """An artifact in a file, its structure checked, the bytes of its members not yet.

    Raises BadInput where there is no file, IntegrityError for anything that ``pack`` would not have written.
    """
    if not path.is_file():
        raise BadInput(f"{path} is not a file; an artifact is a .zip that 'wellread build' writes")
    package = _read_package(path)
    _check_structure(package, path)
    return package


def verify(path: Path) -> Package:
    """``open_artifact``, then every byte of every member against the manifest's hashes and the zip's CRCs."""
    package = open_artifact(path)
    at = layout.offsets(package.manifest, len(package.raw))
    for member in package.manifest.files:
        stated = layout.crc_in(_header_at(path, at[member.name], member.name))
        if _crc(package.read(member)) != stated:
            raise IntegrityError(f"{path}: the zip's CRC-32 of {member.name} is wrong. Build it again")
    return package


def identify(package: Package, path: Path) -> Packed:
    """The digests of an artifact in a file; reads it once."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = path.stat().st_size
    for chunk in pieces.stretch(path, 0, size):
        sha256.update(chunk)
        md5.update(chunk)
    return Packed(path, size, sha256.hexdigest(), md5.hexdigest().upper(), package.digest, len(package.raw))


def unpack(package: Package, folder: Path) -> None:
    """Write every member into a folder, checked on the way. Raises IntegrityError; earlier members stay."""
    disk.write(folder / MANIFEST, package.raw)
    for member in package.manifest.files:
        with disk.replacing(folder / member.name) as file:
            file.writelines(package.read(member))


def _read_package(path: Path) -> Package:
    start = b"".join(pieces.stretch(path, 0, layout.FIRST))
    size = int.from_bytes(start[22:26], "little")
    if start != layout.header(MANIFEST, size, layout.crc_in(start)) or size > MAX_BYTES:
        raise IntegrityError(f"{path} is not an artifact: it does not begin with a stored {MANIFEST}")
    raw = b"".join(pieces.stretch(path, layout.FIRST, size))
    if zlib.crc32(raw) != layout.crc_in(start):
        raise IntegrityError(f"{path}: its {MANIFEST} is damaged. Fetch or build it again")
    whole = Stat(path.stat().st_size, "")
    return Package(str(path), raw, parse_manifest(raw, str(path)), partial(_body, path, whole), whole)


def _body(path: Path, whole: Stat, start: int, length: int) -> Body:
    return Body(whole, pieces.stretch(path, start, length))


def _check_structure(package: Package, path: Path) -> None:
    """Every header is what ``pack`` writes for this manifest, and nothing lies between or after them."""
    manifest, size = package.manifest, len(package.raw)
    if layout.total(manifest, size) > layout.MAX_ARTIFACT:
        raise IntegrityError(f"{path}: its {MANIFEST} lists more bytes than an artifact can have")
    at, members = layout.offsets(manifest, size), []
    for name, length in layout.sizes(manifest, size):
        found = _header_at(path, at[name], name)
        crc = layout.crc_in(found)
        if found != layout.header(name, length, crc):
            raise IntegrityError(
                f"{path}: {name} is not where its {MANIFEST} says, stored and plain.{_oddities(package, path)}"
            )
        members.append((name, length, crc))
    tail = layout.directory(members)
    start = layout.total(manifest, size) - len(tail)
    if path.stat().st_size != start + len(tail) or b"".join(pieces.stretch(path, start, len(tail))) != tail:
        raise IntegrityError(f"{path}: its directory is not that of its {MANIFEST}.{_oddities(package, path)}")


def _header_at(path: Path, data: int, name: str) -> bytes:
    length = len(layout.header(name, 0, 0))
    return b"".join(pieces.stretch(path, data - length, length))


def _oddities(package: Package, path: Path) -> str:
    """A clause that names members which the zip or its manifest has alone, as far as the zip can be read."""
    import zipfile  # slow to import, and only a damaged zip needs it

    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.namelist()
    except Exception:  # whatever a hostile zip does to zipfile, the verdict stands
        return " It is cut short or damaged: fetch or build it again"
    listed = {name for name, _ in layout.sizes(package.manifest, len(package.raw))}
    clauses = {
        "not in the manifest": sorted(set(found) - listed),
        "missing": sorted(listed - set(found)),
        "there twice": sorted({name for name in found if found.count(name) > 1}),
    }
    return "".join(
        f" {what.capitalize()}: {', '.join(map(repr, names[:3]))}." for what, names in clauses.items() if names
    )
