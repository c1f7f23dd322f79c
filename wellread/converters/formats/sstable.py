"""LevelDB's sorted string table, as TensorFlow writes it: keys and values, read whole and checked whole.

    data blocks   metaindex block   index block   footer
                                    │             └ where metaindex and index lie; padding of zeros; magic (48 bytes)
                                    └ a block whose values say where the data blocks lie

    block     entries, offsets of the entries that spell their key out, their number; then its kind and crc32c (5 bytes)
    entry     bytes shared with the key before, bytes not shared, bytes of the value (varints); rest of the key; value

Kind 0 is plain, 1 is Snappy. The crc32c, over block and kind, is stored masked: rotated and shifted, so that a crc of
bytes that hold crcs is still good. Blocks must follow one another without a gap, so no byte goes unchecked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cramjam
import google_crc32c

from wellread.converters.formats.varint import read_varint
from wellread.errors import CorruptSource

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
_LARGEST = 256 * 1024 * 1024
_PLAIN, _SNAPPY = 0, 1


class _Handle(NamedTuple):
    """Where a block lies: offset and size in bytes, trailer not counted."""

    offset: int
    size: int


def read_table(path: Path) -> dict[bytes, bytes]:
    """Every key and value of the table, in the order of the keys. Raises CorruptSource."""
    try:
        return dict(_read(_load(path)))
    except (OSError, ValueError) as error:
        reason = "the file is missing" if isinstance(error, FileNotFoundError) else error
        raise CorruptSource(f"{path}: {reason}. Fetch the source again") from error


def masked_crc32c(crc: int) -> int:
    """A crc32c as tables and bundles store it (LevelDB, util/crc32c.h)."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _load(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"{path.stat().st_size} bytes are too many for an index")
    return path.read_bytes()


def _read(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    metaindex, index = _footer(raw)
    handles = [_handle(value) for _, value in _entries(_block(raw, index))]
    _check_gapless([*handles, metaindex, index], len(raw) - _FOOTER)
    _block(raw, metaindex)
    last = None
    for handle in handles:
        for key, value in _entries(_block(raw, handle)):
            if last is not None and key <= last:
                raise ValueError("the keys are not in order")
            last = key
            yield key, value


def _footer(raw: bytes) -> tuple[_Handle, _Handle]:
    footer = raw[-_FOOTER:]
    if len(footer) < _FOOTER or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("it does not end as an index does; it may be cut off")
    numbers, at = [], 0
    for _ in range(4):
        number, at = read_varint(footer, at)
        numbers.append(number)
    if any(footer[at:-8]):
        raise ValueError("the footer is damaged")
    return _Handle(*numbers[:2]), _Handle(*numbers[2:])


def _handle(value: bytes) -> _Handle:
    offset, at = read_varint(value, 0)
    return _Handle(offset, read_varint(value, at)[0])


def _check_gapless(handles: list[_Handle], end: int) -> None:
    at = 0
    for handle in handles:
        if handle.offset != at:
            raise ValueError(f"no block accounts for the bytes at offset {at}")
        at += handle.size + _TRAILER
    if at != end:
        raise ValueError(f"the blocks end at offset {at}, the footer starts at {end}")


def _block(raw: bytes, handle: _Handle) -> bytes:
    end = handle.offset + handle.size
    if end + _TRAILER + _FOOTER > len(raw):
        raise ValueError(f"the block at offset {handle.offset} runs past the end")
    kind, crc = struct.unpack_from("<BI", raw, end)
    if masked_crc32c(google_crc32c.value(raw[handle.offset : end + 1])) != crc:
        raise ValueError(f"the block at offset {handle.offset} does not match its crc32c")
    if kind not in (_PLAIN, _SNAPPY):
        raise ValueError(f"the block at offset {handle.offset} is of the unknown kind {kind}")
    block = raw[handle.offset : end]
    return _expanded(block) if kind == _SNAPPY else block


def _expanded(block: bytes) -> bytes:
    """A Snappy block, plain; TensorFlow 1's tools compressed the index of some checkpoints (BLEURT's, for one)."""
    promised, _ = read_varint(block, 0)
    if promised > _LARGEST:
        raise ValueError(f"a Snappy block promises {promised} bytes, too many for an index")
    try:
        return bytes(cramjam.snappy.decompress_raw(block))
    except cramjam.DecompressionError as error:
        raise ValueError(f"a Snappy block is damaged: {error}") from error


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    end, key, at = _entries_end(block), b"", 0
    while at < end:
        shared, at = read_varint(block, at)
        unshared, at = read_varint(block, at)
        size, at = read_varint(block, at)
        middle, stop = at + unshared, at + unshared + size
        if shared > len(key) or stop > end:
            raise ValueError("an entry runs past its block")
        key = key[:shared] + block[at:middle]
        yield key, block[middle:stop]
        at = stop


def _entries_end(block: bytes) -> int:
    if len(block) < 4:
        raise ValueError("a block is cut off")
    end = len(block) - 4 * (1 + int(struct.unpack("<I", block[-4:])[0]))
    if end < 0:
        raise ValueError("a block counts more restarts than it holds")
    return end
