"""A parity report as a table: a row for each point of the network, a column for each form."""

from __future__ import annotations

import click

from wellread.cli.options import print_table
from wellread.registry.records import FormParity, ParityReport, Point

_SHOWN = {"max": "{:.1e}", "min_cosine": "{:.5f}", "mean_cosine": "{:.5f}"}


def print_parity(report: ParityReport) -> None:
    """Floors and limits, then each form's own figure: the largest error, or for low precision the least cosine."""
    click.echo(f"parity with {report.oracle}, {report.tokens} tokens in {len(report.inputs)} batches")
    forms = [(form, _measure(form), {point.name: point for point in form.points}) for form in report.forms]
    names = list(dict.fromkeys(point.name for form in report.forms for point in form.points))
    header = [
        "",
        "floor",
        "gate",
        *(f"{form.form}{'' if measure == 'max' else ' (cos)'}" for form, measure, _ in forms),
    ]
    rows = [
        [name, *_scale(name, report), *(_figure(points[name], measure) for _, measure, points in forms)]
        for name in names
    ]
    verdicts = ["", "", "", *("pass" if form.passed else "FAIL" for form, _, _ in forms)]
    print_table(header, [*rows, verdicts])


def _measure(form: FormParity) -> str:
    return "max" if any(point.measure == "max" for point in form.points) else "min_cosine"


def _scale(name: str, report: ParityReport) -> tuple[str, str]:
    points = [point for form in report.forms for point in form.points if point.name == name]
    gate = next((point.limit for point in points if point.measure == "max"), None)
    return f"{points[0].floor:.1e}", "" if gate is None else f"{gate:.1e}"


def _figure(point: Point, measure: str) -> str:
    return _SHOWN[measure].format(getattr(point.distance, measure))
