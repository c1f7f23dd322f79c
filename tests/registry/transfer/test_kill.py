"""kill -9 at any moment, over a slow network: nothing wrong stays, and only what is missing is transferred again."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from tests.registry.processes import start
from tests.registry.samples import make_sample, noise
from tests.registry.transfer.throttled import throttled
from tests.registry.watched import far_apart, list_in
from wellread.registry.artifact import layout
from wellread.registry.cache.entry import Entry
from wellread.registry.pieces import Piece, pieces_of, stretch
from wellread.registry.records import PIECE

_FETCH = """
import sys
from wellread.registry.transfer import climb
from wellread.registry.transfer import download
from wellread.registry.transfer.fetch import bring
from wellread.registry.hub.index import read_releases
from wellread.registry.retry import open_hub
climb.SETTLE, climb.WINDOW, download._TICK = 0.02, 0.1, 0.01
hub = open_hub(sys.argv[1])
release = read_releases(hub, "tiny")[0]
print("begins", flush=True)
print(bring(hub, release, "onnx", prove=lambda *_: None)[0])
"""
IN_FLIGHT = 4 * 1024 * 1024
"""Bytes that a connection may have on the way, in the sockets of both sides."""


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_each_run_transfers_only_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance, data = random.Random(seed), noise(8 * PIECE + 100, str(seed))
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    sample = make_sample(tmp_path, far_apart(**{"onnx/model.onnx": data}))
    _, release = list_in(sample, tmp_path / "hub")
    entry = Entry(sample.zip.stem, release.manifest)
    first = layout.offsets(sample.manifest, release.manifest_size)["onnx/model.onnx"]
    pieces = pieces_of(sample.manifest.member("onnx/model.onnx"), first)
    died, there, killed = 0, set[Piece](), True
    with throttled(tmp_path / "hub", rate=25e6) as server:
        while killed:
            server.given = []
            with start(_FETCH, server.url) as child:
                assert child.stdout
                assert child.stdout.readline() == "begins\n"
                time.sleep(chance.uniform(0.1, 0.9))
                child.kill()
                output = child.communicate()[0]
            killed = child.returncode == -signal.SIGKILL
            assert killed or child.returncode == 0, output
            died += killed
            before, there = there, {piece for piece in pieces if _has(entry.path, piece, data, first)}
            assert before <= there
            for begun, sent in server.given:
                assert not [piece for piece in before if piece.start < begun + sent and begun < piece.end]
                came = {piece for piece in pieces if begun <= piece.start and piece.end <= begun + sent - IN_FLIGHT}
                assert len(came - there) <= 1  # the one that was just being written
    assert died >= 1
    assert entry.holds("onnx", full=True)
    assert (entry.path / "onnx/model.onnx").read_bytes() == data
    assert not list(entry.path.rglob("incoming-*"))


def _has(folder: Path, piece: Piece, data: bytes, first: int) -> bool:
    """Whether a piece of ``data`` is in its place in a file of the cache, whole or begun."""
    at = piece.start - first
    return any(
        b"".join(stretch(path, at, piece.size)) == data[at : at + piece.size]
        for path in folder.rglob("*")
        if path.is_file()
    )


def test_an_interrupted_download_over_http_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    data = noise(3 * PIECE)
    sample = make_sample(tmp_path, far_apart(**{"onnx/model.onnx": data}))
    _, release = list_in(sample, tmp_path / "hub")
    entry = Entry(sample.zip.stem, release.manifest)
    with throttled(tmp_path / "hub", rate=40e6) as server:
        with start(_FETCH, server.url) as child:
            while not any(path.stat().st_size >= PIECE for path in tmp_path.glob("home/**/incoming-*")):
                time.sleep(0.01)
            child.kill()
            child.communicate()
        missing = entry.incoming(sample.manifest.member("onnx/model.onnx")).missing
        assert missing < {0, 1, 2}
        server.given = []
        with start(_FETCH, server.url) as child:
            output = child.communicate()[0]
        assert output == f"begins\n{entry.path}\n"
        assert server.sent < len(missing) * PIECE + 20_000
    assert (entry.path / "onnx/model.onnx").read_bytes() == data
