"""The index: written by many at once, believed only where it speaks of its own name."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import TIME, released
from wellread.errors import BadInput, IntegrityError, PublishError, VersionConflict
from wellread.registry import index
from wellread.registry.names import ModelName
from wellread.registry.records import Release, decode, encode
from wellread.registry.stores import Store, open_store, read

TINY = ModelName("tiny")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "hub")


def test_where_things_lie() -> None:
    shards = [hashlib.sha256(text).hexdigest()[:2] for text in (b"small_bert_L8_512", b"en.embed.bert")]
    assert index.index_key(ModelName("small_bert_L8_512")) == f"index/{shards[0]}/small_bert_L8_512.jsonl"
    assert index.alias_key("en.embed.bert") == f"aliases/{shards[1]}/en.embed.bert.json"


def test_a_name_that_nobody_published_has_no_releases(store: Store) -> None:
    assert index.read_releases(store, TINY) == ()
    assert index.read_catalog(store) == ()
    assert index.read_alias(store, "en.embed.bert") is None


def test_each_release_is_a_line_and_its_serial_the_revision(store: Store) -> None:
    for number in range(3):
        added = index.add_release(store, released(time=TIME + number))
        assert added.serial == number + 1
    assert [(line.time - TIME, line.serial) for line in index.read_releases(store, TINY)] == [(0, 1), (1, 2), (2, 3)]


def test_the_same_release_again_changes_nothing(store: Store) -> None:
    first = index.add_release(store, released())
    before = read(store, index.index_key(TINY))
    assert index.add_release(store, released(serial=7)) == first
    assert read(store, index.index_key(TINY)) == before


def test_a_version_with_other_bytes_is_a_conflict(store: Store) -> None:
    index.add_release(store, released())
    with pytest.raises(VersionConflict, match=r"A published version never changes.*--time"):
        index.add_release(store, released(sha256="1" * 64))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"file": "other_en_2.6.0_2.4_1598344705269.zip"},
        {"file": "../tiny_en_2.6.0_2.4_1598344705269.zip"},
        {"id": "2.6.0_2.4_1"},
        {"folder": "../.."},
        {"folder": "/etc"},
        {"language": "en/.."},
        {"sha256": "x"},
        {"manifest": "0"},
        {"manifest_size": 2**40},
        {"manifest_size": 0},
        {"manifest_size": 2000},
        {"size": -1},
        {"serial": 0},
        {"time": 12},
    ],
)
def test_a_line_about_anything_else_is_not_believed(store: Store, change: dict[str, Any]) -> None:
    line = json.loads(encode(released())) | change
    store.put_new(index.index_key(TINY), json.dumps({"release": line}).encode())
    with pytest.raises(IntegrityError, match=r"tiny\.jsonl"):
        index.read_releases(store, TINY)
    if {"name", "serial"}.isdisjoint(change):  # which a writer sets
        with pytest.raises(IntegrityError):
            index.add_release(open_store(Path(store.url) / "other"), decode(json.dumps(line).encode(), Release, "line"))


_LATER = (
    b'{"signatures": [{"keyid":"k","sig":"s"}],  "release":{"format":2,"serial":7,"folder":"f","file":"g","x":[1]}}'
)
_STATE = b'{"release":{"state":"withdrawn","serial":3},"more":{"a":"b"}}'


@pytest.mark.parametrize("line", [_LATER, _STATE])
def test_lines_for_a_later_wellread_are_passed_over_with_one_warning_and_kept_as_they_are(
    store: Store, line: bytes
) -> None:
    first = index.add_release(store, released())
    path = Path(store.url) / index.index_key(TINY)
    odd = path.read_bytes().replace(b'"why":', b'"later": {"b": 1.0},  "why":')
    path.write_bytes(odd + line)
    added = index.add_release(store, released(time=TIME + 1))
    assert path.read_bytes().startswith(odd + line + b"\n")
    assert added.serial > json.loads(line)["release"]["serial"]
    with pytest.warns(UserWarning, match="1 of its lines need a later wellread: upgrade") as caught:
        assert index.read_releases(store, TINY) == (first, added)
    assert len(caught) == 1


def test_a_version_that_a_later_wellread_listed_is_not_listed_again(store: Store) -> None:
    line = json.loads(encode(released())) | {"format": 2}
    store.put_new(index.index_key(TINY), json.dumps({"release": line}).encode())
    with pytest.raises(PublishError, match="needs a later wellread: upgrade"):
        index.add_release(store, released())


def test_what_a_signature_covers_stands_in_the_line_as_it_was_signed(store: Store) -> None:
    index.add_release(store, released())
    index.add_release(store, released(time=TIME + 1))
    for line, release in zip(_raw_lines(store), index.read_releases(store, TINY), strict=True):
        start, end = line.index(b":") + 1, line.rindex(b',"signatures":[]')
        assert line[start:end] == encode(release)
        assert bytes(decode(line, index.Line, "line").release) == line[start:end]


def _raw_lines(store: Store) -> list[bytes]:
    found = read(store, index.index_key(TINY))
    return found[0].splitlines() if found else []


def _publish(root: Path, worker: int, times: int) -> None:
    for number in range(times):
        index.add_release(open_store(root), released(time=TIME + 100 * worker + number))


def test_publishers_at_once_lose_no_line(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_publish, args=(tmp_path / "hub", worker, 5)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = index.read_releases(open_store(tmp_path / "hub"), TINY)
    assert sorted(line.serial for line in lines) == list(range(1, 21))
    assert len({line.time for line in lines}) == 20


class Beaten:
    """A store in which another writer is always faster."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.url = store.url

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def put_if(self, *_: Any) -> bool:
        return False


def test_the_index_gives_up_with_an_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(PublishError, match="changed 100 times"):
        index.add_release(Beaten(store), released())


@pytest.mark.parametrize("change", [{"name": "../x"}, {"language": "EN"}, {"reference": "other"}, {"format": 2}])
def test_an_alias_about_anything_else_is_not_believed(store: Store, change: dict[str, Any]) -> None:
    line = {"reference": "en.tiny", "name": "tiny", "language": "en"} | change
    store.put_new(index.alias_key("en.tiny"), json.dumps(line).encode())
    with pytest.raises(IntegrityError, match=r"en\.tiny\.json"):
        index.read_alias(store, "en.tiny")
    with pytest.raises(BadInput, match="not a reference"):
        index.read_alias(store, "../en.tiny")


def test_lines_survive_the_file(store: Store) -> None:
    line = released(state="yanked", why="wrong “licence”")
    added = index.add_release(store, line)
    assert index.read_releases(store, TINY) == (added,)
    assert isinstance(added, Release) and added.why == line.why
