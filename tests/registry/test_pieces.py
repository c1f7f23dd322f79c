"""Pieces: however the bytes come, each is checked, and a bad one is read once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.samples import noise
from wellread.errors import IntegrityError
from wellread.registry import pieces
from wellread.registry.records import PIECE, Member

SIZE = 2 * PIECE + 3
DATA = noise(SIZE)


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Member:
    path = tmp_path_factory.mktemp("pieces") / "m.onnx"
    path.write_bytes(DATA)
    return pieces.describe(path, "m.onnx")


def _in_chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@settings(max_examples=8, deadline=None)
@given(st.integers(60_000, SIZE + 1))
def test_chunks_of_any_size_become_pieces(member: Member, chunk: int) -> None:
    found = list(pieces.checked(member, lambda start: _in_chunks(DATA[start:], chunk), "here"))
    assert [len(piece) for piece in found] == [PIECE, PIECE, 3]
    assert b"".join(found) == DATA


def test_a_bad_piece_is_read_once_more_and_nothing_else_is(member: Member) -> None:
    starts: list[int] = []

    def read(start: int) -> Iterator[bytes]:
        starts.append(start)
        data = bytearray(DATA)
        if len(starts) == 1:
            data[PIECE + 7] ^= 1
        return _in_chunks(bytes(data[start:]), 1 << 20)

    assert b"".join(pieces.checked(member, read, "here")) == DATA
    assert starts == [0, PIECE]


@pytest.mark.parametrize("spoil", [DATA[: SIZE - 1], DATA[:PIECE], b"", DATA[:-3] + b"xyz"], ids=len)
def test_bytes_that_stay_wrong_or_end_early_are_refused(member: Member, spoil: bytes) -> None:
    starts: list[int] = []

    def read(start: int) -> Iterator[bytes]:
        starts.append(start)
        return _in_chunks(spoil[start:], 1 << 20)

    with pytest.raises(
        IntegrityError, match=r"here: m\.onnx differs from the manifest in bytes \d+ to \d+, read twice"
    ):
        list(pieces.checked(member, read, "here"))
    assert len(starts) == 2


def test_an_empty_member_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "e.txt").touch()
    empty = pieces.describe(tmp_path / "e.txt", "e.txt")
    assert empty == Member(name="e.txt", size=0, pieces=())
    assert list(pieces.checked(empty, lambda start: pytest.fail("read"), "here")) == []


def test_a_link_to_the_right_bytes_does_not_match(member: Member, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(DATA)
    (tmp_path / "link.onnx").symlink_to("m.onnx")
    assert pieces.matches(member, tmp_path / "m.onnx")
    assert not pieces.matches(member, tmp_path / "link.onnx")
    assert not pieces.matches(member, tmp_path / "absent.onnx")
