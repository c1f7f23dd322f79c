"""What is read of a file of each kind."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.bulk.conftest import Write
from wellread.bulk import formats
from wellread.bulk.kinds import kind_of
from wellread.bulk.readers import BATCH

Rows = list[dict[str, Any]]


def read(path: Path, first: int = 0) -> Rows:
    """The rows of a file from ``first`` on, after its survey."""
    with path.open("rb") as file:
        found = formats.survey(kind_of(str(path)), file, "text")
    with path.open("rb") as file:
        batches = list(formats.batches(kind_of(str(path)), file, found.schema, first))
    assert all(0 < batch.num_rows <= BATCH and batch.schema == found.schema for batch in batches)
    assert sum(batch.num_rows for batch in batches) == max(0, found.rows - first)
    return [row for batch in batches for row in batch.to_pylist()]


def texts(path: Path) -> list[Any]:
    return [row["text"] for row in read(path)]


MANY = [f"text {number}" for number in range(2 * BATCH + 100)]
WRITTEN: dict[str, Callable[[], Any]] = {
    "a.parquet": lambda: {"text": MANY},
    "a.csv": lambda: "text\n" + "".join(f"{text}\n" for text in MANY),
    "a.tsv": lambda: "text\n" + "\n".join(MANY),
    "a.jsonl": lambda: "".join(f'{{"text": "{text}"}}\n' for text in MANY),
    "a.txt": lambda: "\n".join(MANY),
    "a.txt.gz": lambda: gzip.compress("\r\n".join(MANY).encode()),
    "a.csv.bz2": lambda: bz2.compress("\n".join(["text", *MANY]).encode()),
    "a.jsonl.gz": lambda: gzip.compress("\n".join(f'{{"text": "{text}"}}' for text in MANY).encode()),
    "a.jsonl.zst": lambda: pa.compress("\n".join(f'{{"text": "{t}"}}' for t in MANY).encode(), "zstd", asbytes=True),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_kind_is_read_from_any_row_on(name: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in ("delimited", "json_lines"):
        monkeypatch.setattr(f"wellread.bulk.readers.{reader}.BLOCK", 5000)
    content = WRITTEN[name]()
    path = write(name, content, **({"row_group_size": 3000} if name == "a.parquet" else {}))
    for first in (0, 1, 2999, 3000, 6001, len(MANY) - 1, len(MANY), len(MANY) + 5):
        assert [row["text"] for row in read(path, first)] == MANY[first:]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt", "a.parquet"])
def test_a_file_may_have_no_rows(name: str, write: Write) -> None:
    assert read(write(name, {"text": pa.array([], pa.string())} if name == "a.parquet" else "")) == []


def test_a_csv_is_text_as_it_is_written(write: Write) -> None:
    path = write("a.csv", '\ufeffid,"text"\r\n007,"hello, ""world"""\r\n08,\r\n,""\r\n\r\n1e3,"two\nlines"\r\n')
    assert read(path) == [
        {"id": "007", "text": 'hello, "world"'},
        {"id": "08", "text": None},
        {"id": None, "text": ""},
        {"id": "1e3", "text": "two\nlines"},
    ]


def test_an_empty_line_is_a_record_of_a_lone_column(write: Write) -> None:
    assert texts(write("a.csv", "text\na\n\nb\n")) == ["a", None, "b"]


def test_a_csv_has_its_names_in_the_first_line(write: Write) -> None:
    assert read(write("a.csv", "id,text\n")) == []
    assert read(write("a.csv", "\ufeff\r\n\nid,text\n1,a\n")) == [{"id": "1", "text": "a"}]
    assert read(write("a.csv", "\n\n")) == []
    assert read(write("b.csv", '"te\nxt",id\na,1\n')) == [{"te\nxt": "a", "id": "1"}]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "id,text\n1,a\n2,b,c\n3,d\n", "Row #.: Expected 2 columns, got 3"),
        ("a.csv", "text,text\na,b\n", "'text' twice"),
        ("a.csv", b"text\n\xff\xfe\n", "UTF8"),
        ("a.csv", "id,text\r1,a\r", "does not name columns"),
        ("a.csv", '"text\na\n', "does not name columns"),
        ("a.csv", "id,text\n".encode("utf-16"), "utf-8"),
        ("a.jsonl", '{"text": "hé"}\n'.encode("latin-1"), "UTF8"),
        ("a.jsonl", '{"text": "\\ud800"}\n', "surrogate"),
        ("a.txt.gz", gzip.compress(b"".join(b"%d\n" % n for n in range(9999)))[:-4], "Truncated"),
        ("a.csv.gz", gzip.compress(b"text\n" + b"".join(b"%d\n" % n for n in range(9999)))[:-99], "Truncated"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', "JSON parse error"),
        ("a.jsonl", '{"text": "a"}\n{"text": {"a": 1}}\n', "text"),
        ("a.txt", b"a\n\xff\n", "utf-8"),
        ("a.txt.gz", b"not compressed", "header"),
        ("a.parquet", b"not parquet", "[Pp]arquet"),
    ],
)
def test_what_is_not_of_its_kind_is_refused(name: str, content: bytes | str, said: str, write: Write) -> None:
    with pytest.raises((pa.ArrowException, ValueError, OSError), match=said):
        read(write(name, content))


def test_parquet_takes_any_bytes_for_text_and_we_do_not(write: Write) -> None:
    lengths = pa.array([0, 1, 3], pa.int32()).buffers()[1]
    latin = pa.Array.from_buffers(pa.string(), 2, [None, lengths, pa.py_buffer(b"a\xff\xfe")])
    with pytest.raises(pa.ArrowException, match="UTF8"):
        read(write("a.parquet", {"text": latin}))


def test_a_file_compressed_piece_by_piece_is_read_to_its_end(write: Write) -> None:
    one, two = b"a\nb\n", b"c\n"
    kinds: dict[str, Callable[[bytes], Any]] = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "zst": partial(pa.compress, codec="zstd"),
    }
    for suffix, packed in kinds.items():
        pieces = b"".join(bytes(packed(each)) for each in (one, two))
        assert texts(write(f"a.txt.{suffix}", pieces)) == ["a", "b", "c"]


def test_a_record_may_be_longer_than_a_block(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellread.bulk.readers.json_lines.BLOCK", 100)
    many = ["a", "word\n" * 100, "b" * 250, "c"]
    assert texts(write("a.jsonl", "".join(f"{json.dumps({'text': text})}\n" for text in many))) == many
    records = "text,id\n" + "".join(f'"{text}",1\n' for text in many)
    assert texts(write("a.csv", records)) == many
    monkeypatch.setattr("wellread.bulk.readers.delimited.BLOCK", 100)
    assert texts(write("a.csv", records)) == many
    monkeypatch.setattr("wellread.bulk.readers.delimited.LONGEST", 100)
    with pytest.raises(ValueError, match="longer than 100 bytes, or a quote is never closed: '\"word"):
        read(write("a.csv", records))


QUOTED = (
    'id,text\r\n1,"two\nlines"\r2,5" tall\n\n"3\r\n3","a ""b"""\n4,"c" d "e"\r\n'
    '5,"\n"\n"","a,\r\n\r\nb"\r6,a "b" c\n,""'
)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 1000])
def test_blocks_of_a_csv_end_where_records_do(size: int, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellread.bulk.readers.delimited.BLOCK", size)
    assert [(row["id"], row["text"]) for row in read(write("a.csv", QUOTED))] == [
        ("1", "two\nlines"),
        ("2", '5" tall'),
        ("3\r\n3", 'a "b"'),
        ("4", 'c d "e"'),
        ("5", "\n"),
        ("", "a,\r\n\r\nb"),
        ("6", 'a "b" c'),
        (None, ""),
    ]
    with pytest.raises(ValueError, match="Row #7: Expected 2 columns, got 3: 6,a,b"):
        read(write("a.csv", QUOTED.replace('6,a "b" c', "6,a,b")))


@pytest.mark.parametrize(
    ("name", "content", "begins"),
    [
        ("a.csv", 'text,id\na,1\nb,"2\nc,3\nd,4\n', 'b,"2'),
        ("a.csv", 'text\na\n"b\n', '"b'),
        ("a.csv", 'text,id\na,"""', 'a,"""'),
        ("a.tsv", 'text\tid\na\t"1', "a"),
    ],
)
def test_a_quote_that_is_never_closed_swallows_no_records(name: str, content: str, begins: str, write: Write) -> None:
    with pytest.raises(ValueError, match=f"a quote is never closed, in the record that begins '{begins}"):
        read(write(name, content))


def test_json_lines_have_the_types_of_the_whole_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellread.bulk.readers.json_lines.BLOCK", 30)
    lines = [
        '{"text": "a", "n": 1, "when": "2020-01-01", "in": {"x": 1}}',
        "",
        '{"text": null, "n": 1.5, "when": "later", "in": {"x": 2, "at": ["2020-01-01T10:00:00"]}}',
        '{"n": null, "late": [true]}',
    ]
    found = read(write("a.jsonl", "\r\n".join(lines)))
    assert [row["text"] for row in found] == ["a", None, None]
    assert [row["n"] for row in found] == [1.0, 1.5, None]
    assert [row["when"] for row in found] == ["2020-01-01", "later", None]
    assert found[1]["in"] == {"x": 2, "at": ["2020-01-01T10:00:00"]}
    assert [row["late"] for row in found] == [None, None, [True]]


def test_a_json_field_that_holds_nothing_ever_is_left_out(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['{"text": "a", "m": {}, "in": {"m": {}, "x": 1}, "l": [{}], "some": {}}', '{"some": {"x": 2}}']
    for block in (10, 1000):
        monkeypatch.setattr("wellread.bulk.readers.json_lines.BLOCK", block)
        first, second = read(write("a.jsonl", "\n".join(lines)))
        assert (first, second["some"]) == ({"text": "a", "in": {"x": 1}, "some": {"x": None}}, {"x": 2})


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (['{"id": 10000000000000000001}'], {"id": "10000000000000000001 in 'id'"}),
        (['{"id": 9007199254740993}', '{"id": 1.5}'], {"id": "9007199254740993 in 'id'"}),
        (['{"in": [{"id": 9007199254740993}]}', '{"in": [{"id": 0.1}]}'], {"in": "in 'in.id'"}),
        ([f'{{"in": {{"id": 1{"0" * 400}}}}}'], {"in": "would become another one"}),
        (['{"id": 9223372036854775807, "x": 0.1234567890123456789, "text": "9007199254740993"}'], {}),
        (['{"id": 9007199254740992}{"id": 100000000000000000000}'], {}),
    ],
)
@pytest.mark.parametrize("block", [10, 1000])
def test_whole_numbers_that_json_would_lose_are_told(
    lines: list[str], wrong: dict[str, str], block: int, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.bulk.readers.json_lines.BLOCK", block)
    with write("a.jsonl", "\n".join(lines)).open("rb") as file:
        faults = formats.survey(kind_of("a.jsonl"), file, "text").faults
    assert list(faults) == list(wrong)
    assert all(wrong[name] in why for name, why in faults.items())


def test_plain_text_is_a_text_a_line(write: Write) -> None:
    assert texts(write("a.txt", "\ufeffone\r\n\r\n two\u2028still\x0btwo \nDas Mädchen")) == [
        "one",
        "",
        " two\u2028still\x0btwo ",
        "Das Mädchen",
    ]
    assert texts(write("b.txt", "one\n")) == ["one"]


def test_parquet_keeps_its_types(write: Write) -> None:
    content = {
        "text": pa.array(["a", None]).dictionary_encode(),
        "large": pa.array(["x", "y"], pa.large_string()),
        "deep": [{"a": [1, 2]}, None],
    }
    assert read(write("a.parquet", content)) == [
        {"text": "a", "large": "x", "deep": {"a": [1, 2]}},
        {"text": None, "large": "y", "deep": None},
    ]
