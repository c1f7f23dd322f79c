"""What every store promises, tried on every kind that runs on one machine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.s3 import S3
from tests.fixtures.servers import serving_folder
from tests.registry.samples import noise
from wellread.errors import BadInput, HubUnavailable, PublishError
from wellread.registry.retry import PatientStore
from wellread.registry.stores import Body, Store, open_store, read

WRITTEN = ("folder", "s3")
SERVED = ("nginx", "caddy", "serve")
BIG = 20 * 1024 * 1024
UNFIT = ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".wellread/lock", "a\\b", "a\n", "a/.b", "~"]


@dataclass
class Place:
    """Somewhere to read; what is read is put there through ``writer``."""

    kind: str
    reader: Store
    writer: Store
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def put(self, data: bytes, name: str = "file") -> str:
        """The key, never used before, of an object with those bytes."""
        key = f"{next(self.numbers)}/{name}"
        assert self.writer.put_new(key, data)
        return key


@pytest.fixture(scope="module")
def s3_for_all(s3_session: S3) -> Iterator[S3]:
    with pytest.MonkeyPatch.context() as patch:
        s3_session.lead(patch)
        yield s3_session


@pytest.fixture(scope="module", params=[*WRITTEN, *SERVED])
def bare(request: pytest.FixtureRequest, s3_for_all: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    kind, root = request.param, tmp_path_factory.mktemp("hub")
    if kind in WRITTEN:
        store = open_store(root if kind == "folder" else s3_for_all.bucket() + "/some/where")
        yield Place(kind, store, store)
        return
    with ExitStack() as stack:
        url = stack.enter_context(serving_folder(kind, root))
        yield Place(kind, open_store(url), open_store(root))


@pytest.fixture(scope="module", params=["bare", "patient"])
def place(request: pytest.FixtureRequest, bare: Place) -> Place:
    """The place as it is, and as the rest of wellread sees it."""
    patient = Place(bare.kind, PatientStore(bare.reader), bare.writer, bare.numbers)
    return patient if request.param == "patient" else bare


@pytest.fixture(scope="module")
def big(bare: Place) -> tuple[str, bytes]:
    data = noise(BIG)
    return bare.put(data), data


def _body(store: Store, key: str, start: int = 0, length: int | None = None) -> tuple[Body, bytes]:
    body = store.get_range(key, start, length)
    assert body is not None
    return body, b"".join(body.chunks)


# ---------------------------------------------------------------- reading


def test_what_is_there_has_a_size_and_an_etag(place: Place) -> None:
    key = place.put(b"0123456789")
    stat = place.reader.head(key)
    assert stat and (stat.size, bool(stat.etag)) == (10, True)
    body, data = _body(place.reader, key)
    assert (body.stat, body.ranged, data) == (stat, True, b"0123456789")


def test_what_is_not_there_is_none(place: Place) -> None:
    for key in ("nowhere", f"{place.put(b'x')}.proof.json", "deep/er/and/deeper.zip"):
        assert place.reader.head(key) is None
        assert place.reader.get_range(key) is None
        assert place.reader.get_range(key, 5, 5) is None
        assert read(place.reader, key) is None


RANGES = [
    (0, None, b"0123456789"),
    (0, 4, b"0123"),
    (3, 4, b"3456"),
    (3, None, b"3456789"),
    (9, 1, b"9"),
    (7, 100, b"789"),
    (0, 0, b""),
    (5, 0, b""),
    (10, None, b""),
    (10, 5, b""),
    (1000, None, b""),
    (1000, 5, b""),
]


def test_a_range_is_the_bytes_that_there_are(place: Place) -> None:
    key = place.put(b"0123456789")
    stat = place.reader.head(key)
    for start, length, expected in RANGES:
        body, data = _body(place.reader, key, start, length)
        assert (body.stat, data) == (stat, expected), (start, length)


def test_an_empty_object_is_there(place: Place) -> None:
    key = place.put(b"")
    stat = place.reader.head(key)
    assert stat and stat.size == 0
    for start, length in ((0, None), (0, 10), (5, None)):
        assert _body(place.reader, key, start, length)[1] == b""


def test_a_large_object_comes_in_chunks(place: Place, big: tuple[str, bytes]) -> None:
    key, data = big
    body = place.reader.get_range(key)
    assert body and body.stat.size == BIG
    chunks = list(body.chunks)
    assert b"".join(chunks) == data
    assert len(chunks) > 1 and max(map(len, chunks)) <= 8 * 1024 * 1024
    assert _body(place.reader, key, BIG // 2, 5_000_000)[1] == data[BIG // 2 : BIG // 2 + 5_000_000]


def test_a_body_that_is_dropped_harms_nothing(place: Place, big: tuple[str, bytes]) -> None:
    key, data = big
    body = place.reader.get_range(key)
    assert body and data.startswith(next(body.chunks))
    del body
    assert _body(place.reader, key, BIG - 10)[1] == data[-10:]


def test_what_a_reader_has_already_is_not_sent(place: Place) -> None:
    key = place.put(b"0123456789")
    stat = place.reader.head(key)
    assert stat
    for start, length in ((0, None), (2, 3)):
        unchanged = place.reader.get_range(key, start, length, unless=stat.etag)
        assert unchanged and (unchanged.stat.etag, list(unchanged.chunks)) == (stat.etag, [])
    body = place.reader.get_range(key, unless='"of another time"')
    assert body and (body.stat, b"".join(body.chunks)) == (stat, b"0123456789")
    assert place.reader.get_range("nowhere", unless=stat.etag) is None


def test_the_etag_changes_with_every_write(place: Place) -> None:
    key, seen = place.put(b""), []
    for data in (b"a", b"bc", b"def", b"ghij"):  # of other sizes: nginx tells seconds and sizes apart, and no more
        stat = place.writer.head(key)
        assert stat and place.writer.put_if(key, data, stat.etag)
        body, found = _body(place.reader, key)
        assert found == data
        seen.append(body.stat.etag)
        again = place.reader.get_range(key, unless=seen[-2] if seen[1:] else '"none"')
        assert again and b"".join(again.chunks) == data
    assert len(set(seen)) == len(seen)


def test_odd_names_are_names(place: Place) -> None:
    for name in ("@odd/@name", "a.b-c_d@2x.tar.gz", "1/2/3/4/5/6/7/8/9", "UPPER/and-lower", "a..b"):
        assert _body(place.reader, place.put(name.encode(), name))[1] == name.encode()


def test_what_can_be_no_key_is_refused(place: Place) -> None:
    for key in UNFIT:
        with pytest.raises(BadInput, match="not a key of a hub"):
            place.reader.head(key)
        for length in (None, 0, 5):
            with pytest.raises(BadInput, match="not a key of a hub"):
                place.reader.get_range(key, 0, length)


def test_many_threads_read_at_once(place: Place, big: tuple[str, bytes]) -> None:
    key, data = big
    step = BIG // 16
    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(lambda number: _body(place.reader, key, number * step, step)[1], range(16))
        assert b"".join(parts) == data


_DATA = noise(3000)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 3100), length=st.none() | st.integers(0, 3100))
def test_a_range_is_a_slice(place: Place, sliced: str, start: int, length: int | None) -> None:
    assert _body(place.reader, sliced, start, length)[1] == _DATA[start:][:length]


@pytest.fixture(scope="module")
def sliced(bare: Place) -> str:
    return bare.put(_DATA)


# ---------------------------------------------------------------- writing


@pytest.fixture(params=WRITTEN)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A new one that can be written."""
    place = tmp_path / "hub" if request.param == "folder" else f"{request.getfixturevalue('bucket')}/a/hub"
    return open_store(place)


def _bytes(tmp_path: Path, data: bytes) -> bytes:
    return data


def _file(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "source").write_bytes(data)
    return tmp_path / "source"


@pytest.fixture(params=[_bytes, _file])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bytes], bytes | Path]:
    """Bytes as bytes, and as a file."""
    return lambda data: request.param(tmp_path, data)


def test_put_new_creates_and_never_overwrites(store: Store, source: Callable[[bytes], bytes | Path]) -> None:
    assert store.put_new("a/key", source(b"one"))
    assert not store.put_new("a/key", source(b"two"))
    assert not store.put_if("a/key", source(b"two"), None)
    assert _body(store, "a/key")[1] == b"one"
    assert store.put_new("a/empty", source(b""))
    assert _body(store, "a/empty")[1] == b""


def test_put_if_replaces_only_the_version_seen(store: Store, source: Callable[[bytes], bytes | Path]) -> None:
    assert store.put_if("key", source(b"one"), None)
    first = store.head("key")
    assert first and store.put_if("key", source(b"two"), first.etag)
    assert not store.put_if("key", source(b"three"), first.etag)
    assert not store.put_if("absent", source(b"three"), first.etag)
    assert _body(store, "key")[1] == b"two"
    assert store.head("absent") is None


def test_a_large_file_is_put_whole(store: Store, tmp_path: Path) -> None:
    data = noise(BIG // 2)
    assert store.put_new("big.zip", _file(tmp_path, data))
    assert _body(store, "big.zip")[1] == data


def test_no_writer_undoes_another(store: Store) -> None:
    def append(letter: str) -> None:
        for _ in range(2):
            while True:
                raw, etag = read(store, "log") or (b"", None)
                if store.put_if("log", raw + letter.encode(), etag):
                    break

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(append, "abcdefgh"))
    assert sorted(_body(store, "log")[1].decode()) == sorted("abcdefgh" * 2)


def test_one_of_many_creators_wins(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: store.put_new("key", str(number).encode()), range(8)))
    assert won.count(True) == 1
    assert _body(store, "key")[1] == str(won.index(True)).encode()


def test_keys_are_listed_sorted_by_their_bytes(store: Store) -> None:
    keys = ["b/2", "a", "b/1", "b/10/x", "bc", "b.d", "b-e/f", "b/1.x", "B/upper", "@/at"]
    assert list(store.list()) == []
    for key in keys:
        store.put_new(key, b"")
    for prefix in ("", "b/", "b", "b/1", "b/10/", "c", "c/d"):
        assert list(store.list(prefix)) == sorted((key for key in keys if key.startswith(prefix)), key=str.encode)


def test_nothing_is_written_where_no_key_is(store: Store) -> None:
    for key in UNFIT:
        with pytest.raises(BadInput, match="not a key of a hub"):
            store.put_new(key, b"")
        with pytest.raises(BadInput, match="not a key of a hub"):
            store.put_if(key, b"", None)
    assert list(store.list()) == []


def test_who_only_reads_says_so(bare: Place) -> None:
    if bare.kind in WRITTEN:
        assert bare.reader.put_new(f"{next(bare.numbers)}/new", b"")
        return
    with pytest.raises(PublishError):
        bare.reader.put_new("new", b"")
    with pytest.raises(PublishError):
        bare.reader.put_if("new", b"", None)
    with pytest.raises(HubUnavailable, match="lists nothing"):
        list(bare.reader.list())
    assert bare.reader.head("new") is None
