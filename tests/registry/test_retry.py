"""Patience: what broke off goes on at the byte it had reached, and what stays broken is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellread.errors import HubUnavailable, Interrupted, Unreachable
from wellread.registry.retry import FIRST_TRIES, TRIES, PatientStore, open_hub
from wellread.registry.stores import Body, Stat
from wellread.registry.stores.folder import FolderStore

DATA = bytes(range(256)) * 4


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited."""
    found: list[float] = []
    monkeypatch.setattr("time.sleep", found.append)
    return found


class Shaky:
    """A store with one object, that breaks off after so many bytes of each answer, one after the other."""

    url = "https://shaky"

    def __init__(self, breaks: list[int], after: float | None = None) -> None:
        self.breaks, self.after = iter(breaks), after
        self.asked: list[tuple[int, int | None]] = []
        self.etags = iter(["a"] * 99)

    def get_range(self, key: str, start: int = 0, length: int | None = None, *, unless: str | None = None) -> Body:
        self.asked.append((start, length))
        end = len(DATA) if length is None else start + length
        stat, upto = Stat(len(DATA), next(self.etags)), next(self.breaks, None)
        if upto == -1:
            raise Interrupted("no connection", self.after)
        return Body(stat, iter(()) if stat.etag == unless else self._chunks(start, end, upto))

    def _chunks(self, start: int, end: int, upto: int | None) -> Iterator[bytes]:
        for at in range(start, end, 100):
            if upto is not None and at - start >= upto:
                raise Interrupted("broke off", self.after)
            yield DATA[at : min(at + 100, end)]

    def __getattr__(self, name: str) -> Any:
        raise Interrupted(f"no {name}")


def _read(store: Any, *arguments: Any, **options: Any) -> bytes:
    body = PatientStore(store).get_range("key", *arguments, **options)
    assert body is not None
    return b"".join(body.chunks)


@given(st.lists(st.integers(100, 900), max_size=12), st.integers(0, 900), st.none() | st.integers(0, 1024))
def test_a_read_that_breaks_off_again_and_again_is_whole_in_the_end(
    breaks: list[int], start: int, length: int | None
) -> None:
    store, length = Shaky(breaks), None if length is None else min(length, len(DATA) - start)
    end = len(DATA) if length is None else start + length
    assert _read(store, start, length) == DATA[start:end]
    for (before, _), (after, left) in zip(store.asked, store.asked[1:], strict=False):
        assert after > before
        assert left is None or after + left == end


def test_it_goes_on_at_the_byte_reached_and_asks_for_no_more_than_is_missing() -> None:
    store = Shaky([200])
    assert _read(store, 10, 500) == DATA[10:510]
    assert store.asked == [(10, 500), (210, 300)]


def test_a_break_behind_the_last_byte_asks_for_nothing() -> None:
    store = Shaky([])
    store.get_range = lambda *_, **__: Body(Stat(9, "a"), _then_break(b"all of it"))  # type: ignore[method-assign]
    assert _read(store, 0, 9) == b"all of it"


def _then_break(data: bytes) -> Iterator[bytes]:
    yield data
    raise Interrupted("the answer had no end")


def test_what_gets_nowhere_is_given_up(waits: list[float]) -> None:
    store = Shaky([300, *[0] * 99])
    with pytest.raises(Interrupted, match="broke off"):
        _read(store)
    assert len(store.asked) == TRIES
    assert waits == sorted(waits)
    with pytest.raises(Interrupted, match="no connection"):
        _read(Shaky([-1] * 99))


def test_a_place_that_never_answered_is_given_up_soon(waits: list[float]) -> None:
    class Gone:
        url, asked = "https://gone", 0

        def head(self, key: str) -> None:
            self.asked += 1
            if self.asked != 2 + FIRST_TRIES:
                raise Unreachable("no connection")

    gone: Any = Gone()
    store = PatientStore(gone)
    with pytest.raises(Unreachable):
        store.head("k")
    assert gone.asked == FIRST_TRIES and sum(waits) < 2
    store.head("k")
    with pytest.raises(Unreachable):
        store.head("k")
    assert gone.asked == 2 + FIRST_TRIES + TRIES


def test_nothing_is_no_progress() -> None:
    store = Shaky([])

    def empty(start: int, end: int, upto: int | None) -> Iterator[bytes]:
        assert len(store.asked) < 99
        yield b""
        raise Interrupted("broke off")

    store._chunks = empty  # type: ignore[method-assign]
    with pytest.raises(Interrupted, match="broke off"):
        _read(store)


def test_progress_restores_patience() -> None:
    store = Shaky([0, 0, 0, 100, 0, 0, 0, 100, 0, 0, 0])
    assert _read(store) == DATA


def test_a_server_that_says_when_is_waited_for(waits: list[float]) -> None:
    assert _read(Shaky([-1], after=7.0)) == DATA
    assert waits == [7.0]
    with pytest.raises(Interrupted):
        _read(Shaky([-1], after=3600.0))


def test_a_file_that_changed_meanwhile_is_not_patched_together() -> None:
    store = Shaky([200])
    store.etags = iter("ab")
    with pytest.raises(HubUnavailable, match="changed while it was being read; run this again"):
        _read(store)


def test_an_unchanged_file_is_not_read() -> None:
    assert _read(Shaky([]), unless="a") == b""


@pytest.mark.parametrize("operation", ["head", "put_new", "put_if"])
def test_every_operation_is_tried_again(operation: str, waits: list[float]) -> None:
    class Busy:
        url, left = "https://busy", 2

        def _answer(self, *_: object) -> str:
            self.left -= 1
            if self.left >= 0:
                raise Interrupted("busy")
            return "done"

        head = put_new = put_if = _answer

    store: Any = Busy()
    arguments: dict[str, tuple[Any, ...]] = {"head": ("k",), "put_new": ("k", b""), "put_if": ("k", b"", None)}
    assert getattr(PatientStore(store), operation)(*arguments[operation]) == "done"
    assert len(waits) == 2


def test_a_listing_that_breaks_off_names_each_key_once() -> None:
    class Listing:
        url, left = "https://list", [1, 2]

        def list(self, prefix: str = "") -> Iterator[str]:
            upto = self.left.pop() if self.left else None
            yield from ["a", "b", "c"][:upto]
            if upto is not None:
                raise Interrupted("broke off")

    store: Any = Listing()
    found = list(PatientStore(store).list())
    assert found == ["a", "b", "c"]


def test_a_folder_needs_no_patience(tmp_path: Path) -> None:
    assert isinstance(open_hub(tmp_path), FolderStore)
    assert isinstance(open_hub("https://models.example.org"), PatientStore)
