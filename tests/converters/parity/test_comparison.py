"""The gate: honest forms pass it, and no planted fault does.

The oracle is a real TensorFlow graph, run once; each fault is planted in weights or configuration before the forms are
written, as a bug in a converter would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.conftest import BuildModule
from wellread.converters.forms.kinds import FORMS, write_forms
from wellread.converters.material import Material, read_material
from wellread.converters.parity.comparison import REFERENCE, Truth, compare, find_truth, measure, require_parity
from wellread.converters.pull import Pulled
from wellread.converters.recipe import Recipe
from wellread.converters.sources import Source
from wellread.converters.weights import Weights
from wellread.errors import ParityError
from wellread.registry.names import Lang, ModelName

pytestmark = pytest.mark.press

LAYERS = 2


def material_of(folder: Path) -> Material:
    source = Source(kind="folder", location=str(folder))
    recipe = Recipe(name=ModelName("m"), language=Lang("en"), title="m", license="MIT", sources=(source,))
    return read_material(recipe, Pulled(folder, source))


@pytest.fixture(scope="module")
def material(module: BuildModule) -> Material:
    return material_of(module("tf2-dict"))


@pytest.fixture(scope="module")
def truth(material: Material) -> Truth:
    return find_truth(material.weights, material.probes())


def configured(**fields: Any) -> Callable[[Weights], Weights]:
    return lambda weights: replace(weights, architecture=msgspec.structs.replace(weights.architecture, **fields))


def retensored(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Callable[[Weights], Weights]:
    return lambda weights: replace(weights, tensors={**weights.tensors, **change(dict(weights.tensors))})


LAST = f"encoder.layer.{LAYERS - 1}"


def swapped(one: str, other: str) -> Callable[[Weights], Weights]:
    return retensored(
        lambda t: {
            f"{a}.{part}": t[f"{b}.{part}"] for a, b in ((one, other), (other, one)) for part in ("weight", "bias")
        }
    )


def nudged(name: str, by: float) -> Callable[[Weights], Weights]:
    def change(tensors: dict[str, Any]) -> dict[str, Any]:
        tensor = np.array(tensors[name])
        tensor.flat[7] += by
        return {name: tensor}

    return retensored(change)


FAULTS = {
    "erf for tanh GELU": configured(activation="gelu_erf"),
    "layer-norm eps 1e-5": configured(norm_eps=1e-5),
    "layer-norm eps 1e-6": configured(norm_eps=1e-6),
    "queries and keys swapped in the last layer": swapped(f"{LAST}.attention.self.query", f"{LAST}.attention.self.key"),
    "pooler transposed": retensored(lambda t: {"pooler.dense.weight": t["pooler.dense.weight"].T}),
    "heads halved": configured(heads=2),
    "one weight of the last layer off by 1e-2": nudged(f"{LAST}.output.dense.weight", 1e-2),
    "positions shifted by one": retensored(
        lambda t: {"embeddings.position_embeddings.weight": np.roll(t["embeddings.position_embeddings.weight"], 1, 0)}
    ),
    "types swapped": retensored(
        lambda t: {"embeddings.token_type_embeddings.weight": t["embeddings.token_type_embeddings.weight"][::-1]}
    ),
    "layers swapped": retensored(
        lambda t: {name: t[name.replace(".0.", ".x.").replace(".1.", ".0.").replace(".x.", ".1.")]
                   for name in t if name.startswith("encoder.layer.")}
    ),
    "a vocabulary row lost": retensored(
        lambda t: {"embeddings.word_embeddings.weight": np.roll(t["embeddings.word_embeddings.weight"], 1, 0)}
    ),
}  # fmt: skip


def press_forms(weights: Weights, folder: Path, forms: tuple[str, ...]) -> Path:
    write_forms(folder, weights, forms, "mean")
    return folder


def test_honest_forms_of_every_kind_pass(material: Material, truth: Truth, tmp_path: Path) -> None:
    report = compare(truth, press_forms(material.weights, tmp_path, tuple(FORMS)), tuple(FORMS))
    require_parity(report)
    assert [form.form for form in report.forms] == [REFERENCE, *FORMS]
    assert "tensorflow" in report.oracle.lower()
    for form in report.forms:
        assert {point.name for point in form.points} == {"embeddings", "layer 1", "layer 2", "sequence", "pooled"}
    exact = [p.distance.max for f in report.forms if f.form in ("torch", "onnx") for p in f.points]
    assert all(0 < error < 1e-4 for error in exact), "equal, but no copy of the oracle"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_in_both_fp32_forms(
    fault: str, material: Material, truth: Truth, tmp_path: Path
) -> None:
    """And by a margin: the gate has room on both sides, so noise decides nothing."""
    folder = press_forms(FAULTS[fault](material.weights), tmp_path, ("torch", "onnx"))
    report = compare(truth, folder, ("torch", "onnx"))
    assert {form.form: form.passed for form in report.forms} == {REFERENCE: True, "torch": False, "onnx": False}
    honest, *faulty = (max(point.distance.max / point.limit for point in form.points) for form in report.forms)
    assert honest < 0.7, "the gate has room on both sides, so noise decides nothing"
    assert min(faulty) > 1.5


def test_a_misread_configuration_fails_the_reference_itself(
    material: Material, module: BuildModule, tmp_path: Path
) -> None:
    """Floor and forms would share the mistake, so only the source's own graph can tell."""
    misread = configured(activation="gelu_erf")(material.weights)
    report = compare(find_truth(misread, material.probes()), press_forms(misread, tmp_path, ("onnx",)), ("onnx",))
    assert {form.form: form.passed for form in report.forms} == {REFERENCE: False, "onnx": False}
    with pytest.raises(ParityError, match=r"no --forms would pass: the source was misread"):
        require_parity(report)


def test_a_wrong_int8_form_is_caught(material: Material, truth: Truth, tmp_path: Path) -> None:
    wrong = FAULTS["queries and keys swapped in the last layer"](material.weights)
    report = compare(truth, press_forms(wrong, tmp_path, ("onnx-int8",)), ("onnx-int8",))
    assert not report.forms[-1].passed


def test_numbers_that_are_none_fail(material: Material, truth: Truth, tmp_path: Path) -> None:
    broken = nudged(f"{LAST}.output.dense.weight", np.nan)(material.weights)
    report = compare(truth, press_forms(broken, tmp_path, ("onnx",)), ("onnx",))
    assert not report.forms[-1].passed


def test_the_refusal_names_form_point_and_input_and_what_would_pass(
    material: Material, truth: Truth, tmp_path: Path
) -> None:
    press_forms(material.weights, tmp_path / "good", ("torch", "onnx"))
    bad = press_forms(FAULTS["pooler transposed"](material.weights), tmp_path / "bad", ("onnx",))
    (bad / "onnx/model.onnx").replace(tmp_path / "good/onnx/model.onnx")
    report = compare(truth, tmp_path / "good", ("torch", "onnx"))
    with pytest.raises(ParityError) as refusal:
        require_parity(report)
    message = str(refusal.value)
    assert "onnx is not equal to the source's own graph" in message
    assert "at pooled, on '" in message
    assert "these forms would pass: --forms torch" in message
    assert "nothing was written" in message


def test_without_a_graph_the_reference_is_the_oracle(module: BuildModule, tmp_path: Path) -> None:
    material = material_of(module("huggingface"))
    folder = press_forms(material.weights, tmp_path, ("torch", "onnx"))
    report = compare(find_truth(material.weights, material.probes()), folder, ("torch", "onnx"))
    require_parity(report)
    assert report.oracle == "the float64 reference"
    assert [form.form for form in report.forms] == ["torch", "onnx"]


def test_the_figures_of_a_distance_are_those_of_their_definition() -> None:
    generator = np.random.default_rng(0)
    mine, truth = generator.normal(size=(2, 50, 8))
    found = measure(mine, truth)
    errors = sorted(abs(mine - truth).ravel())
    cosines = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in zip(mine, truth, strict=True)]
    assert found.max == errors[-1]
    assert errors[int(0.98 * len(errors))] < found.p99 <= errors[-1]
    assert found.mean == pytest.approx(sum(errors) / len(errors))
    assert found.min_cosine == pytest.approx(min(cosines))
    assert found.mean_cosine == pytest.approx(sum(cosines) / 50)
