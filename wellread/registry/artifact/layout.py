"""Where everything lies in an artifact, and the bytes between the members.

    local header (30 bytes + name) · bytes      manifest.json, so its bytes start at 43
    local header (30 bytes + name) · bytes      the other members, sorted by name
    …
    central directory (46 bytes + name each) · end record (22 bytes)

This is the zip format (PKWARE's APPNOTE, 4.3) with every freedom taken: STORED, no extra fields, no data descriptors,
no comments, dated 1980-01-01, mode 644, made by "unix" with version 2.0. Offsets follow from names and sizes, and the
headers from those and each member's CRC-32.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterable, Iterator, Mapping

from wellread.registry.artifact.manifest import MANIFEST
from wellread.registry.records import Manifest

MAX_ARTIFACT = 0xFFFFFFFF
"""Bytes of an artifact: past it a zip needs the zip64 extra fields."""

_VERSION = 20
_UNIX = 3 << 8
_DATE = 1 << 5 | 1  # 1980-01-01, the first day that a zip can say
_MODE = (stat.S_IFREG | 0o644) << 16
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")

FIRST = _LOCAL.size + len(MANIFEST)
"""The offset of the manifest's bytes in every artifact: 43."""


def sizes(manifest: Manifest, manifest_size: int) -> Iterator[tuple[str, int]]:
    """(name, size) of every member in the order of the zip, ``manifest.json`` first."""
    yield MANIFEST, manifest_size
    for member in manifest.files:
        yield member.name, member.size


def offsets(manifest: Manifest, manifest_size: int) -> Mapping[str, int]:
    """Member → offset of its first byte in the zip, from the sizes alone."""
    found, end = {}, 0
    for name, size in sizes(manifest, manifest_size):
        found[name] = end + _LOCAL.size + len(name)
        end = found[name] + size
    return found


def total(manifest: Manifest, manifest_size: int) -> int:
    """Bytes of the whole zip, from the sizes alone."""
    headers = _LOCAL.size + _CENTRAL.size
    return _END.size + sum(headers + 2 * len(name) + size for name, size in sizes(manifest, manifest_size))


def header(name: str, size: int, crc: int) -> bytes:
    """The local header before a member's bytes."""
    fixed = _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, 0, _DATE, crc, size, size, len(name), 0)
    return fixed + name.encode("ascii")


def crc_in(local: bytes) -> int:
    """The CRC-32 that a local header states."""
    return int.from_bytes(local[14:18], "little")


def directory(members: Iterable[tuple[str, int, int]]) -> bytes:
    """The central directory and end record for (name, size, CRC-32) in order."""
    entries, offset, count = bytearray(), 0, 0
    for name, size, crc in members:
        fixed = (_UNIX | _VERSION, _VERSION, 0, 0, 0, _DATE, crc, size, size, len(name), 0, 0, 0, 0, _MODE, offset)
        entries += _CENTRAL.pack(b"PK\1\2", *fixed) + name.encode("ascii")
        offset += _LOCAL.size + len(name) + size
        count += 1
    return bytes(entries) + _END.pack(b"PK\5\6", 0, 0, count, count, len(entries), offset, 0)
