"""Snappy's block format, read only.

TensorFlow 1's tools compressed the index of some checkpoints with it (BLEURT's, for one). A block is

    length of the output    varint
    elements                a tag byte each, whose two low bits say what follows
        00   literal        length - 1 in six bits; 60..63 mean that it follows in 1..4 bytes
        01   copy           length - 4 in three bits, the offset's high three bits, then its low byte
        10   copy           length - 1 in six bits, offset in two bytes
        11   copy           length - 1 in six bits, offset in four bytes

after https://github.com/google/snappy/blob/main/format_description.txt. A copy may overlap what it writes.
"""

from __future__ import annotations

from wellread.converters.varint import read_varint

_OFFSET_BYTES = {1: 1, 2: 2, 3: 4}


def decompress(raw: bytes) -> bytes:
    """The bytes that were compressed into ``raw``. Raises ValueError if it is not one whole block."""
    size, at = read_varint(raw, 0)
    out = bytearray()
    while at < len(raw):
        kind = raw[at] & 3
        at = _literal(raw, at, out) if kind == 0 else _copy(raw, at, kind, out)
        if len(out) > size:
            break
    if len(out) != size:
        raise ValueError(f"a Snappy block gives {len(out)} bytes or more where it promises {size}")
    return bytes(out)


def _literal(raw: bytes, at: int, out: bytearray) -> int:
    size, at = raw[at] >> 2, at + 1
    if size >= 60:
        size, at = _number(raw, at, size - 59)
    end = at + size + 1
    if end > len(raw):
        raise ValueError("a Snappy literal runs past the block")
    out += raw[at:end]
    return end


def _copy(raw: bytes, at: int, kind: int, out: bytearray) -> int:
    tag = raw[at]
    offset, at = _number(raw, at + 1, _OFFSET_BYTES[kind])
    size = (tag >> 2) + 1
    if kind == 1:
        size, offset = ((tag >> 2) & 7) + 4, offset | (tag >> 5) << 8
    if not 0 < offset <= len(out):
        raise ValueError("a Snappy copy reaches before the block")
    pattern = bytes(out[-offset:][:size])
    out += (pattern * (size // len(pattern) + 1))[:size]
    return at


def _number(raw: bytes, at: int, width: int) -> tuple[int, int]:
    if at + width > len(raw):
        raise ValueError("a Snappy element is cut off")
    return int.from_bytes(raw[at : at + width], "little"), at + width
