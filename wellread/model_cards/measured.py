"""What a proof says, as sections of a card: Results, Parity, Benchmarks. A figure stands here as the proof has it.

Hugging Face reads the same parity from the front matter's ``model-index``, whose form is described at
https://huggingface.co/docs/hub/model-cards (the results of an evaluation).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wellread.model_cards.card import Section
from wellread.model_cards.escaping import cell, code, line
from wellread.registry.records import Benchmark, FormParity, Manifest, ParityReport, Point, Proof, Result

_MEASURES = {"max": "largest error", "min_cosine": "smallest cosine", "mean_cosine": "mean cosine"}
_SPELLED = {"max": "{:.2e}", "min_cosine": "{:.6f}", "mean_cosine": "{:.6f}"}
_SIGNS = {"max": "≤", "min_cosine": "≥", "mean_cosine": "≥"}
_SHOWN = 4
"""Components of a vector in a row of Results."""


def measured_sections(proof: Proof, column: str = "") -> Iterator[Section]:
    """The sections that there is something to say in; ``column`` is what NLU calls the vectors of words, or empty."""
    if proof.results:
        yield Section("Results", results(proof.results, column))
    yield Section("Parity", parity(proof))
    if proof.benchmarks:
        yield Section("Benchmarks", benchmarks(proof.benchmarks, proof.machine))


def results(found: Iterable[Result], column: str = "") -> str:
    """For each example a table of its words, and of each the first components of its vector.

    It is headed by ``column`` where NLU's table has the same rows: there words are what stands between spaces, while
    ours are cut at every punctuation mark.
    """
    return "\n\n".join(f"{code(result.text)}\n\n{_words(result, column)}" for result in found)


def parity(proof: Proof) -> str:
    """What stood for the source, a row a form with the point that comes nearest to its limit, then every point."""
    report = proof.parity
    forms = table(
        ("Form", "Nearest to its limit", "Measured", "Limit", "Floor", "Input", "Verdict"),
        (_row(form) for form in report.forms if form.points),
    )
    return "\n\n".join(
        (
            f"Compared with {_plain(report.oracle)}: {report.tokens} tokens in {len(report.inputs)} {_batches(report)} "
            f"({_plain(', '.join(report.inputs))}). The floor is what float32 rounding alone does at that point.",
            forms,
            _points(report),
            f"Tools: {_plain(_pairs(proof.tools))}. Machine: {_plain(_pairs(proof.machine, ': '))}.",
        )
    )


def benchmarks(found: Iterable[Benchmark], machine: Mapping[str, str]) -> str:
    """A row a form, and the machine that the figures are of."""
    rows = ((b.form, size(b.size), f"{b.load:.2f} s", f"{b.speed:,.0f}", str(b.threads)) for b in found)
    figures = table(("Form", "Size", "Load time", "Tokens/s", "Threads"), rows)
    return f"{figures}\n\nMachine: {_plain(_pairs(machine, ': '))}."


def model_index(manifest: Manifest, proof: Proof | None) -> list[dict[str, Any]]:
    """The front matter's ``model-index``; without a proof, or with figures that are none, it has no results."""
    metrics = [_metric(form.form, nearest(form)) for form in proof.parity.forms if form.points] if proof else []
    metrics = [metric for metric in metrics if math.isfinite(metric["value"])]
    name = str(manifest.name)
    return [{"name": name, "results": [_evaluation(manifest, proof.parity, metrics)] if proof and metrics else []}]


def nearest(form: FormParity) -> Point:
    """The point of a form that uses most of what its limit allows."""
    return max(form.points, key=_used)


def size(count: int) -> str:
    """Bytes as the founding cards write them: ``84.3 MB``, of a million bytes."""
    return f"{count / 1e6:,.1f} MB" if count >= 50_000 else f"{count / 1e3:,.1f} KB"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table of texts."""
    head = list(header)
    lines = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _words(result: Result, column: str) -> str:
    heading = cell(column) if column and " ".join(result.words) == result.text else "embeddings"
    rows = ((word, f"[{_components(vector)}]") for word, vector in zip(result.words, result.vectors, strict=False))
    return table(("token", heading), rows)


def _components(vector: tuple[float, ...]) -> str:
    shown = ", ".join(f"{component:.6f}" for component in vector[:_SHOWN])
    return f"{shown}, …"


def _row(form: FormParity) -> tuple[str, ...]:
    point = nearest(form)
    spelled, sign = _SPELLED[point.measure], _SIGNS[point.measure]
    return (
        form.form,
        f"{point.name}, {_MEASURES[point.measure]}",
        spelled.format(_figure(point)),
        f"{sign} {spelled.format(point.limit)}",
        f"{point.floor:.1e}",
        point.worst,
        "passed" if form.passed else "failed",
    )


def _points(report: ParityReport) -> str:
    """A row a point, a column for each figure of a form that has a limit, which may be two: its value there."""
    columns = {f"{form.form} ({_MEASURES[measure]})": points for form in report.forms for measure, points in _by(form)}
    names = dict.fromkeys(point.name for form in report.forms for point in form.points)
    rows = ((name, *(_shown(points.get(name)) for points in columns.values())) for name in names)
    return table(("Point", *map(cell, columns)), rows)


def _by(form: FormParity) -> Iterator[tuple[str, dict[str, Point]]]:
    """Each measure of a form's limits with the points that it is for, by name."""
    for measure in dict.fromkeys(point.measure for point in form.points):
        yield measure, {point.name: point for point in form.points if point.measure == measure}


def _shown(point: Point | None) -> str:
    return "" if point is None else _SPELLED[point.measure].format(_figure(point))


def _figure(point: Point) -> float:
    return float(getattr(point.distance, point.measure))


def _used(point: Point) -> float:
    """How much of its limit a figure takes, 1 for all of it; more than all where it is no number."""
    spent, allowed = (_figure(point), point.limit) if point.measure == "max" else (1 - _figure(point), 1 - point.limit)
    return spent / allowed if allowed > 0 and math.isfinite(spent) else math.inf


def _metric(form: str, point: Point) -> dict[str, Any]:
    name = f"{line(form)}, {line(point.name)}: {_MEASURES[point.measure]}"
    return {"type": f"parity_{point.measure}", "value": _figure(point), "name": name}


def _evaluation(manifest: Manifest, report: ParityReport, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "task": {"type": "parity", "name": f"Parity with {line(report.oracle)}"},
        "dataset": {"type": "parity", "name": line(", ".join(report.inputs))},
        "metrics": metrics,
    }


def _batches(report: ParityReport) -> str:
    return "batch" if len(report.inputs) == 1 else "batches"


def _pairs(facts: Mapping[str, str], between: str = " ") -> str:
    return ", ".join(f"{name}{between}{value}" for name, value in facts.items())


def _plain(text: str) -> str:
    """Text within a sentence of Markdown."""
    return cell(text).replace("`", "'")
