"""The ONNX forms: their signature, their numbers, their bytes."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnxruntime.quantization import QuantType, quantize_dynamic

from tests.converters.parity.test_reference import ragged, weights
from wellread.converters.forms.onnx_form import build_model, expose_points, inputs, outputs, point_tensors, write_onnx
from wellread.converters.forms.quantise import quantised
from wellread.converters.parity.probes import Probe
from wellread.converters.parity.reference import Reference
from wellread.errors import UnsupportedModel

pytestmark = pytest.mark.press


def run(path: Path, probe_ids: np.ndarray, mask: np.ndarray, types: np.ndarray, names: list[str]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(path)
    found: list[np.ndarray] = session.run(
        names, {"input_ids": probe_ids, "attention_mask": mask, "token_type_ids": types}
    )
    return found


def test_the_signature_is_the_one_that_is_declared(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx", weights(), pooler_linear=True)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [(i.name, i.type, tuple(i.shape)) for i in session.get_inputs()] == [
        (t.name, f"tensor({t.dtype})", t.shape) for t in inputs()
    ]
    assert [(o.name, o.type, tuple(o.shape)) for o in session.get_outputs()] == [
        (t.name, "tensor(float)", t.shape) for t in outputs(32, pooler_linear=True)
    ]


@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu_erf"])
def test_every_point_equals_the_reference(tmp_path: Path, activation: str) -> None:
    model = weights(activation=activation)
    probe = ragged(model.architecture.vocabulary)
    write_onnx(tmp_path / "model.onnx", model)
    expose_points(tmp_path / "model.onnx", tmp_path / "exposed.onnx", 2)
    tensors = point_tensors(2)
    found = run(tmp_path / "exposed.onnx", probe.ids, probe.mask, probe.types, list(tensors.values()))
    truth = Reference(model).run(probe)
    for point, array in zip(tensors, found, strict=True):
        np.testing.assert_allclose(array, truth[point], atol=1e-5, err_msg=point)


def test_batch_and_length_are_free(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx", weights())
    for shape in [(1, 1), (1, 64), (7, 3)]:
        ids = np.ones(shape, np.int64)
        assert run(tmp_path / "model.onnx", ids, ids, ids * 0, ["last_hidden_state"])[0].shape == (*shape, 32)


def test_a_row_with_nothing_real_gives_numbers_in_every_precision(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx", weights())
    write_onnx(tmp_path / "half.onnx", weights(), "fp16")
    write_onnx(tmp_path / "int8.onnx", weights(), "int8")
    ids = np.ones((1, 5), np.int64)
    for name in ("model", "half", "int8"):
        assert np.isfinite(run(tmp_path / f"{name}.onnx", ids, ids * 0, ids * 0, ["last_hidden_state"])[0]).all()


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        model = weights()
        shuffled = dataclasses.replace(model, tensors=dict(reversed(list(model.tensors.items()))))
        write_onnx(tmp_path / name / "model.onnx", shuffled if name == "two" else model)
        write_onnx(tmp_path / name / "int8.onnx", shuffled if name == "two" else model, "int8")
        contents.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    assert contents[0] == contents[1]


def test_only_standard_operators_are_used() -> None:
    model = build_model(weights())
    assert {node.domain for node in model.graph.node} == {""}
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 20)]


def test_int8_is_near_a_quarter_of_the_size(tmp_path: Path) -> None:
    model = weights(hidden=128, intermediate=512, heads=2)
    write_onnx(tmp_path / "model.onnx", model)
    write_onnx(tmp_path / "int8.onnx", model, "int8")
    assert (tmp_path / "int8.onnx").stat().st_size < 0.35 * (tmp_path / "model.onnx").stat().st_size


def test_int8_is_as_near_to_the_truth_as_onnxruntimes_own_quantiser(tmp_path: Path) -> None:
    model = weights()
    write_onnx(tmp_path / "model.onnx", model)
    write_onnx(tmp_path / "ours.onnx", model, "int8")
    logging.disable(logging.WARNING)  # it advises a pass over the graph, by a call of the root logger
    quantize_dynamic(tmp_path / "model.onnx", tmp_path / "theirs.onnx", per_channel=True, weight_type=QuantType.QInt8)
    logging.disable(logging.NOTSET)
    ids = np.random.default_rng(0).integers(0, model.architecture.vocabulary, (40, 24))
    truth = Reference(model).run(Probe("ids", ids, np.ones_like(ids), ids * 0))["sequence"]
    ours, theirs = (
        np.abs(run(tmp_path / f"{who}.onnx", ids, np.ones_like(ids), ids * 0, ["last_hidden_state"])[0] - truth).mean()
        for who in ("ours", "theirs")
    )
    assert 0 < ours < 1.1 * theirs


def test_a_quantised_row_is_off_by_half_a_step_at_most() -> None:
    weight = np.random.default_rng(0).normal(size=(5, 40)).astype(np.float32)
    weight[3] = 0
    levels, scales = quantised(weight)
    assert (np.abs(levels * scales[:, None] - weight) <= scales[:, None] / 2 + 1e-7).all()
    assert (np.abs(levels).max(axis=1)[[0, 1, 2, 4]] == 127).all()


def test_a_model_too_large_for_one_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx.checker, "MAXIMUM_PROTOBUF", 1000)
    with pytest.raises(UnsupportedModel, match=r"model\.onnx would be .* GB"):
        write_onnx(tmp_path / "model.onnx", weights())
    assert not (tmp_path / "model.onnx").exists()
