"""The weights of a model are mapped, not copied, and what is computed with them is the same to the bit."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.test_session import IDS, MASK, OUTPUTS, TYPES
from wellread.errors import IntegrityError
from wellread.runtime import mapped
from wellread.runtime import session as sessions
from wellread.runtime.mapped import graph_of
from wellread.runtime.session import Session, onnxruntime

pytestmark = pytest.mark.press

FILES = ("onnx/model.onnx", "onnx/model_int8.onnx")
LARGE = 4096


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large in a tiny model."""
    monkeypatch.setattr(mapped, "LARGE", LARGE)


@pytest.fixture(params=FILES)
def onnx(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(folder / request.param, tmp_path / "model.onnx"))


def wrapped(number: int, content: bytes) -> bytes:
    """A message as a field of another, in protobuf's encoding."""
    return b"".join(map(varint, (number << 3 | 2, len(content)))) + content


def varint(number: int) -> bytes:
    parts = [number >> shift & 127 for shift in range(0, number.bit_length() or 1, 7)]
    return bytes([*(part | 128 for part in parts[:-1]), parts[-1]])


def maps() -> str:
    return Path("/proc/self/maps").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process what it has mapped")
def test_an_open_model_has_its_file_mapped(onnx: Path) -> None:
    session = Session(onnx)
    assert str(onnx) not in maps()
    session.run(IDS, MASK, TYPES, OUTPUTS)
    assert str(onnx) in maps()
    session.close()
    assert str(onnx) not in maps()


def test_the_outputs_are_those_of_the_file_to_the_bit(onnx: Path) -> None:
    feeds = {"input_ids": IDS, "attention_mask": MASK, "token_type_ids": TYPES}
    whole = onnxruntime().InferenceSession(str(onnx), providers=["CPUExecutionProvider"]).run(list(OUTPUTS), feeds)
    for found, expected in zip(Session(onnx).run(IDS, MASK, TYPES, OUTPUTS), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_large_weights_stay_in_the_file_and_all_the_rest_is_in_the_graph(onnx: Path) -> None:
    import onnx as library
    from onnx.external_data_helper import load_external_data_for_model, uses_external_data

    whole = library.load(onnx)
    graph = library.load_from_string(graph_of(onnx, onnx.name))
    outside = {weight.name for weight in graph.graph.initializer if uses_external_data(weight)}
    assert outside == {weight.name for weight in whole.graph.initializer if len(weight.raw_data) >= LARGE}
    assert outside
    load_external_data_for_model(graph, str(onnx.parent))
    for weight in graph.graph.initializer:
        weight.ClearField("data_location")
    assert graph.SerializeToString(deterministic=True) == whole.SerializeToString(deterministic=True)


def test_where_onnxruntime_cannot_map_it_reads_and_never_another_file(
    onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Session(onnx).run(IDS, MASK, TYPES, OUTPUTS)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / onnx.name).write_bytes(bytes(onnx.stat().st_size))
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(sessions, "WEIGHTS", "session.of_a_later_version")
    for found, before in zip(Session(onnx).run(IDS, MASK, TYPES, OUTPUTS), expected, strict=True):
        np.testing.assert_array_equal(found, before)


@pytest.mark.parametrize("change", [lambda raw: raw[:-LARGE], lambda raw: raw[:-LARGE] + bytes(LARGE)])
def test_a_file_that_is_written_into_is_refused_as_soon_as_it_is_used(
    onnx: Path, change: Callable[[bytes], bytes]
) -> None:
    session = Session(onnx)
    session.run(IDS, MASK, TYPES, OUTPUTS)
    onnx.write_bytes(change(onnx.read_bytes()))
    with pytest.raises(IntegrityError, match="has changed since it was checked"):
        session.run(IDS, MASK, TYPES, OUTPUTS)


def test_a_weight_with_two_values_is_not_ours_to_choose(onnx: Path) -> None:
    import onnx as library

    first, second = (
        library.TensorProto(name="w", data_type=1, dims=[LARGE], raw_data=bytes([value]) * LARGE * 4)
        for value in (1, 2)
    )
    joined = first.SerializeToString() + second.SerializeToString()
    onnx.write_bytes(wrapped(7, wrapped(5, joined)))
    assert library.load(onnx).graph.initializer[0].raw_data == second.raw_data
    with pytest.raises(ValueError, match="in two places"):
        graph_of(onnx, onnx.name)


def test_a_model_whose_file_is_removed_runs_on(onnx: Path) -> None:
    session = Session(onnx)
    before = session.run(IDS, MASK, TYPES, OUTPUTS)
    onnx.unlink()
    for found, expected in zip(session.run(IDS, MASK, TYPES, OUTPUTS), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_weights_that_lie_elsewhere_are_not_ours_to_map(onnx: Path, tmp_path: Path) -> None:
    import onnx as library

    library.save(library.load(onnx), tmp_path / "parted.onnx", save_as_external_data=True, location="weights")
    with pytest.raises(ValueError, match="in another file already"):
        graph_of(tmp_path / "parted.onnx", "parted.onnx")


def outside(graph: bytes) -> list[tuple[int, int]]:
    """From where to where the weights lie that a graph leaves in its file."""
    import onnx as library

    weights = library.load_from_string(graph).graph.initializer
    places = [{entry.key: entry.value for entry in weight.external_data} for weight in weights]
    return [(int(place["offset"]), int(place["offset"]) + int(place["length"])) for place in places if place]


@given(data=st.data())
def test_a_file_of_any_bytes_is_taken_or_refused_as_no_model(
    data: st.DataObject, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = bytearray((folder / FILES[0]).read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    with suppress(ValueError):
        graph_of(path, path.name)


@given(data=st.data())
def test_a_graph_is_the_same_whatever_is_written_into_the_weights_that_it_leaves_in_the_file(
    data: st.DataObject, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "other-weights.onnx"
    raw = bytearray((folder / FILES[0]).read_bytes())
    path.write_bytes(raw)
    graph = graph_of(path, path.name)
    for begin, end in data.draw(st.lists(st.sampled_from(outside(graph)), max_size=3)):
        raw[begin:end] = bytes([data.draw(st.integers(0, 255))]) * (end - begin)
    path.write_bytes(raw)
    assert graph_of(path, path.name) == graph
