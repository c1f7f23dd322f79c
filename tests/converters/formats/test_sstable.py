"""Tables whose blocks lie about themselves: every checksum is right, only the structure is not."""

from __future__ import annotations

import struct
from pathlib import Path

import google_crc32c
import pytest

from tests.fixtures.bundles import varint, write_table
from wellread.converters.formats.sstable import masked_crc32c, read_table
from wellread.errors import CorruptSource

pytestmark = pytest.mark.press

_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def block(content: bytes, kind: int = 0) -> bytes:
    return content + bytes([kind]) + struct.pack("<I", masked_crc32c(google_crc32c.value(content + bytes([kind]))))


def entries(*triples: tuple[int, bytes, bytes]) -> bytes:
    out = b"".join(varint(shared) + varint(len(key)) + varint(len(v)) + key + v for shared, key, v in triples)
    return out + struct.pack("<II", 0, 1)


def table(*data: bytes, kind: int = 0) -> bytes:
    out, rows = b"", []
    for number, content in enumerate(data):
        rows.append((0, bytes([65 + number]), varint(len(out)) + varint(len(content))))
        out += block(content, kind)
    metaindex, index = entries(), entries(*rows)
    handles = varint(len(out)) + varint(len(metaindex)) + varint(len(out) + len(metaindex) + 5) + varint(len(index))
    return out + block(metaindex) + block(index) + handles.ljust(40, b"\0") + _MAGIC


def test_keys_and_values_come_back_in_order(tmp_path: Path) -> None:
    pairs = {f"key/{i:04d}".encode(): bytes([i % 256]) * (i % 9) for i in range(500)}
    write_table(tmp_path / "t", pairs)
    assert list(read_table(tmp_path / "t").items()) == sorted(pairs.items())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "cut off"),
        (table(entries((0, b"a", b"1")))[:-1], "cut off"),
        (b"x" + table(entries((0, b"a", b"1"))), "does not match|accounts"),
        (table(entries((1, b"a", b"1"))), "an entry runs past"),
        (table(entries((0, b"a", b"1"))[:-8] + struct.pack("<II", 0, 1 << 30)), "more restarts"),
        (table(b"\x00\x7f\x7f" + struct.pack("<II", 0, 1)), "an entry runs past"),
        (table(b"xx"), "cut off"),
        (table(entries((0, b"a", b"1")), kind=7), "unknown kind 7"),
        (table(b"\xff\xff\xff\xff\xff\x7f", kind=1), "Snappy"),
        (table(entries((0, b"b", b"1")), entries((0, b"a", b"1"))), "not in order"),
        (table(entries((0, b"a", b"1"), (1, b"", b"2"))), "not in order"),
    ],
)
def test_a_broken_table_is_refused_with_its_reason(tmp_path: Path, raw: bytes, reason: str) -> None:
    (tmp_path / "t.index").write_bytes(raw)
    with pytest.raises(CorruptSource, match=rf"t\.index: .*({reason})"):
        read_table(tmp_path / "t.index")


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptSource):
        read_table(tmp_path)


def test_a_file_too_large_for_an_index_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "t").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(CorruptSource, match="too many for an index"):
        read_table(tmp_path / "t")
