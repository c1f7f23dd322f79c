"""The picture of a parity report: what it shows, that it obeys the site's policy, and that equal reports are equal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal
from xml.etree import ElementTree

import pytest

from wellread.model_cards.plot import MOST_FORMS, MOST_POINTS, parity_svg
from wellread.registry.records import Distance, FormParity, ParityReport, Point

Measure = Literal["max", "min_cosine", "mean_cosine"]
SVG = "{http://www.w3.org/2000/svg}"


def point(
    name: str, error: float = 1e-6, *, cosine: float = 1.0, measure: Measure = "max", limit: float = 1e-5
) -> Point:
    distance = Distance(max=error, p99=error, mean=error, min_cosine=cosine, mean_cosine=cosine)
    return Point(
        name=name, distance=distance, floor=1.5e-6, limit=limit, measure=measure, worst="real text", passed=True
    )


def report(*forms: FormParity) -> ParityReport:
    return ParityReport(oracle="the float64 reference", inputs=("real text",), tokens=12, forms=forms)


def fp32(form: str, *errors: float) -> FormParity:
    names = ["embeddings", *(f"layer {n}" for n in range(1, len(errors) - 1)), "pooled"]
    return FormParity(form=form, points=tuple(map(point, names, errors)))


def int8(form: str = "onnx-int8", limit: float = 0.95) -> FormParity:
    least = point("pooled", 1e-3, cosine=0.999, measure="min_cosine", limit=limit)
    return FormParity(form=form, points=(point("pooled", 1e-3, cosine=0.999, measure="mean_cosine", limit=0.99), least))


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def paths(svg: str) -> Sequence[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{SVG}path"))


def heights(path: ElementTree.Element) -> list[float]:
    return [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path.attrib["d"])]


def test_every_point_and_form_is_named() -> None:
    shown = texts(parity_svg(report(fp32("torch", 1e-6, 2e-6, 3e-6), fp32("onnx", 2e-6, 2e-6, 2e-6), int8())))
    assert {"embeddings", "1", "pooled", "torch", "onnx", "onnx-int8", "gate", "gate of onnx-int8"} <= set(shown)
    assert {"largest error", "1 − smallest cosine", "1e-06", "1e-05"} <= set(shown)


def test_a_larger_error_stands_higher_and_ten_times_is_always_as_far() -> None:
    svg = parity_svg(report(fp32("torch", 1e-7, 1e-6, 1e-5)))
    low, middle, high = heights(paths(svg)[3])
    assert low > middle > high
    assert low - middle == pytest.approx(middle - high, abs=0.2)


def test_a_form_above_the_gate_is_drawn_above_its_line() -> None:
    grid, floor, gate, mark, *_ = paths(parity_svg(report(fp32("torch", 2e-5, 2e-5, 2e-5))))
    assert max(heights(mark)) < min(heights(gate)) < min(heights(floor))
    assert floor.get("stroke-dasharray") and not gate.get("stroke-dasharray") and grid.get("opacity")


def test_forms_of_equal_error_do_not_hide_each_other() -> None:
    first, second = paths(parity_svg(report(fp32("torch", 1e-6, 1e-6), fp32("onnx", 1e-6, 1e-6))))[3:5]
    assert first.attrib["d"].partition("m")[0] != second.attrib["d"].partition("m")[0]


def test_it_says_what_it_shows_to_who_cannot_see_it() -> None:
    failed = FormParity(form="onnx", points=(point("pooled", 1e-3),))
    root = ElementTree.fromstring(parity_svg(report(fp32("torch", 1e-6, 1e-6), failed)))
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[1].tag == f"{SVG}desc"
    assert "torch passed, onnx failed" in str(root[1].text)


def test_the_sites_policy_allows_it_and_it_takes_the_colour_of_the_text() -> None:
    svg = parity_svg(report(fp32("torch", 1e-6, 2e-6), int8()))
    names = {name for element in ElementTree.fromstring(svg).iter() for name in element.attrib}
    assert not names & {"style", "class", "id", "href"}
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) == {"none", "currentColor"}
    assert "\n\n" not in svg, "a blank line would end it in Markdown"


@pytest.mark.parametrize("error", [0.0, -1.0, 5e-324, 1.7e308, 3.4e38])
def test_an_absurd_error_stands_at_the_edge(error: float) -> None:
    svg = parity_svg(report(fp32("torch", error, 1e-6)))
    assert all(0 <= height <= 210 for path in paths(svg)[:4] for height in heights(path))
    assert len(texts(svg)) < 30


def test_what_a_stranger_wrote_is_text() -> None:
    evil = "</text><script>alert(1)</script>\x00\x1b\u202e" + "x" * 100_000
    report_ = ParityReport(oracle=evil[:50], inputs=(), tokens=0, forms=(FormParity(form=evil, points=(point(evil),)),))
    svg = parity_svg(report_)
    kinds = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
    assert kinds == {"svg", "title", "desc", "g", "path", "text"}
    assert len(svg) < 5000


@pytest.mark.parametrize(
    "hopeless",
    [
        report(),
        report(FormParity(form="onnx", points=())),
        report(*(fp32(f"form {n}", 1e-6, 1e-6) for n in range(MOST_FORMS + 1))),
        report(fp32("onnx", *([1e-6] * (MOST_POINTS + 1)))),
    ],
)
def test_a_report_that_no_press_wrote_has_no_picture(hopeless: ParityReport) -> None:
    assert parity_svg(hopeless) == ""


def test_equal_reports_are_equal_bytes() -> None:
    assert parity_svg(report(fp32("torch", 1e-6, 1 / 3))) == parity_svg(report(fp32("torch", 1e-6, 1 / 3)))


def test_a_deep_model_takes_a_few_kilobytes() -> None:
    forms = [fp32(form, *([2e-6] * 27)) for form in ("reference", "torch", "onnx")]
    assert len(parity_svg(report(*forms))) < 10_000
