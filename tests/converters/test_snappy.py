"""Snappy, against a spelled-out expansion of random elements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.bundles import varint
from wellread.converters.snappy import decompress

Element = tuple[bytes, int, int]
"""A literal, or if it is empty a copy: its length and how far back it reaches."""

elements = st.lists(
    st.one_of(
        st.tuples(st.binary(min_size=1, max_size=300), st.just(0), st.just(0)),
        st.tuples(st.just(b""), st.integers(1, 64), st.integers(1, 3000)),
    ),
    max_size=30,
)


def encode(element: Element, done: int, form: int) -> bytes:
    literal, size, offset = element
    if literal:
        short = len(literal) <= 60
        return (
            bytes([len(literal) - 1 << 2]) if short else bytes([61 << 2, *(len(literal) - 1).to_bytes(2, "little")])
        ) + literal
    offset = min(offset, done)
    if form == 1 and 4 <= size <= 11 and offset < 2048:
        return bytes([offset >> 8 << 5 | size - 4 << 2 | 1, offset & 255])
    width = 4 if form == 3 else 2
    return bytes([size - 1 << 2 | (3 if width == 4 else 2), *offset.to_bytes(width, "little")])


@given(elements, st.integers(1, 3))
def test_every_kind_of_element(parts: list[Element], form: int) -> None:
    out, raw = bytearray(), b""
    for part in parts:
        if part[0] or out:
            raw += encode(part, len(out), form)
            start = len(out)
            out += part[0]
            for _ in range(part[1]):
                out.append(out[-min(part[2], start)])
    assert decompress(varint(len(out)) + raw) == bytes(out)


@given(st.binary(max_size=60))
def test_any_bytes_are_expanded_or_refused(raw: bytes) -> None:
    try:
        decompress(raw)
    except ValueError:
        return


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"\x01",
        b"\x02\x00a",
        b"\x00\x00a",
        b"\x05\x10ab",
        b"\x08\x00a\x1a\x00\x00",
        b"\x04\x00a\x0e\x02\x00",
        b"\x08\xf4",
        b"\x04\x02\x01\x00",
    ],
)
def test_what_breaks_its_promise_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"Snappy|end"):
        decompress(raw)


def test_a_promise_of_gigabytes_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="promises"):
        decompress(varint(1 << 40) + b"\x00a")
