"""Downloading: the same bytes whatever streams there are, and what came stays when it breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.registry.samples import make_sample, noise
from wellread.errors import HubUnavailable, IntegrityError, WellreadError
from wellread.registry.artifact import layout
from wellread.registry.artifact.package import Package, open_artifact
from wellread.registry.cache.incoming import Incoming
from wellread.registry.pieces import CHUNK, Piece
from wellread.registry.records import PIECE
from wellread.registry.stores import Body
from wellread.registry.transfer import climb, download
from wellread.registry.transfer.climb import Climb
from wellread.registry.transfer.progress import Bar, Silence

PIECES = 8
GRAPH = noise(PIECES * PIECE - 1000)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("artifact"), {"onnx/model.onnx": GRAPH}).zip


class Place:
    """Gives the bytes of a zip to any number of streams, and knows how many read at once.

    ``chunk(number, open)`` is called before each chunk of the ``number``-th read, with how many reads are open.
    """

    def __init__(self, artifact: Path, chunk: Callable[[int, int], object] = lambda *_: None, streams: int = 4) -> None:
        local = open_artifact(artifact)
        self.local, self.chunk = local, chunk
        self.reads: list[tuple[int, int]] = []
        self.sent = self.open = self.most = 0
        self.package = Package(local.where, local.raw, local.manifest, self._body, local.first, streams)

    def _body(self, start: int, length: int) -> Body:
        self.reads.append((start, length))
        return Body(self.local.first, self._chunks(len(self.reads) - 1, start, length))

    def _chunks(self, number: int, start: int, length: int) -> Iterator[bytes]:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            for chunk in self.local.stretch(start, length):
                self.chunk(number, self.open)
                self.sent += len(chunk)
                yield chunk
        finally:
            self.open -= 1

    def parts(self, folder: Path, names: Iterable[str] = ("onnx/model.onnx",)) -> list[Incoming]:
        at = layout.offsets(self.package.manifest, len(self.package.raw))
        members = [self.package.manifest.member(name) for name in names]
        return [
            Incoming(
                member, folder / member.name, folder / f"incoming-{member.name.replace('/', '-')}", at[member.name]
            )
            for member in members
        ]


def _wanting(monkeypatch: pytest.MonkeyPatch, wanted: Callable[[int], int]) -> None:
    """Let the number of streams be ``wanted(bytes received)`` instead of being climbed to."""

    def watch(self: Climb, received: int, left: int) -> int:
        self.wanted = min(wanted(received), self._most)
        return self.wanted

    monkeypatch.setattr(Climb, "watch", watch)
    monkeypatch.setattr(download, "_TICK", 0.005)


def _fetch(place: Place, folder: Path, bar: Bar | None = None) -> None:
    download.download(place.package, place.parts(folder), bar or Silence())
    assert (folder / "onnx/model.onnx").read_bytes() == GRAPH
    assert not list(folder.glob("incoming-*"))


def _slow(*_: int) -> None:
    time.sleep(0.002)


# ---------------------------------------------------------------- streams


def test_one_stream_asks_once_for_what_lies_together(artifact: Path, tmp_path: Path) -> None:
    place = Place(artifact, streams=1)
    parts = place.parts(tmp_path, ["golden.json", "onnx/model.onnx", "tokenizer.json", "empty.txt"])
    download.download(place.package, parts, Silence())
    assert (tmp_path / "onnx/model.onnx").read_bytes() == GRAPH
    assert (tmp_path / "tokenizer.json").read_bytes() == b"{}"
    assert (tmp_path / "empty.txt").read_bytes() == b""
    assert len(place.reads) == 1


@pytest.mark.parametrize("most", [2, 4])
def test_several_streams_give_the_same_bytes_and_read_nothing_twice(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    _wanting(monkeypatch, lambda _: most)
    place = Place(artifact, _slow)
    _fetch(place, tmp_path)
    assert place.most > 1
    assert place.sent < len(GRAPH) + CHUNK * len(place.reads)


def test_streams_that_come_and_go_lose_nothing(artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _wanting(monkeypatch, lambda received: (1, 4, 1, 3, 2)[received // (16 * 1024 * 1024) % 5])
    place = Place(artifact, _slow)
    _fetch(place, tmp_path)
    assert place.most > 1


def test_a_place_that_gives_each_connection_a_share_is_read_by_several(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(climb, "SETTLE", 0.02)
    monkeypatch.setattr(climb, "WINDOW", 0.1)
    monkeypatch.setattr(download, "_TICK", 0.01)
    place = Place(artifact, lambda *_: time.sleep(0.03))
    _fetch(place, tmp_path)
    assert place.most > 1


def test_a_place_that_refuses_more_connections_is_read_by_one(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wanting(monkeypatch, lambda _: 4)
    refused = []

    def refuse(number: int, reading: int) -> None:
        _slow()
        if number in (1, 2):
            refused.append(number)
            raise HubUnavailable("too many connections")

    _fetch(Place(artifact, refuse), tmp_path)
    assert refused


def test_a_hub_that_goes_away_is_an_error(artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _wanting(monkeypatch, lambda _: 4)
    place = Place(artifact)

    def go(number: int, reading: int) -> None:
        _slow()
        if place.sent > 3 * PIECE:
            raise HubUnavailable("gone")

    place.chunk = go
    with pytest.raises(HubUnavailable, match="gone"):
        _fetch(place, tmp_path)
    assert not (tmp_path / "onnx/model.onnx").exists()


def test_without_ranges_there_is_one_stream(artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _wanting(monkeypatch, lambda _: 4)
    place = Place(artifact, _slow)
    body = place.package.body
    object.__setattr__(place.package, "body", lambda *asked: body(*asked)._replace(ranged=False))
    _fetch(place, tmp_path)
    assert place.most == 1


# ---------------------------------------------------------------- what is kept


def test_pieces_out_of_order_are_kept_and_only_the_others_read(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wanting(monkeypatch, lambda _: 3)
    place = Place(artifact)

    def stop(number: int, reading: int) -> None:
        _slow()
        if place.sent > PIECES // 2 * PIECE:
            raise IntegrityError("enough")

    place.chunk = stop
    with pytest.raises(IntegrityError, match="enough"):
        _fetch(place, tmp_path)
    monkeypatch.undo()
    (part,) = place.parts(tmp_path)
    kept = PIECES - len(part.missing)
    assert kept >= PIECES // 2 - 3  # at most a piece for each stream was on its way
    again = Place(artifact, streams=1)
    _fetch(again, tmp_path)
    assert again.sent <= len(part.missing) * PIECE + CHUNK


def test_what_came_whole_only_takes_its_name(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "incoming-onnx-model.onnx").write_bytes(GRAPH + b"and more")
    place = Place(artifact)
    _fetch(place, tmp_path)
    assert place.reads == []


def test_a_piece_that_differs_twice_ends_it_and_is_not_kept(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wanting(monkeypatch, lambda _: 2)
    place = Place(artifact)
    body, wrong = place.package.body, layout.offsets(place.package.manifest, len(place.package.raw))["onnx/model.onnx"]

    def spoiled(start: int, length: int) -> Body:
        found = body(start, length)
        return found._replace(chunks=iter([b"?" * length])) if start == wrong else found

    object.__setattr__(place.package, "body", spoiled)
    with pytest.raises(IntegrityError, match=rf"onnx/model.onnx differs .* in bytes 0 to {PIECE}, read") as caught:
        _fetch(place, tmp_path)
    assert "publish it again" in str(caught.value) and "network" not in str(caught.value)
    assert 0 in place.parts(tmp_path)[0].missing


def test_a_disk_that_fills_up_keeps_whole_pieces_and_says_what_to_do(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Incoming.write

    def full(self: Incoming, piece: Piece, data: bytes) -> None:
        if piece.number == 3:
            write(self, piece, data[:100])
            raise WellreadError("cannot write: No space left on device; free some space")
        write(self, piece, data)

    monkeypatch.setattr(Incoming, "write", full)
    place = Place(artifact, streams=1)
    with pytest.raises(WellreadError, match="free some space"):
        _fetch(place, tmp_path)
    assert [path.stat().st_size for path in tmp_path.glob("incoming-*")] == [3 * PIECE]


def test_a_disk_that_fails_while_more_comes_ends_it_and_nothing_takes_its_name(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([WellreadError("cannot write: Input/output error")])

    def fail(self: Incoming) -> None:
        for error in failures:  # the system says it once
            raise error

    monkeypatch.setattr(Incoming, "sync", fail)
    monkeypatch.setattr(download, "_TICK", 60)
    with pytest.raises(WellreadError, match="Input/output error"):
        _fetch(Place(artifact), tmp_path)
    assert not (tmp_path / "onnx/model.onnx").exists()


# ---------------------------------------------------------------- somebody who waits


def test_a_bar_is_told_of_every_byte_and_an_interrupt_stops_every_stream(artifact: Path, tmp_path: Path) -> None:
    class Counting(Silence):
        told = 0

        def update(self, n: int, /) -> None:
            self.told += n

    counting = Counting()
    _fetch(Place(artifact), tmp_path / "a", counting)
    assert counting.told == len(GRAPH)

    class Interrupted(Silence):
        def update(self, n: int, /) -> None:
            if n:
                raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        _fetch(Place(artifact, _slow), tmp_path / "b", Interrupted())
    assert threading.active_count() == before
