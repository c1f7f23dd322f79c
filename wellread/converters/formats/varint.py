"""Little-endian base-128 numbers, as protobuf, LevelDB tables and Snappy write them.

Seven bits a byte, the lowest first; the eighth bit says that another byte follows; ten bytes at most. Nobody writes a
number longer than it need be, so one that is counts as damaged.
"""

from __future__ import annotations


def read_varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number that starts at offset ``at``, and the offset behind it. Raises ValueError if it has no proper end."""
    value = 0
    for index, byte in enumerate(raw[at : at + 10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80 and (byte or not index):
            return value, at + index + 1
    raise ValueError(f"the number at offset {at} has no proper end")
