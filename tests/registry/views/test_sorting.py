"""Sorting in a temporary file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from wellread.errors import WellreadError
from wellread.registry.views.sorting import scratch, sort


def test_lines_come_by_their_keys_then_by_their_bytes() -> None:
    pairs = [(b"%03d" % (number * 7 % 100), b"\xff%d" % number) for number in range(300)]
    assert list(sort(pairs)) == [line for _, line in sorted(pairs)]


def test_what_goes_wrong_is_said_in_our_words() -> None:
    def full() -> Iterator[tuple[bytes, bytes]]:
        yield b"a", b"a"
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(WellreadError, match=r"database or disk is full; is its disk \(TMPDIR\) full"):
        list(sort(full()))
    with pytest.raises(ZeroDivisionError), scratch():
        _ = 1 / 0
