"""The index: written by many at once, believed only where it speaks of its own name."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.hub.memory import Memory
from tests.registry.samples import TIME, released
from wellread.errors import BadInput, IntegrityError, NotFound, PublishError, VersionConflict
from wellread.registry.hub import entries, index
from wellread.registry.hub.states import set_state
from wellread.registry.names import ModelName
from wellread.registry.records import Release, decode, encode
from wellread.registry.stores import Store, open_store, read
from wellread.registry.trust.keys import Key, new_key
from wellread.registry.trust.signing import signers

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
        assert bytes(decode(line, entries.Line, "line").release) == line[start:end]


def _raw_lines(store: Store) -> list[bytes]:
    found = read(store, index.index_key(TINY))
    return found[0].splitlines() if found else []


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


# ---------------------------------------------------------------- signatures, and lines of other hubs


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Key:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    return new_key()[0]


def _listed(store: Store) -> tuple[index.Listed, ...]:
    found = read(store, index.index_key(TINY))
    return index.parse_index(found[0] if found else b"", TINY, "the index")


def _signers(listed: index.Listed) -> tuple[str, ...]:
    return signers(index.SIGNED, listed.said, listed.signatures)


def test_a_line_is_signed_with_each_key_over_the_bytes_that_stand_in_it(store: Store, key: Key) -> None:
    other, _ = new_key("other")
    release = index.add_release(store, released(), [key, other])
    (listed,) = _listed(store)
    assert (listed.release, listed.said) == (release, encode(release))
    assert _signers(listed) == (key.id, other.id)
    changed = listed._replace(said=listed.said.replace(b"ready", b"reads"))
    assert _signers(changed) == ()


def test_a_key_that_comes_later_signs_what_is_there(store: Store, key: Key) -> None:
    first = index.add_release(store, released())
    assert index.add_release(store, released(), [key]) == first
    other, _ = new_key("other")
    assert index.add_release(store, released(), [key, other]) == first
    (listed,) = _listed(store)
    assert _signers(listed) == (key.id, other.id)
    before = _raw_lines(store)
    index.add_release(store, released(), [other])
    assert _raw_lines(store) == before


def test_a_key_does_not_sign_what_others_say(store: Store, key: Key) -> None:
    index.add_release(store, released(md5="1" * 32))
    index.add_release(store, released(), [key])
    assert [_signers(listed) for listed in _listed(store)] == [()]


def test_a_line_of_another_hub_is_taken_as_it_is(store: Store, tmp_path: Path, key: Key) -> None:
    for time in (TIME, TIME + 1):
        index.add_release(store, released(time=time), [key])
    path = Path(store.url) / index.index_key(TINY)
    path.write_bytes(path.read_bytes().replace(b'"time":', b'"new": [1.0],  "time":'))
    second = _listed(store)[1]
    there = open_store(tmp_path / "there")
    assert index.add_line(there, _raw_lines(store)[1] + b"\n") == second.release
    assert index.add_line(there, second.line) == second.release
    assert _raw_lines(there) == _raw_lines(store)[1:]
    assert index.add_release(there, released(time=TIME + 2)).serial == second.release.serial + 1
    with pytest.raises(VersionConflict):
        index.add_line(there, index.encode_line(released(time=TIME + 2, sha256="1" * 64)))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"x",
        index.encode_line(released()) + b"\n" + index.encode_line(released(time=TIME + 1)),
        index.encode_line(released()).replace(b",", b",\n"),
        index.encode_line(released(name="../x", file="../x_en_2.6.0_2.4_1598344705269.zip")),
        index.encode_line(released(folder="index")),
        index.encode_line(released(manifest="", sha256="")),
        index.encode_line(msgspec.structs.replace(released(), format=2)),
    ],
)
def test_a_line_that_no_reader_would_believe_is_not_taken(store: Store, line: bytes) -> None:
    with pytest.raises(IntegrityError):
        index.add_line(store, line)
    assert list(store.list()) == []


# ---------------------------------------------------------------- any interleaving of writers


class Interrupted:
    """A store in which other writers get in between a writer's reading and its writing."""

    def __init__(self, store: Store, rivals: Iterator[Callable[[Store], object]], when: Iterator[bool]) -> None:
        self.store, self.rivals, self.when = store, rivals, when
        self.url = store.url

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def put_if(self, key: str, source: bytes, etag: str | None) -> bool:
        while next(self.when, False) and (rival := next(self.rivals, None)):
            rival(self)  # type: ignore[arg-type]  # which may be interrupted in turn
        return self.store.put_if(key, source, etag)


def _sketch(moment: int, digit: str) -> Release:
    return released(time=TIME + moment, sha256=digit * 64)


def _adding(release: Release) -> Callable[[Store], object]:
    return lambda store: index.add_release(store, release)


def _copying(release: Release) -> Callable[[Store], object]:
    return lambda store: index.add_line(store, index.encode_line(release))


def _barring(release: Release) -> Callable[[Store], object]:
    return lambda store: index.bar(store, release, "2" * 64)


def _yanking(release: Release) -> Callable[[Store], object]:
    return lambda store: set_state(store, TINY, release.language, release.id, release.folder, "yanked", "why")


def _forgiven(write: Callable[[Store], object]) -> Callable[[Store], object]:
    def run(store: Store) -> object:
        try:
            return write(store)
        except (VersionConflict, NotFound) as error:
            return error

    return run


_RELEASES = st.builds(_sketch, st.integers(0, 5), st.sampled_from("01"))
_WRITES = st.one_of(*(_RELEASES.map(make) for make in (_adding, _copying, _barring, _yanking))).map(_forgiven)
_FOREIGN = st.lists(st.sampled_from([_LATER, _STATE, b' {"release" : {"format":3} } ']), max_size=3)


@settings(deadline=None, max_examples=60)
@given(st.lists(_WRITES, max_size=12), st.lists(st.booleans(), max_size=60), _FOREIGN)
def test_however_writers_interleave_no_line_is_lost_and_serials_grow(
    writes: list[Callable[[Store], object]], when: list[bool], foreign: list[bytes]
) -> None:
    memory = Memory()
    if foreign:
        memory.put_new(index.index_key(TINY), b"\n".join(foreign))
    rivals = iter(writes)
    store = Interrupted(memory, rivals, iter(when))
    told = [outcome for write in rivals if isinstance(outcome := write(store), Release)]  # type: ignore[arg-type]
    lines = index.read_lines(memory, TINY)
    assert [line.line for line in lines][: len(foreign)] == foreign
    listed = {line.listed.release.path: line.listed.release for line in lines if line.listed}
    assert len(listed) == sum(line.listed is not None for line in lines)
    for release in told:
        assert listed[release.path].sha256 == release.sha256
        assert listed[release.path].serial >= release.serial
    for earlier, later in itertools.pairwise(memory.said):
        _check_step(earlier, later)


def _check_step(earlier: bytes, later: bytes) -> None:
    """One write changed or added one line, whose serial is above all others; lines of other hubs keep theirs."""
    before, after = (data.splitlines() for data in (earlier, later))
    assert len(after) - len(before) in (0, 1)
    changed = [line for line in after if line not in before]
    assert len(changed) == 1
    assert len([line for line in before if line not in after]) == (len(after) == len(before))
    new = json.loads(changed[0])["release"]
    highest = max((json.loads(line)["release"].get("serial", 0) for line in before), default=0)
    assert new["serial"] > highest or (new["serial"] == 1 and len(after) > len(before))
