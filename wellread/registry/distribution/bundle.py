"""A bundle: releases in one file, for a machine without a network.

    tiny.zip                                  a zip, everything STORED, keys sorted, dates fixed: the same releases of
      hub.json  index/…  aliases/…            the same hub give the same bytes
      public/models/<artifact>.zip, .proof.json

A bundle is a hub: exporting copies into it, importing copies out of it, and unpacked it is a folder hub. Whoever reads
one believes nothing in it: keys are checked before they name anything, members are plain and stored, the directory is
bounded before it is read, and what is imported passes the checks of publishing (see ``copying``).
"""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wellread.errors import BadInput, IntegrityError, PublishError
from wellread.registry import disk
from wellread.registry.distribution.copying import Copied, copy, scratch
from wellread.registry.hub.entries import Listed, parse_index
from wellread.registry.hub.index import index_key
from wellread.registry.names import parse_name
from wellread.registry.pieces import CHUNK, sha256, stretch
from wellread.registry.stores import Body, Stat, Store, check_key, open_store, read

MAX_DIRECTORY = 16 * 1024 * 1024
"""Bytes of a zip's directory at most: 100,000 keys and more."""

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCAL = struct.Struct("<4s5H3L2H")


class Source(NamedTuple):
    """A release to export, and where it is listed."""

    store: Store
    line: Listed


# ---------------------------------------------------------------- writing


def export(sources: Sequence[Source], file: Path) -> tuple[Copied, ...]:
    """Write releases with their proofs, lines and aliases into one file, in one step.

    Until then they lie in $WELLREAD_HOME/work/bundles, where the next try finds them. Raises as ``copying.copy``.
    """
    if file.is_dir():
        raise BadInput(f"{file} is a folder: name the file that the bundle shall be")
    wanted = sorted(sources, key=lambda source: (source.line.release.name, source.line.release.path))
    with scratch("bundles", sha256(b"".join(source.line.said for source in wanted))[:16]) as folder:
        copied = tuple(copy(source.store, source.line, folder / "bundle") for source in wanted)
        _write(open_store(folder / "bundle"), folder / "bundle", file)
    return copied


def _write(store: Store, folder: Path, file: Path) -> None:
    """Every key of a folder hub as a member of a zip."""
    with disk.replacing(file.absolute()) as out, zipfile.ZipFile(out, "w") as bundle:
        for key in store.list():
            member = zipfile.ZipInfo(key, (1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            member.file_size = (folder / key).stat().st_size
            with bundle.open(member, "w") as writing, (folder / key).open("rb") as reading:
                shutil.copyfileobj(reading, writing, CHUNK)


# ---------------------------------------------------------------- reading


def import_bundle(file: Path, hub: str | Path, *, dry_run: bool = False) -> Iterator[Copied]:
    """Copy every release of a bundle into a hub, one by one. Raises IntegrityError, and as ``copying.copy``."""
    bundle = BundleStore(file)
    try:
        for line in _lines(bundle):
            yield copy(bundle, line, hub, dry_run=dry_run)
    except (IntegrityError, PublishError, BadInput) as error:
        if spoiled := _spoiled(file):
            raise IntegrityError(f"{bundle.url} is damaged ({spoiled}): copy or export it again") from error
        raise


def _spoiled(file: Path) -> str | None:
    """The first member of a bundle that differs from its checksum, if any: then nobody else is to blame."""
    try:
        with zipfile.ZipFile(file) as bundle:
            return bundle.testzip()
    except zipfile.BadZipFile as error:
        return str(error)


def _lines(bundle: Store) -> Iterator[Listed]:
    """What the index of a bundle lists. Raises IntegrityError where it lists nothing: then it is no bundle."""
    keys = list(bundle.list("index/"))
    if not keys:
        raise IntegrityError(f"{bundle.url} is not a bundle: it has no index. 'wellread bundle export' writes one")
    for key in keys:
        name = parse_name(key.rpartition("/")[2].removesuffix(".jsonl"))
        found = read(bundle, key)
        if key != index_key(name) or found is None:
            raise IntegrityError(f"{bundle.url}: {key} is not where {name} would be listed")
        yield from parse_index(found[0], name, f"{bundle.url}/{key}")


class BundleStore:
    """A bundle as a store that can be read. Raises BadInput where there is no file, IntegrityError for another zip."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise BadInput(f"{path} is not a file; a bundle is one that 'wellread bundle export' writes")
        self.url = str(path.absolute())
        self._path = path
        self._members = _members(path)

    def head(self, key: str) -> Stat | None:
        member = self._members.get(check_key(key))
        return Stat(member.file_size, f"{member.CRC:08x}-{member.file_size:x}") if member else None

    def get_range(
        self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None
    ) -> Body | None:
        found = self.head(key)
        if found is None or found.etag == unless:
            return found and Body(found, iter(()))
        rest = max(found.size - start, 0)
        size = rest if length is None else min(length, rest)
        return Body(found, stretch(self._path, self._offset(key) + start, size))

    def list(self, prefix: str = "") -> Iterator[str]:
        return (key for key in sorted(self._members) if key.startswith(prefix))

    def put_new(self, key: str, source: Path | bytes) -> bool:
        raise self._closed()

    def put_if(self, key: str, source: Path | bytes, etag: str | None) -> bool:
        raise self._closed()

    def _closed(self) -> PublishError:
        return PublishError(f"{self.url} is a bundle, written once: export another")

    def _offset(self, key: str) -> int:
        """Where the bytes of a member begin. Raises IntegrityError."""
        member = self._members[key]
        raw = b"".join(stretch(self._path, member.header_offset, _LOCAL.size + len(key)))
        if len(raw) < _LOCAL.size + len(key) or raw[:4] != b"PK\3\4" or raw[_LOCAL.size :] != key.encode():
            raise IntegrityError(f"{self.url}: {key} is not where its directory says. Export the bundle again")
        *_, name, extra = _LOCAL.unpack_from(raw)
        return member.header_offset + _LOCAL.size + int(name) + int(extra)


def _members(path: Path) -> Mapping[str, zipfile.ZipInfo]:
    """The members of a bundle by their keys. Raises IntegrityError for a zip that ``export`` would not write."""
    try:
        with path.open("rb") as file:
            _bound_directory(file, path)
            with zipfile.ZipFile(file) as bundle:
                members = bundle.infolist()
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError) as error:
        raise IntegrityError(f"{path} is not a bundle, or it is cut short: export or copy it again") from error
    odd = [member.filename for member in members if not _is_plain(member)]
    if odd or len({member.filename for member in members}) < len(members):
        raise IntegrityError(f"{path} is not a bundle: {', '.join(map(repr, odd[:3])) or 'a member is there twice'}")
    return {member.filename: member for member in members}


def _is_plain(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a stored, unencrypted file under a key that a hub can have."""
    try:
        check_key(member.filename)
    except BadInput:
        return False
    stored = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
    return stored and not member.flag_bits and stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)


def _bound_directory(file: BinaryIO, path: Path) -> None:
    """Raises IntegrityError where the directory, which ``zipfile`` takes into memory whole, is larger than any of ours.

    Both end records are looked at, for a zip of more than 4 GB has two; a comment, that could hide another, has none.
    """
    end = file.seek(max(file.seek(0, 2) - _END.size, 0))
    mark, *_, size, _, comment = _END.unpack(file.read(_END.size))
    sizes = [size]
    if end >= _LOCATOR.size + _END_64.size:
        file.seek(end - _LOCATOR.size)
        if file.read(4) == b"PK\6\7":
            file.seek(end - _LOCATOR.size - _END_64.size)
            sizes.append(_END_64.unpack(file.read(_END_64.size))[8])
    if mark != b"PK\5\6" or comment or max(sizes) > MAX_DIRECTORY:
        raise IntegrityError(f"{path} is not a bundle, or it is cut short: export or copy it again")
