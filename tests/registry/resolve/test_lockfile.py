"""The lock file: the same lock is the same bytes, and what it says is checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.registry.samples import TIME, released
from wellread.errors import BadInput, IntegrityError, NotFound
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Release
from wellread.registry.resolve.lockfile import Lock, add, check_locked, entry_for, lock_release, read_lock, write_lock

HUB = "https://models.example.org"


def _release(name: str = "tiny", lang: str = "en", time: int = TIME) -> Release:
    return released(name=ModelName(name), language=Lang(lang), time=time)


def test_a_lock_is_sorted_and_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    entries = [lock_release(_release(name, lang), HUB) for name, lang in (("b", "fr"), ("b", "en"), ("a", "xx"))]
    for file, order in (("one", entries), ("two", entries[::-1])):
        write_lock(tmp_path / file, add(Lock(), order))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    lock = read_lock(tmp_path / "one")
    assert [(each.name, each.language) for each in lock.models] == [("a", "xx"), ("b", "en"), ("b", "fr")]
    assert json.loads((tmp_path / "one").read_text())["models"][0]["hub"] == HUB


def test_a_newer_release_takes_the_place_of_the_old_and_keeps_its_references() -> None:
    lock = add(Lock(), [lock_release(_release(), HUB, asked="en.embed.tiny"), lock_release(_release("other"), HUB)])
    lock = add(lock, [lock_release(_release(time=TIME + 1), HUB, ("ab",), asked="tiny")])
    (other, tiny) = lock.models
    assert (tiny.release, tiny.signers, tiny.references) == (f"2.6.0_2.4_{TIME + 1}", ("ab",), ("en.embed.tiny",))
    assert entry_for(lock, "en.embed.tiny", "xx", "wellread.lock") == tiny
    lock = add(lock, [lock_release(_release("other"), HUB, asked="en.embed.tiny")])
    assert entry_for(lock, "en.embed.tiny", "en", "wellread.lock").name == other.name
    assert entry_for(lock, "tiny", "en", "wellread.lock").references == ()


def test_what_is_not_locked_is_explained() -> None:
    lock = add(Lock(), [lock_release(_release(), HUB)])
    with pytest.raises(
        NotFound, match=r"It is locked in: en\. To add it: wellread lock tiny --lang fr --file my\.lock$"
    ):
        entry_for(lock, "tiny", "fr", "my.lock")
    with pytest.raises(NotFound, match=r"Did you mean 'tiny'\? To add it: wellread lock tinny --lang en$"):
        entry_for(lock, "tinny", "en", "wellread.lock")


def test_another_manifest_is_another_release() -> None:
    entry = lock_release(_release(), HUB)
    check_locked(entry, _release(), HUB)
    with pytest.raises(IntegrityError, match=r"is not the one that was locked \(manifest 1111"):
        check_locked(entry, released(manifest="1" * 64), HUB)


def test_what_has_no_digest_is_not_locked() -> None:
    with pytest.raises(BadInput, match="cannot be locked"):
        lock_release(released(manifest="", sha256=""), HUB)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "../x"), ("language", "EN"), ("folder", "../x"), ("release", "latest"), ("manifest", "abc"),
     ("references", ["a/b"]), ("hub", 3), ("size", "big")],
)  # fmt: skip
def test_a_lock_that_nobody_wrote_is_refused(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "wellread.lock"
    write_lock(path, add(Lock(), [lock_release(_release(), HUB)]))
    stated = json.loads(path.read_text())
    stated["models"][0][field] = value
    path.write_text(json.dumps(stated))
    with pytest.raises(BadInput, match=r"wellread\.lock is damaged: "):
        read_lock(path)


def test_a_lock_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no lock file .*write it with 'wellread lock NAME"):
        read_lock(tmp_path / "absent.lock")
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        read_lock(tmp_path)
    (tmp_path / "later.lock").write_text('{"format": 2, "models": []}')
    with pytest.raises(BadInput, match="later format"):
        read_lock(tmp_path / "later.lock")
