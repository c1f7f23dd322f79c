"""The comparison that decides whether a model may be published.

Every form runs every probe, and at every point of the network (embeddings, each layer, sequence, pooled) its distance
from the oracle is taken over the real positions. The oracle is the source's own graph where it brings one, run by
TensorFlow; else the float64 reference. Where a graph speaks, the reference is itself compared with it, like a form.

The fp32 gate is scaled from a floor: what float32 rounding alone does to this model, on these inputs, at this point,
measured as the distance between the reference in float32 and in float64. A fault in reading or writing the model
moves a form away from the oracle but not the floor, so it cannot widen its own gate. Measured on models of 2 to 12
layers, honest forms stay under 3 floors; on 2 and 8 layers the smallest planted fault, a layer-norm epsilon of 1e-6 for
1e-12, lies above 60 at every point: see docs/parity.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellread.converters.forms.kinds import FORMS, FP32_GATES, Gate
from wellread.converters.forms.onnx_form import expose_points, point_tensors
from wellread.converters.forms.torch_form import run_torch
from wellread.converters.parity.oracle import run_source
from wellread.converters.parity.probes import Activations, Probe, points
from wellread.converters.parity.reference import Reference
from wellread.converters.weights import Weights
from wellread.errors import ParityError
from wellread.registry.records import Distance, FormParity, ParityReport, Point
from wellread.runtime.session import Session

Array = NDArray[np.floating[Any]]

REFERENCE = "reference"
"""The name under which the float64 reference stands in a report."""
NO_NUMBER = float(np.finfo(np.float32).max)
"""The error of what is no number: above all others, and one that JSON can hold. No form passes with it."""


@dataclass(frozen=True)
class Truth:
    """What every form is compared with: the oracle's activations for each probe, and the floor at each point.

    ``tool`` says who the oracle was; ``reference`` holds the float64 reference's activations where it was not that.
    """

    tool: str
    probes: Sequence[Probe]
    activations: Sequence[Activations]
    floors: Mapping[str, float]
    reference: Sequence[Activations] | None = None


def find_truth(weights: Weights, probes: Sequence[Probe], scratch: Path) -> Truth:
    """Run the oracle and the reference; ``scratch`` is a folder for files on the way.

    Raises UnsupportedModel, MissingExtra where a graph cannot be run.
    """
    exact = [Reference(weights).run(probe) for probe in probes]
    rounded = [Reference(weights, np.float32).run(probe) for probe in probes]
    floors = {name: _floor(name, exact, rounded, probes) for name in points(weights.architecture.layers)}
    if not weights.graph:
        return Truth("the float64 reference", probes, exact, floors)
    run = run_source(weights, probes, scratch)
    return Truth(f"the source's own graph in {run.tool}", probes, run.activations, floors, exact)


def compare(truth: Truth, folder: Path, forms: Sequence[str], scratch: Path) -> ParityReport:
    """Run every form in ``folder`` and hold it against the truth; the report says what passed, nothing is raised.

    ``scratch`` is a folder for files on the way.
    """
    runs = {REFERENCE: truth.reference} if truth.reference else {}
    runs |= {form: list(run_form(folder, form, len(truth.floors) - 3, truth.probes, scratch)) for form in forms}
    return ParityReport(
        oracle=truth.tool,
        inputs=tuple(probe.name for probe in truth.probes),
        tokens=int(sum(probe.mask.sum() for probe in truth.probes)),
        forms=tuple(_form(form, run, truth) for form, run in runs.items()),
    )


def run_form(
    folder: Path, form: str, layers: int, probes: Sequence[Probe], scratch: Path | None = None
) -> Iterator[Activations]:
    """The activations of one form, run as its users run it: torch by transformers, ONNX by wellread's runtime."""
    if form == "torch":
        return run_torch(folder, probes)
    return run_onnx(folder / FORMS[form].member, layers, probes, scratch or folder)


def run_onnx(path: Path, layers: int, probes: Iterable[Probe], scratch: Path) -> Iterator[Activations]:
    """Run an ONNX form by wellread's own runtime.

    ``sequence`` and ``pooled`` come from the file that is shipped, the inner points from a copy in ``scratch`` that
    exposes them.
    """
    tensors = point_tensors(layers)
    finals = {point: tensors.pop(point) for point in ("sequence", "pooled")}
    copy = scratch / "exposed.onnx"
    expose_points(path, copy, layers)
    exposed, shipped = Session(copy), Session(path)
    for probe in probes:
        feeds = (probe.ids, probe.mask, probe.types)
        inner = exposed.run(*feeds, outputs=list(tensors.values()))
        outer = shipped.run(*feeds, outputs=list(finals.values()))
        yield dict(zip([*tensors, *finals], [*inner, *outer], strict=True))


def require_parity(report: ParityReport) -> None:
    """Raise ParityError unless every form passed; the message says where it failed and which forms would pass."""
    failed = [form for form in report.forms if not form.passed]
    if not failed:
        return
    lines = [f"{form.form} is not equal to {report.oracle}: {_verdict(form)}" for form in failed]
    passing = [form.form for form in report.forms if form.passed and form.form != REFERENCE]
    broken = any(form.form == REFERENCE for form in failed) or not passing
    advice = (
        "no --forms would pass: the source was misread"
        if broken
        else f"these forms would pass: --forms {','.join(passing)}"
    )
    raise ParityError("\n".join([*lines, f"nothing was written; {advice}"]))


def _verdict(form: FormParity) -> str:
    worst = max((point for point in form.points if not point.passed), key=_excess)
    figure = getattr(worst.distance, worst.measure)
    sign = "above" if worst.measure == "max" else "below"
    return f"at {worst.name}, on {worst.worst!r}, {worst.measure} {figure:.3g} is {sign} {worst.limit:.3g}"


def _excess(point: Point) -> float:
    figure: float = getattr(point.distance, point.measure)
    return figure / point.limit if point.measure == "max" else (1 - figure) / (1 - point.limit)


def _form(form: str, run: Sequence[Activations], truth: Truth) -> FormParity:
    gates = FORMS[form].gates if form in FORMS else FP32_GATES
    judged = []
    for name, floor in truth.floors.items():
        arrays = [
            (p, mine[name], right[name]) for p, mine, right in zip(truth.probes, run, truth.activations, strict=True)
        ]
        judged += [_point(name, gate, arrays, floor) for gate in gates]
    return FormParity(form=form, points=tuple(judged))


def _point(name: str, gate: Gate, arrays: Sequence[tuple[Probe, Array, Array]], floor: float) -> Point:
    in_scope = [(probe, mine, truth) for probe, mine, truth in arrays if probe.text or gate.measure == "max"]
    pairs = [(_real(mine, probe), _real(truth, probe)) for probe, mine, truth in in_scope]
    distance = measure(np.concatenate([mine for mine, _ in pairs]), np.concatenate([truth for _, truth in pairs]))
    each = [getattr(measure(*pair), gate.measure) for pair in pairs]
    ceiling = gate.measure == "max"
    limit = gate.limit * floor if ceiling else gate.limit
    figure = getattr(distance, gate.measure)
    return Point(
        name=name,
        distance=distance,
        floor=floor,
        limit=limit,
        measure=gate.measure,
        worst=in_scope[int(np.argmax(each) if ceiling else np.argmin(each))][0].name,
        passed=distance.max < NO_NUMBER and (figure <= limit if ceiling else figure >= limit),
    )


def _real(array: Array, probe: Probe) -> NDArray[np.float64]:
    """The vectors at real positions, (positions, hidden); of a pooled array every row is real."""
    vectors = array[probe.mask > 0] if array.ndim == 3 else array
    return vectors.astype(np.float64)


def measure(mine: NDArray[np.float64], truth: NDArray[np.float64]) -> Distance:
    """The distance between two stacks of vectors, (n, hidden) float64 each.

    A vector with anything in it that is not a number is as far off as can be: ``NO_NUMBER``, and cosine -1.
    """
    numbers = np.all(np.isfinite(mine), axis=-1)
    mine = np.where(numbers[:, None], mine, 0)
    errors = np.where(numbers[:, None], np.abs(mine - truth), NO_NUMBER)
    norms = np.linalg.norm(mine, axis=-1) * np.linalg.norm(truth, axis=-1)
    cosines = np.einsum("nh,nh->n", mine, truth) / np.maximum(norms, np.finfo(np.float64).tiny)
    cosines = np.where(numbers, cosines, -1)
    return Distance(
        max=float(errors.max()),
        p99=float(np.quantile(errors, 0.99)),
        mean=float(errors.mean()),
        min_cosine=float(cosines.min()),
        mean_cosine=float(cosines.mean()),
    )


def _floor(name: str, exact: Sequence[Activations], rounded: Sequence[Activations], probes: Sequence[Probe]) -> float:
    pairs = [(_real(r[name], p), _real(e[name], p)) for r, e, p in zip(rounded, exact, probes, strict=True)]
    least = max(float(np.abs(truth).max()) for _, truth in pairs) * float(np.finfo(np.float32).eps)
    return max(least, *(measure(*pair).max for pair in pairs))
