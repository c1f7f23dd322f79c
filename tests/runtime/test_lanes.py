"""Batches side by side: in their order, as many at once as there are cores, and no more than are taken."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellread.registry.records import Manifest
from wellread.runtime.lanes import side_by_side
from wellread.runtime.model import Model
from wellread.runtime.session import Session

pytestmark = pytest.mark.press

FEW, MANY = ["the quick brown fox"] * 20, [f"the quick brown fox jumps {'over ' * (n % 9)}" for n in range(1000)]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """(threads of the session, the thread that ran it) of every batch."""
    found: list[tuple[int, str]] = []
    run = Session.run

    def noted(session: Session, *batch: Any) -> Any:
        found.append((session.threads, threading.current_thread().name))
        return run(session, *batch)

    monkeypatch.setattr(Session, "run", noted)
    return found


def test_many_batches_have_a_core_each_and_few_have_all(
    folder: Path, manifest: Manifest, runs: list[tuple[int, str]]
) -> None:
    model = Model(folder, manifest, "onnx", threads=3)
    model.encode(FEW)
    assert runs == [(3, "MainThread")]
    runs.clear()
    model.encode(MANY)
    assert {cores for cores, _ in runs} == {1}
    assert {thread for _, thread in runs} == {f"wellread_{number}" for number in range(3)}


@pytest.mark.parametrize("level", ["sentence", "token"])
def test_vectors_are_the_same_on_any_number_of_cores(folder: Path, manifest: Manifest, level: Any) -> None:
    one, three = (
        Model(folder, manifest, "onnx", threads=threads).encode(MANY, output_level=level) for threads in (1, 3)
    )
    vectors: Callable[[Any], Any] = np.concatenate if level == "sentence" else lambda found: [w.vectors for w in found]
    for left, right in zip(vectors(one), vectors(three), strict=True):
        np.testing.assert_allclose(left, right, rtol=0, atol=2e-6)


@pytest.mark.parametrize("done", ["replaced", "removed"])
def test_an_open_model_goes_on_where_its_file_is_another_and_never_opens_that(
    folder: Path, manifest: Manifest, tmp_path: Path, runs: list[tuple[int, str]], done: str
) -> None:
    shutil.copytree(folder, tmp_path / "own")
    model = Model(tmp_path / "own", manifest, "onnx", threads=2)
    if done == "replaced":
        (tmp_path / "own/onnx/model_int8.onnx").replace(tmp_path / "own/onnx/model.onnx")
    else:
        (tmp_path / "own/onnx/model.onnx").unlink()
    expected = Model(folder, manifest, "onnx", threads=1).encode(MANY)
    runs.clear()
    np.testing.assert_allclose(model.encode(MANY), expected, rtol=0, atol=2e-6)
    assert {cores for cores, _ in runs} == {2}


@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7])
def test_each_piece_comes_with_its_result_in_order(lanes: int, size: int) -> None:
    assert list(side_by_side(lambda x: x * x, range(size), lanes)) == [(x, x * x) for x in range(size)]


def test_as_many_are_computed_at_once_as_there_are_lanes() -> None:
    together = threading.Barrier(3)
    assert [made for _, made in side_by_side(lambda _: together.wait(30) >= 0, range(6), 3)] == [True] * 6


def test_a_single_lane_is_the_caller_himself() -> None:
    found = side_by_side(lambda _: threading.get_ident(), range(3), 1)
    assert {made for _, made in found} == {threading.get_ident()}


def test_an_error_comes_in_the_place_of_its_result() -> None:
    found = side_by_side(lambda x: 1 // (x - 1), range(9), 2)
    assert next(found) == (0, -1)
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_who_stops_taking_waits_for_nothing_that_was_not_begun() -> None:
    begun: list[int] = []
    taken = list(islice(side_by_side(begun.append, count(), 2), 3))
    assert [piece for piece, _ in taken] == [0, 1, 2]
    assert len(begun) <= 3 + 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wellread")]
