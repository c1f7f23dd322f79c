"""Spark NLP's list: written as its clients read it, read as its hubs write it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import TIME, noise, released
from wellread.errors import IntegrityError, Interrupted, WellreadError
from wellread.registry.names import ModelName
from wellread.registry.records import Release
from wellread.registry.stores import Body, Store, open_store
from wellread.registry.views import spark_nlp
from wellread.registry.views.spark_nlp import fetch_zip, parse_foreign, read_foreign

FOLDER = "public/models"
ROW: dict[str, Any] = {
    "name": "small_bert_L8_512",
    "language": "en",
    "libVersion": {"parts": [2, 6, 0]},
    "sparkVersion": {"parts": [2, 4]},
    "readyToUse": True,
    "time": "2020-08-25T08:38:25.269Z",
    "isZipped": True,
    "category": "ml",
    "checksum": "",
    "annotator": "BertEmbeddings",
}


def _lines(*rows: dict[str, Any] | bytes) -> bytes:
    return b"".join(row if isinstance(row, bytes) else b"\n" + json.dumps(row).encode() for row in rows)


def _one(**fields: Any) -> Release:
    (found,) = parse_foreign(
        _lines({key: value for key, value in (ROW | fields).items() if value is not ...}), None, "x"
    )
    return found


# ---------------------------------------------------------------- rows


def test_a_row_is_what_spark_nlp_reads() -> None:
    row = json.loads(spark_nlp.row(released(md5="0a" * 16, name="small_bert_L8_512")))
    assert row == ROW | {"readyToUse": False, "checksum": "0A" * 16, "engine": "onnx"}
    assert list(row)[: len(ROW)] == list(ROW)


def test_a_row_without_versions_leaves_them_out() -> None:
    row = json.loads(spark_nlp.row(released(library_version="", spark_version="", engine="own")))
    assert {"libVersion", "sparkVersion"}.isdisjoint(row)
    assert row["engine"] == "unk"


def test_a_release_survives_the_round_trip() -> None:
    release = released(md5="0A" * 16)
    (found,) = parse_foreign(spark_nlp.row(release), release.name, release.folder)
    for field in ("id", "name", "language", "folder", "library_version", "spark_version", "time", "file", "md5"):
        assert getattr(found, field) == getattr(release, field), field
    assert (found.forms, found.manifest, found.sha256, found.size) == (("spark-nlp",), "", "", 0)
    assert (found.state, found.why) == ("yanked", "its hub does not call it ready for use")


def test_a_row_of_theirs_becomes_a_release() -> None:
    found = _one(checksum="ab" * 16)
    assert found.path == "x/small_bert_L8_512_en_2.6.0_2.4_1598344705269.zip"
    assert (found.id, found.time, found.state, found.engine) == (f"2.6.0_2.4_{TIME}", TIME, "ready", "unk")
    assert found.md5 == "AB" * 16


@pytest.mark.parametrize(
    ("fields", "file"),
    [
        ({"libVersion": ...}, f"small_bert_L8_512_en__2.4_{TIME}.zip"),
        ({"sparkVersion": ...}, f"small_bert_L8_512_en_2.6.0__{TIME}.zip"),
        ({"language": ...}, f"small_bert_L8_512__2.6.0_2.4_{TIME}.zip"),
        ({"language": None, "libVersion": None}, f"small_bert_L8_512___2.4_{TIME}.zip"),
        ({"language": ..., "libVersion": ..., "sparkVersion": ...}, "small_bert_L8_512.zip"),
        ({"time": "2020-08-25T08:38:25Z"}, "small_bert_L8_512_en_2.6.0_2.4_1598344705000.zip"),
        ({"time": "2020-08-25T08:38:25.269"}, f"small_bert_L8_512_en_2.6.0_2.4_{TIME}.zip"),
        ({"libVersion": {"parts": [3, 4, 10]}, "unknown": [1]}, f"small_bert_L8_512_en_3.4.10_2.4_{TIME}.zip"),
    ],
)
def test_a_missing_part_leaves_its_underscores(fields: dict[str, Any], file: str) -> None:
    assert _one(**fields).file == file


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "../../etc/passwd"},
        {"name": "a/b"},
        {"name": "con"},
        {"language": "en/.."},
        {"libVersion": {"parts": [2, -6]}},
        {"time": "1931-08-25T08:38:25Z"},
        {"isZipped": False},
    ],
)
def test_what_cannot_be_named_is_left_out_with_one_warning(fields: dict[str, Any]) -> None:
    raw = _lines(ROW | fields, ROW, ROW | fields)
    with pytest.warns(UserWarning, match="x/metadata.json: 2 of its rows name what wellread cannot") as warned:
        (found,) = parse_foreign(raw, None, "x")
    assert (found.name, len(warned)) == ("small_bert_L8_512", 1)


@pytest.mark.parametrize(
    "broken",
    [b"\n{", b'\n{"name":"x"}', b"\n\xff\xfe", b"\n[1]", b"\n" + b"[" * 100_000, _lines(ROW | {"time": "today"})],
)
def test_a_damaged_row_costs_itself_only(broken: bytes) -> None:
    with pytest.warns(UserWarning, match="1 of its rows cannot be read"):
        assert len(list(parse_foreign(_lines(ROW, broken, b"\n \n", ROW | {"name": "y"}), None, "x"))) == 2


def test_one_name_is_found_without_decoding_the_others(recwarn: pytest.WarningsRecorder) -> None:
    raw = _lines(ROW, ROW | {"name": "sent_small_bert_L8_512"}, b'\n{"name":"other', ROW | {"language": "fr"})
    found = list(parse_foreign(raw, ModelName("small_bert_L8_512"), FOLDER))
    assert [release.language for release in found] == ["en", "fr"]
    assert not recwarn.list


def test_a_hub_s_list_is_read_as_it_comes(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert list(read_foreign(store, None, FOLDER)) == []
    store.put_new(f"{FOLDER}/metadata.json", _lines(ROW, ROW | {"language": "fr"}))
    assert [found.language for found in read_foreign(store, None, FOLDER)] == ["en", "fr"]
    assert next(read_foreign(Endless(store), None, FOLDER)).language == "en"  # type: ignore[arg-type]


class Endless:
    """A store whose list never ends."""

    def __init__(self, store: Store) -> None:
        self.store, self.url = store, store.url

    def get_range(self, key: str) -> Body | None:
        body = self.store.get_range(key)
        assert body

        def rows() -> Iterator[bytes]:
            while True:
                yield _lines(ROW) + b"\n"

        return body._replace(chunks=rows())


# ---------------------------------------------------------------- zips


ZIP = noise(300_000)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    store = open_store(tmp_path / "hub")
    store.put_new(_listed().path, ZIP)
    return store


def _listed(data: bytes = ZIP, **fields: Any) -> Release:
    return _one(checksum=hashlib.md5(data, usedforsecurity=False).hexdigest(), **fields)


class Cut:
    """A store that breaks off after so many bytes, each time it is read."""

    def __init__(self, store: Store, after: int) -> None:
        self.store, self.url, self.after = store, store.url, after
        self.starts: list[int] = []

    def get_range(self, key: str, start: int = 0) -> Body | None:
        self.starts.append(start)
        body = self.store.get_range(key, start)
        assert body

        def some() -> Iterator[bytes]:
            yield b"".join(body.chunks)[: self.after]
            raise Interrupted("gone")

        return body._replace(chunks=some())


def test_a_zip_is_fetched_once_and_checked(store: Store) -> None:
    path = fetch_zip(store, _listed(), store.url)
    assert (path.name, path.read_bytes()) == (_listed().file, ZIP)
    Path(store.url, _listed().path).unlink()
    assert fetch_zip(store, _listed(), store.url) == path
    assert sorted(file.name for file in path.parent.iterdir()) == [".lock", path.name]


def test_a_zip_that_was_changed_on_disk_is_fetched_again(store: Store) -> None:
    path = fetch_zip(store, _listed(), store.url)
    path.write_bytes(ZIP[:-1] + b"x")
    assert fetch_zip(store, _listed(), store.url).read_bytes() == ZIP


def test_other_bytes_than_listed_are_removed(store: Store, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"its MD5 is .* as listed"):
        fetch_zip(store, _listed(b"others"), store.url)
    assert [path.name for path in (tmp_path / "home").rglob("*") if path.is_file()] == [".lock"]


def test_a_broken_download_is_taken_up_where_it_broke_off(store: Store) -> None:
    cut = Cut(store, 100_000)
    for _ in range(2):
        with pytest.raises(Interrupted):
            fetch_zip(cut, _listed(), store.url)  # type: ignore[arg-type]
    assert cut.starts == [0, 100_000]
    cut.after = len(ZIP)
    with pytest.raises(Interrupted):  # all bytes came, but the end of the answer did not
        fetch_zip(cut, _listed(), store.url)  # type: ignore[arg-type]
    assert cut.starts[-1] == 200_000
    assert fetch_zip(store, _listed(), store.url).read_bytes() == ZIP


def test_the_beginning_of_another_file_is_dropped(store: Store, tmp_path: Path) -> None:
    cut = Cut(store, 100_000)
    with pytest.raises(Interrupted):
        fetch_zip(cut, _listed(), store.url)  # type: ignore[arg-type]
    (part,) = (tmp_path / "home").rglob("*.part")
    part.write_bytes(b"x" * 100_000)
    assert fetch_zip(store, _listed(), store.url).read_bytes() == ZIP


def test_without_a_checksum_only_the_size_is_known(store: Store) -> None:
    bare, cut = _one(), Cut(store, 100_000)
    with pytest.raises(Interrupted):
        fetch_zip(cut, bare, store.url)  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="has no checksum in its hub's list: only its size could be checked"):
        assert fetch_zip(store, bare, store.url).read_bytes() == ZIP
    assert cut.starts == [0]


def test_a_listed_zip_that_is_not_there(store: Store) -> None:
    with pytest.raises(IntegrityError, match=r"is listed in x/metadata\.json but not there"):
        fetch_zip(store, _one(language="fr"), store.url)


def test_a_disk_without_room_is_said_before_a_byte_comes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(store.url)._replace(free=299_999)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(WellreadError, match=r"zip needs 300,000 bytes more .* 299,999 left; free some space"):
        fetch_zip(store, _listed(), store.url)
