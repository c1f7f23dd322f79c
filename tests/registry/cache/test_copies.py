"""What hubs said: asked once per ttl, believed when they are away, never when it was damaged."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.registry.listening import DAY, Listening, age, kept, listening
from tests.registry.processes import unprivileged
from wellread.errors import HubUnavailable, IntegrityError
from wellread.registry.cache import copies
from wellread.registry.cache.copies import take
from wellread.registry.home import home
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, open_store

KEY = "index/3f/tiny.jsonl"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("wellread.registry.retry._FIRST", 0.0)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Listening]:
    with listening(tmp_path / "hub") as hub:
        say(hub, b"one\n")
        yield hub


def say(hub: Listening, data: bytes | None) -> None:
    """Let the hub say something else of the key."""
    path = hub.folder / KEY
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True) if data is None else path.write_bytes(data)


def ask(hub: Listening, ttl: float = DAY, **asked: Any) -> bytes | None:
    return read(open_hub(hub.url), ttl=ttl, **asked)


def read(store: Store, key: str = KEY, ttl: float = DAY, offline: bool = False, **asked: Any) -> bytes | None:
    copy = take(store, key, ttl=ttl, offline=offline, **asked)
    return copy.raw if copy and copy.counts(offline) else None


def the_copy() -> Path:
    (path,) = (path for path in (home() / "cache/hubs").rglob("*.jsonl"))
    return path


def test_within_the_ttl_a_hub_is_asked_once(hub: Listening) -> None:
    assert [ask(hub), ask(hub), ask(hub)] == [b"one\n"] * 3
    age(DAY - 60)
    assert ask(hub) == b"one\n"
    assert hub.taken() == [f"200 {KEY}"]
    assert ask(hub, refresh=True) == b"one\n"
    assert hub.taken() == [f"304 {KEY}"]


def test_past_the_ttl_one_conditional_read_is_made(hub: Listening) -> None:
    ask(hub)
    age(DAY)
    assert [ask(hub), ask(hub)] == [b"one\n"] * 2
    assert hub.taken() == [f"200 {KEY}", f"304 {KEY}"]
    age(DAY)
    say(hub, b"two\n")
    assert [ask(hub), ask(hub)] == [b"two\n"] * 2
    assert hub.taken() == [f"200 {KEY}"]


def test_a_miss_is_kept_like_an_answer(hub: Listening) -> None:
    say(hub, None)
    assert [ask(hub), ask(hub)] == [None, None]
    assert hub.taken() == [f"404 {KEY}"]
    say(hub, b"new\n")
    assert ask(hub) is None
    age(DAY)
    assert ask(hub) == b"new\n"
    assert hub.taken() == [f"200 {KEY}"]


def test_a_hub_that_is_away_past_the_ttl_leaves_the_old_copy_and_a_warning(tmp_path: Path) -> None:
    with listening(tmp_path / "hub") as hub:
        say(hub, b"one\n")
        ask(hub)
    assert ask(hub) == b"one\n"
    age(3 * DAY)
    with pytest.warns(UserWarning, match=rf"refused(.|\n)*What {hub.url} said 3 days ago is used"):
        assert ask(hub) == b"one\n"
    for url in (hub.url, "http://127.0.0.1:9"):
        with pytest.raises(HubUnavailable):
            read(open_hub(url), refresh=True)


def test_a_hub_that_does_not_answer_is_not_waited_for(hub: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    assert copies.WAIT == 2.0
    monkeypatch.setattr(copies, "WAIT", 0.3)
    ask(hub)
    age(DAY)
    hub.silent.set()
    with pytest.warns(UserWarning, match=r"did not answer within"):
        assert ask(hub) == b"one\n"
    assert hub.taken() == [f"200 {KEY}", f"--- {KEY}"]


def test_a_hub_that_was_away_is_left_alone_for_a_while(hub: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """By this process quietly, by another with a warning; then it is asked again."""
    ask(hub)
    age(DAY)
    hub.busy.set()
    with pytest.warns(UserWarning, match="503"):
        assert ask(hub) == b"one\n"
    hub.taken()
    hub.busy.clear()
    say(hub, b"two\n")
    assert ask(hub) == b"one\n"
    monkeypatch.setattr(copies, "_warned", {})
    with pytest.warns(UserWarning, match=r"was away \d seconds ago and is left alone for a while\. What .* is used"):
        assert ask(hub) == b"one\n"
    assert ask(hub) == b"one\n"
    assert hub.taken() == []
    (away,) = (home() / "cache/hubs").glob("*/.away")
    os.utime(away, (0, away.stat().st_mtime - copies.PAUSE))
    monkeypatch.setattr(copies, "_warned", {})
    assert ask(hub) == b"two\n"
    assert hub.taken() == [f"200 {KEY}"]


def test_a_hub_of_which_only_the_site_has_copies_is_left_alone_too(
    hub: Listening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(hub)
    (home() / "cache").rename(tmp_path / "site")
    monkeypatch.setenv("WELLREAD_SITE_CACHE", str(tmp_path / "site"))
    hub.busy.set()
    for said in ("503", "left alone"):
        monkeypatch.setattr(copies, "_warned", {})
        with pytest.warns(UserWarning, match=said):
            assert ask(hub, ttl=0) == b"one\n"


def test_a_hub_that_refuses_costs_no_time_and_is_asked_every_time(hub: Listening) -> None:
    ask(hub)
    age(DAY)
    hub.private.set()
    for _ in range(2):
        with pytest.warns(UserWarning, match="401"):
            assert ask(hub) == b"one\n"


def test_a_hub_that_answers_again_is_not_left_alone(hub: Listening) -> None:
    ask(hub)
    age(DAY)
    hub.busy.set()
    with pytest.warns(UserWarning, match="503"):
        ask(hub)
    hub.busy.clear()
    assert ask(hub, refresh=True) == b"one\n"
    age(DAY)
    hub.taken()
    assert ask(hub) == b"one\n"
    assert hub.taken() == [f"304 {KEY}"]


def test_what_was_forgotten_is_asked_for_anew(hub: Listening, tmp_path: Path) -> None:
    ask(hub)
    copies.forget(hub.url)
    copies.forget("https://never.example.org")
    assert ask(hub, offline=True) is None
    assert ask(hub) == b"one\n"
    assert hub.taken() == [f"200 {KEY}"] * 2


def test_past_the_ttl_a_busy_hub_is_asked_once(hub: Listening) -> None:
    ask(hub)
    age(DAY)
    hub.busy.set()
    with pytest.warns(UserWarning, match="is used"):
        assert ask(hub) == b"one\n"
    assert hub.taken() == [f"200 {KEY}", f"503 {KEY}"]
    with pytest.raises(HubUnavailable):
        ask(hub, refresh=True)
    assert len(hub.taken()) > 1


def test_what_is_no_answer_past_the_ttl_is_not_kept(hub: Listening) -> None:
    def note(raw: bytes, _: copies.Header | None) -> dict[str, Any]:
        if raw != b"one\n":
            raise IntegrityError("this is a sign-in page")
        return {}

    def asked() -> bytes:
        copy = copies.take(open_hub(hub.url), KEY, ttl=DAY, note=note)
        assert copy
        return copy.raw

    asked()
    age(DAY)
    say(hub, b"<html>")
    with pytest.warns(UserWarning, match="sign-in page"):
        assert asked() == b"one\n"
    say(hub, b"one\n")
    assert asked() == b"one\n"
    the_copy().unlink()
    say(hub, b"<html>")
    with pytest.raises(IntegrityError, match="sign-in page"):
        asked()
    assert list((home() / "cache/hubs").rglob("*.jsonl")) == []


def test_offline_no_socket_is_opened(hub: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(hub)
    age(1000 * DAY)
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("a socket was opened"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ask(hub, offline=True) == b"one\n"
        assert read(open_hub(hub.url), "hub.json", offline=True) is None


def test_offline_what_a_hub_once_had_still_counts(hub: Listening) -> None:
    ask(hub)
    say(hub, None)
    assert ask(hub, refresh=True) is None
    assert ask(hub, offline=True) == b"one\n"
    assert ask(hub) is None


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b'{"format":9}\none\n'], ids=repr)
def test_a_damaged_copy_is_none(hub: Listening, damage: bytes) -> None:
    ask(hub)
    the_copy().write_bytes(damage)
    assert ask(hub, offline=True) is None
    assert ask(hub) == b"one\n"
    assert hub.taken() == [f"200 {KEY}"] * 2


def test_a_copy_with_one_other_byte_or_in_another_place_is_none(hub: Listening) -> None:
    ask(hub)
    copy = the_copy()
    whole = copy.read_bytes()
    copy.write_bytes(whole[:-2] + b"E\n")
    assert ask(hub, offline=True) is None
    copy.write_bytes(whole)
    shutil.copytree(copy.parents[2], copy.parents[3] / ("0" * 16))
    assert [found.raw for found in copies.everywhere("index/*/*.jsonl")] == [b"one\n"]
    other = copy.with_name("other.jsonl")
    copy.rename(other)
    assert read(open_hub(hub.url), "index/3f/other.jsonl", offline=True) is None


def test_a_clock_that_was_set_back_makes_a_copy_old(hub: Listening) -> None:
    ask(hub)
    age(-5 * DAY)
    ask(hub)
    assert hub.taken() == [f"200 {KEY}", f"304 {KEY}"]
    assert kept(hub.url, KEY).young(60)


def test_a_folder_is_read_every_time_and_copied_for_later(tmp_path: Path) -> None:
    path = tmp_path / "hub" / KEY
    path.parent.mkdir(parents=True)
    store = open_store(tmp_path / "hub")
    for said in (b"one\n", b"two\n"):
        path.write_bytes(said)
        assert read(store) == said
    before = the_copy().stat().st_mtime_ns
    assert read(store) == b"two\n"
    assert the_copy().stat().st_mtime_ns == before
    shutil.rmtree(tmp_path / "hub")
    assert read(store) is None
    assert read(store, offline=True) == b"two\n"


def test_a_cache_that_cannot_be_written_serves_as_it_is(hub: Listening, tmp_path: Path) -> None:
    ask(hub)
    script = (
        "from wellread.registry.retry import open_hub; from wellread.registry.cache.copies import take;"
        f"copies = [take(open_hub({hub.url!r}), key, ttl={DAY}) for key in ({KEY!r}, 'hub.json', 'other.json')];"
        "print([copy.there and copy.raw for copy in copies])"
    )
    (hub.folder / "hub.json").write_bytes(b"{}")
    folders = [path for path in (tmp_path / "home").rglob("*") if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        done = subprocess.run(
            [*unprivileged(), sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
        )
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.stdout == "[b'one\\n', b'{}', False]\n"
    assert hub.taken() == [f"200 {KEY}", "200 hub.json", "404 other.json"]


def test_a_site_has_copies_for_all_its_users(hub: Listening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(hub)
    (home() / "cache").rename(tmp_path / "site")
    assert ask(hub, offline=True) is None
    monkeypatch.setenv("WELLREAD_SITE_CACHE", str(tmp_path / "site"))
    hub.taken()
    assert [ask(hub), ask(hub, offline=True)] == [b"one\n"] * 2
    assert [found.raw for found in copies.everywhere(KEY)] == [b"one\n"]
    say(hub, b"two\n")
    assert [ask(hub, refresh=True), ask(hub)] == [b"two\n"] * 2
    assert hub.taken() == [f"200 {KEY}"]
    assert [found.raw for found in copies.everywhere(KEY)] == [b"two\n", b"one\n"]


def test_a_glimpse_is_taken_once_and_never_fails(hub: Listening) -> None:
    (hub.folder / "hub.json").write_bytes(b"{}")
    for _ in range(2):
        copies.glimpse(open_hub(hub.url), "hub.json", ttl=DAY)
    copies.glimpse(open_hub("http://127.0.0.1:9"), "hub.json", ttl=DAY)
    assert hub.taken() == ["200 hub.json"]
