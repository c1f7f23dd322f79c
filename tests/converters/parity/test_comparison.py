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
from numpy.typing import NDArray

from tests.conftest import BuildModule
from wellread.converters.forms.kinds import FORMS, write_forms
from wellread.converters.material import Material, read_material
from wellread.converters.parity.comparison import REFERENCE, Truth, compare, find_truth, measure, require_parity
from wellread.converters.parity.probes import points, single
from wellread.converters.pull import Pulled
from wellread.converters.recipe import Recipe
from wellread.converters.sources import Source
from wellread.converters.weights import Weights
from wellread.errors import ParityError
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import ParityReport, decode, encode

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
def truth(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return find_truth(material.weights, material.probes(), tmp_path_factory.mktemp("oracle"))


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


def report_on(weights: Weights, truth: Truth, folder: Path, forms: tuple[str, ...]) -> ParityReport:
    """The report on forms made of ``weights``."""
    return compare(truth, press_forms(weights, folder / "forms", forms), forms, folder)


def test_honest_forms_of_every_kind_pass(material: Material, truth: Truth, tmp_path: Path) -> None:
    report = report_on(material.weights, truth, tmp_path, tuple(FORMS))
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
    report = report_on(FAULTS[fault](material.weights), truth, tmp_path, ("torch", "onnx"))
    assert {form.form: form.passed for form in report.forms} == {REFERENCE: True, "torch": False, "onnx": False}
    honest, *faulty = (max(point.distance.max / point.limit for point in form.points) for form in report.forms)
    assert honest < 0.7, "the gate has room on both sides, so noise decides nothing"
    assert min(faulty) > 1.5


def test_a_misread_configuration_fails_the_reference_itself(
    material: Material, module: BuildModule, tmp_path: Path
) -> None:
    """Floor and forms would share the mistake, so only the source's own graph can tell."""
    misread = configured(activation="gelu_erf")(material.weights)
    report = report_on(misread, find_truth(misread, material.probes(), tmp_path), tmp_path, ("onnx",))
    assert {form.form: form.passed for form in report.forms} == {REFERENCE: False, "onnx": False}
    with pytest.raises(ParityError, match=r"no --forms would pass: the source was misread"):
        require_parity(report)


def test_a_wrong_int8_form_is_caught(material: Material, truth: Truth, tmp_path: Path) -> None:
    wrong = FAULTS["queries and keys swapped in the last layer"](material.weights)
    report = report_on(wrong, truth, tmp_path, ("onnx-int8",))
    assert not report.forms[-1].passed


def test_numbers_that_are_none_fail_and_the_report_can_be_kept(
    material: Material, truth: Truth, tmp_path: Path
) -> None:
    broken = nudged(f"{LAST}.output.dense.weight", np.nan)(material.weights)
    report = report_on(broken, truth, tmp_path, ("onnx", "onnx-fp16"))
    assert decode(encode(report), ParityReport, "the report") == report
    with pytest.raises(ParityError) as refusal:
        require_parity(report)
    message = str(refusal.value)
    for form in ("onnx", "onnx-fp16"):
        assert f"{form} is not equal to the source's own graph" in message
    assert "on 'sentences'" in message and "--forms" in message


def test_the_refusal_names_form_point_and_input_and_what_would_pass(
    material: Material, truth: Truth, tmp_path: Path
) -> None:
    press_forms(material.weights, tmp_path / "good", ("torch", "onnx"))
    bad = press_forms(FAULTS["pooler transposed"](material.weights), tmp_path / "bad", ("onnx",))
    (bad / "onnx/model.onnx").replace(tmp_path / "good/onnx/model.onnx")
    report = compare(truth, tmp_path / "good", ("torch", "onnx"), tmp_path)
    with pytest.raises(ParityError) as refusal:
        require_parity(report)
    message = str(refusal.value)
    assert "onnx is not equal to the source's own graph" in message
    assert "at pooled, on '" in message
    assert "these forms would pass: --forms torch" in message
    assert "nothing was written" in message


# ---------------------------------------------------------------- where the gate stands

POINTS = points(LAYERS)
FLOOR = 2e-6


def known_truth(off_by: float = 0.0, at: str = "") -> Truth:
    """A truth whose floor is known, and a reference that is ``off_by`` floors at one point."""
    random, ids = np.random.default_rng(1), np.ones(5, np.int64)
    exact = {point: random.normal(size=(1, 8) if point == "pooled" else (1, 5, 8)) for point in POINTS}
    other = {point: array + off_by * FLOOR * (point == at) for point, array in exact.items()}
    return Truth("a known truth", [single("text", ids)], [exact], dict.fromkeys(POINTS, FLOOR), [other])


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(("floors", "passed"), [(3, True), (-3, True), (10, False), (-10, False)])
def test_fp32_may_be_off_by_a_few_floors_and_no_more(point: str, floors: float, passed: bool, tmp_path: Path) -> None:
    report = compare(known_truth(floors, point), tmp_path, (), tmp_path)
    assert report.passed is passed
    assert [p.name for p in report.forms[0].points if not p.passed] == ([] if passed else [point])


def turned(vectors: NDArray[np.floating[Any]], cosine: float) -> NDArray[np.floating[Any]]:
    """Vectors of the same length whose cosine with ``vectors`` is that."""
    across = np.roll(vectors, 1, axis=-1)
    across -= vectors * ((across * vectors).sum(-1, keepdims=True) / (vectors**2).sum(-1, keepdims=True))
    across *= np.linalg.norm(vectors, axis=-1, keepdims=True) / np.linalg.norm(across, axis=-1, keepdims=True)
    moved: NDArray[np.floating[Any]] = cosine * vectors + np.sqrt(1 - cosine**2) * across
    return moved


@pytest.mark.parametrize(
    ("form", "everywhere", "at_one_token", "passed"),
    [
        ("onnx-fp16", 0.99995, 1.0, True),
        ("onnx-fp16", 1.0, 0.9998, False),
        ("onnx-int8", 0.993, 1.0, True),
        ("onnx-int8", 0.985, 1.0, False),
        ("onnx-int8", 0.9999, 0.96, True),
        ("onnx-int8", 0.9999, 0.94, False),
    ],
)
def test_low_precision_may_be_turned_by_so_much_and_no_more(
    form: str, everywhere: float, at_one_token: float, passed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = known_truth()
    run = {point: turned(array, everywhere) for point, array in truth.activations[0].items()}
    run["sequence"][0, 2] = turned(truth.activations[0]["sequence"][0, 2], min(everywhere, at_one_token))
    monkeypatch.setattr("wellread.converters.parity.comparison.run_form", lambda *_: [run])
    assert compare(truth, tmp_path, (form,), tmp_path).forms[-1].passed is passed


def test_without_a_graph_the_reference_is_the_oracle(module: BuildModule, tmp_path: Path) -> None:
    material = material_of(module("huggingface"))
    truth = find_truth(material.weights, material.probes(), tmp_path)
    report = report_on(material.weights, truth, tmp_path, ("torch", "onnx"))
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
