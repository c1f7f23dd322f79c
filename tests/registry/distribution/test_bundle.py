"""Bundles: the same releases are the same bytes, what comes out is what went in, and a hostile one gets nowhere."""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import struct
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.registry.processes import start
from tests.registry.samples import flip, make_sample
from wellread.errors import BadInput, IntegrityError, PublishError
from wellread.registry.distribution import bundle as bundles
from wellread.registry.distribution.bundle import BundleStore, Source, export, import_bundle
from wellread.registry.distribution.copying import chosen
from wellread.registry.hub import index
from wellread.registry.hub.publish import publish
from wellread.registry.names import Lang, ModelName
from wellread.registry.stores import Stat, open_store

pytestmark = pytest.mark.press  # a licence is checked by license-expression
NAMES = (ModelName("tiny"), ModelName("small"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with two models, which no test changes."""
    place = tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WELLREAD_HOME", str(place / "home"))
        for name in NAMES:
            sample = make_sample(place / name, name=name, aliases=(f"en.embed.{name}",))
            publish(sample.zip, sample.proof, place / "hub")
    return place / "hub"


def _sources(hub: Path, *names: ModelName) -> list[Source]:
    store = open_store(hub)
    return [Source(store, line) for name in names or NAMES for line in chosen(store, name, Lang("en"))]


@pytest.fixture
def file(hub: Path, tmp_path: Path) -> Path:
    export(_sources(hub), tmp_path / "models.zip")
    return tmp_path / "models.zip"


def _keys(hub: Path) -> dict[str, bytes]:
    """What a hub holds, its name and the rows that lie in the order of publishing left out."""
    views = ("hub.json", "public/models/metadata.json")
    return {key: (hub / key).read_bytes() for key in open_store(hub).list() if key not in views}


def test_what_went_in_comes_out(hub: Path, file: Path, tmp_path: Path, home: Path) -> None:
    copied = list(import_bundle(file, tmp_path / "far"))
    assert [(each.release.name, each.already_there) for each in copied] == [("small", False), ("tiny", False)]
    assert _keys(tmp_path / "far") == _keys(hub)
    assert all(each.already_there for each in import_bundle(file, tmp_path / "far"))
    assert not [path for path in (home / "work/bundles").iterdir() if path.name != "lock"]


def test_the_same_releases_are_the_same_bytes_in_any_order(hub: Path, file: Path, tmp_path: Path) -> None:
    export(_sources(hub, *reversed(NAMES)), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()


def test_exports_at_once_are_all_whole(hub: Path, file: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.zip" for number in range(6)]
    with ThreadPoolExecutor(len(files)) as pool:
        list(pool.map(lambda each: export(_sources(hub), each), files))
    assert {each.read_bytes() for each in files} == {file.read_bytes()}


def test_unpacked_it_is_a_hub(hub: Path, file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unpacked")
    assert index.read_releases(open_store(tmp_path / "unpacked"), NAMES[0]) == index.read_releases(
        open_store(hub), NAMES[0]
    )


def test_only_what_was_asked_for_is_in_it(hub: Path, tmp_path: Path) -> None:
    export(_sources(hub, NAMES[0]), tmp_path / "one.zip")
    assert not [key for key in BundleStore(tmp_path / "one.zip").list() if "small" in key]


def test_a_dry_run_imports_nothing(file: Path, tmp_path: Path) -> None:
    assert [each.already_there for each in import_bundle(file, tmp_path / "far", dry_run=True)] == [False, False]
    assert not (tmp_path / "far").exists()


_KILLED = """
import sys
from pathlib import Path
from wellread.registry.distribution import bundle
from wellread.registry.distribution.copying import chosen
from wellread.registry.names import Lang, ModelName
from wellread.registry.stores import open_store

def stop(*_, **__):
    print("there", flush=True)
    while True: pass
bundle.shutil.copyfileobj = stop
store = open_store(sys.argv[1])
lines = [line for name in ("tiny", "small") for line in chosen(store, ModelName(name), Lang("en"))]
bundle.export([bundle.Source(store, line) for line in lines], Path(sys.argv[2]))
"""


def test_a_killed_export_leaves_no_file_and_is_taken_up(
    hub: Path, file: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    process = start(_KILLED.replace("bundle.shutil", "import shutil; shutil"), hub, tmp_path / "out/b.zip",
                    WELLREAD_HOME=home)  # fmt: skip
    assert process.stdout and process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "out/b.zip").exists()
    export(_sources(hub), tmp_path / "out/b.zip")
    assert (tmp_path / "out/b.zip").read_bytes() == file.read_bytes()


def test_an_import_that_broke_off_is_run_again(file: Path, tmp_path: Path) -> None:
    next(import_bundle(file, tmp_path / "far"))
    assert [each.already_there for each in import_bundle(file, tmp_path / "far")] == [True, False]


# ---------------------------------------------------------------- as a store


def test_a_bundle_is_a_store_to_read(hub: Path, file: Path) -> None:
    store = BundleStore(file)
    for key, data in _keys(hub).items():
        found = store.head(key)
        assert found and found.size == len(data)
        for begin, length in ((0, None), (3, 5), (len(data), 4), (len(data) + 9, None), (1, 10**9)):
            body = store.get_range(key, begin, length)
            assert body and body.stat == found
            assert b"".join(body.chunks) == data[begin : None if length is None else begin + length]
        unchanged = store.get_range(key, unless=found.etag)
        assert unchanged and unchanged.stat == Stat(len(data), found.etag) and not list(unchanged.chunks)
    assert (store.head("index/no.jsonl"), store.get_range("index/no.jsonl")) == (None, None)
    assert list(store.list("aliases/")) == sorted(key for key in _keys(hub) if key.startswith("aliases/"))
    with pytest.raises(PublishError, match="written once"):
        store.put_new("hub.json", b"")
    with pytest.raises(PublishError, match="written once"):
        store.put_if("hub.json", b"", None)


# ---------------------------------------------------------------- hostile ones


def _zip(members: dict[str, bytes], **fields: object) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            member = zipfile.ZipInfo(name)
            for field, value in fields.items():
                setattr(member, field, value)
            archive.writestr(member, data)
    return out.getvalue()


def _twice() -> bytes:
    return _zip({"hub.json": b"1", "hub.jsom": b"2"}).replace(b"hub.jsom", b"hub.json")


def _end_says(size: int) -> bytes:
    raw = bytearray(_zip({"hub.json": b"1"}))
    struct.pack_into("<L", raw, len(raw) - 10, size)
    return bytes(raw)


_ODD = r"is not a bundle: 'hub\.json'"
_HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no zip": (lambda: b"hello", "is not a bundle"),
    "empty": (lambda: b"", "is not a bundle"),
    "no index": (lambda: _zip({"hub.json": b"{}"}), "it has no index"),
    "upwards": (lambda: _zip({"../evil": b"x"}), r"is not a bundle: '\.\./evil'"),
    "absolute": (lambda: _zip({"/etc/passwd": b"x"}), "is not a bundle: '/etc/passwd'"),
    "hidden": (lambda: _zip({".wellread/lock": b"x"}), r"is not a bundle: '\.wellread/lock'"),
    "a folder": (lambda: _zip({"index/": b""}), "is not a bundle: 'index/'"),
    "a link": (lambda: _zip({"hub.json": b"/x"}, external_attr=(stat.S_IFLNK | 0o777) << 16), _ODD),
    "compressed": (lambda: _zip({"hub.json": b"0" * 999}, compress_type=zipfile.ZIP_DEFLATED), _ODD),
    "twice": (_twice, "there twice"),
    "a directory of gigabytes": (lambda: _end_says(2**31), "is not a bundle"),
    "bytes after its end": (lambda: _zip({"hub.json": b"1"}) + b"PK", "cut short"),
    "a comment that is not there": (lambda: _zip({"hub.json": b"1"})[:-2] + b"\1\0", "cut short"),
    "an index elsewhere": (lambda: _zip({"index/00/tiny.jsonl": b""}), "not where tiny would be listed"),
    "an index of nothing": (lambda: _zip({"index/00/con.jsonl": b""}), "not a model name"),
}


@pytest.mark.parametrize("kind", _HOSTILE)
def test_a_hostile_bundle_is_refused(tmp_path: Path, kind: str) -> None:
    make, message = _HOSTILE[kind]
    (tmp_path / "evil.zip").write_bytes(make())
    with pytest.raises((IntegrityError, BadInput), match=message):
        list(import_bundle(tmp_path / "evil.zip", tmp_path / "far"))
    assert not (tmp_path / "far").exists()


def test_a_directory_of_gigabytes_in_the_record_of_large_zips_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 2**40, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    raw = file.read_bytes()
    file.write_bytes(raw[:-22] + end + locator + raw[-22:])
    monkeypatch.setattr(zipfile, "ZipFile", None)  # it would read the directory
    with pytest.raises(IntegrityError, match="not a bundle"):
        BundleStore(file)


def test_a_bundle_cut_short_or_changed_gives_nothing_wrong(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(IntegrityError, match="cut short"):
        BundleStore(file)
    file.write_bytes(whole)
    with zipfile.ZipFile(file) as archive:
        at = archive.getinfo("public/models/small_en_2.6.0_2.4_1598344705269.zip").header_offset
    flip(file, at + 2000)
    with pytest.raises(IntegrityError, match=f"{file} is damaged.*: copy or export it again$"):
        list(import_bundle(file, tmp_path / "far"))
    assert not list(open_store(tmp_path / "far").list())


@pytest.mark.parametrize("key", ["index/", "public/models/small_en_2.6.0_2.4_1598344705269.proof.json"])
def test_a_bundle_that_is_damaged_anywhere_is_said_to_be(file: Path, tmp_path: Path, key: str) -> None:
    with zipfile.ZipFile(file) as archive:
        at = next(member.header_offset for member in archive.infolist() if member.filename.startswith(key))
    flip(file, at + 200)
    with pytest.raises(IntegrityError, match=r"is damaged.*: copy or export it again$"):
        list(import_bundle(file, tmp_path / "far"))


def test_a_broken_target_is_not_blamed_on_the_bundle(file: Path, tmp_path: Path) -> None:
    listed = tmp_path / "far" / index.index_key(NAMES[1])
    listed.parent.mkdir(parents=True)
    listed.write_bytes(b"{")
    with pytest.raises(IntegrityError, match=f"{listed}"):
        list(import_bundle(file, tmp_path / "far"))


def test_a_member_that_is_elsewhere_than_its_directory_says(file: Path) -> None:
    key = next(iter(BundleStore(file).list("index/")))
    raw = file.read_bytes()
    file.write_bytes(raw.replace(key.encode(), b"x" * len(key), 1))  # in the local header, which comes first
    with pytest.raises(IntegrityError, match="not where its directory says"):
        BundleStore(file).get_range(key)


def test_files_that_are_not_there_and_folders(hub: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a file"):
        list(import_bundle(tmp_path / "none.zip", tmp_path / "far"))
    with pytest.raises(BadInput, match="is a folder"):
        export(_sources(hub), tmp_path)


def test_a_bundle_past_four_gigabytes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end is told by the records of large zips; ``zipfile`` writes those for a limit made small here."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub/hub.json").write_bytes(os.urandom(500))
    (tmp_path / "hub/catalog.jsonl").write_bytes(b"a line\n")
    bundles._write(open_store(tmp_path / "hub"), tmp_path / "hub", tmp_path / "large.zip")
    assert b"PK\6\6" in (tmp_path / "large.zip").read_bytes()
    store = BundleStore(tmp_path / "large.zip")
    for key in ("hub.json", "catalog.jsonl"):
        body = store.get_range(key)
        assert body and b"".join(body.chunks) == (tmp_path / "hub" / key).read_bytes()
    shutil.rmtree(tmp_path / "hub")
