"""The index: written by many at once, believed only where it speaks of its own name."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from tests.registry.samples import TIME, make_manifest, released
from wellread.errors import IntegrityError, PublishError, VersionConflict
from wellread.registry import index
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Alias, HubInfo, Release, decode, encode
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
    store.put_new(index.index_key(TINY), json.dumps(line).encode())
    with pytest.raises(IntegrityError, match=r"tiny\.jsonl"):
        index.read_releases(store, TINY)


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


class _Beaten:
    """A store in which another writer is always faster."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.url = store.url

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def put_if(self, *_: Any) -> bool:
        return False


def test_views_give_up_with_a_warning_and_the_index_with_an_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.warns(UserWarning, match=r"catalog\.jsonl is out of date.*[Pp]ublish the release again"):
        index.update_views(_Beaten(store), make_manifest(), "2.6.0_2.4_1")
    with pytest.raises(PublishError, match="changed 100 times"):
        index.add_release(_Beaten(store), released())


def test_views_say_what_there_is(store: Store) -> None:
    for name, language in (("b", "en"), ("a", "fr"), ("a", "en"), ("b", "en")):
        index.update_views(store, make_manifest(name=name, language=language, title=f"T {name}"), "2.6.0_2.4_1")
    entries = index.read_catalog(store)
    assert [(entry.name, entry.language, entry.title) for entry in entries] == [
        ("a", "en", "T a"),
        ("a", "fr", "T a"),
        ("b", "en", "T b"),
    ]
    found = read(store, index.HUB)
    assert found and decode(found[0], HubInfo, "hub.json") == HubInfo(name="hub")


def test_an_alias_leads_to_its_model_and_the_first_keeps_it(store: Store) -> None:
    reference = "en.embed.bert.tiny"
    index.update_views(store, make_manifest(aliases=(reference,)), "2.6.0_2.4_1")
    index.update_views(store, make_manifest(aliases=(reference,)), "2.6.0_2.4_2")
    with pytest.warns(UserWarning, match=r"stands for tiny \(en\).*left as it is"):
        index.update_views(store, make_manifest(name="other", aliases=(reference,)), "2.6.0_2.4_1")
    assert index.read_alias(store, reference) == Alias(reference=reference, name=TINY, language=Lang("en"))


def test_lines_survive_the_file(store: Store) -> None:
    line = released(state="yanked", why="wrong “licence”")
    added = index.add_release(store, line)
    assert index.read_releases(store, TINY) == (added,)
    assert isinstance(added, Release) and added.why == line.why
