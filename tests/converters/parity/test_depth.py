"""The gate at the founding model's size, L-8 H-512: rounding grows with depth, and small faults must still show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import BuildModule
from tests.converters.parity.test_comparison import configured, material_of, report_on, retensored, swapped
from wellread.converters.forms.kinds import FORMS
from wellread.converters.material import Material
from wellread.converters.parity.comparison import Truth, find_truth, require_parity

pytestmark = [pytest.mark.press, pytest.mark.heavy]

FAULTS = {
    "erf for tanh GELU": configured(activation="gelu_erf"),
    "layer-norm eps 1e-5": configured(norm_eps=1e-5),
    "layer-norm eps 1e-6": configured(norm_eps=1e-6),
    "queries and keys swapped in the last layer": swapped(
        "encoder.layer.7.attention.self.query", "encoder.layer.7.attention.self.key"
    ),
    "pooler transposed": retensored(lambda t: {"pooler.dense.weight": t["pooler.dense.weight"].T}),
}


@pytest.fixture(scope="module")
def material(module: BuildModule) -> Material:
    return material_of(module("tf2-dict", layers=8, hidden=512, heads=8, intermediate=2048, positions=512))


@pytest.fixture(scope="module")
def truth(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return find_truth(material.weights, material.probes(), tmp_path_factory.mktemp("oracle"))


def test_every_form_passes_with_room(material: Material, truth: Truth, tmp_path: Path) -> None:
    report = report_on(material.weights, truth, tmp_path, tuple(FORMS))
    require_parity(report)
    exact = [form for form in report.forms if form.points[0].measure == "max"]
    assert max(point.distance.max / point.limit for form in exact for point in form.points) < 0.7


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str, material: Material, truth: Truth, tmp_path: Path) -> None:
    report = report_on(FAULTS[fault](material.weights), truth, tmp_path, ("onnx",))
    assert not report.forms[-1].passed
