"""A parity report as a picture: how far each form lies from the source, at every point of the network.

    largest error            ── gate                 fp32 forms, logarithmic; above the gate nothing is published
    1e-05 ┤   ▫  ○
    1e-06 ┤○  ○  ▫  ○        ╌╌ floor
          └┬──┬──┬──┬
           embeddings … pooled

Forms of low precision are judged by their cosine with the source and get a panel of their own, of what is missing to 1.

It is an SVG of presentation attributes alone, for the site's policy allows no styles, and takes the colour of the text
around it, so that it is seen in light and dark. Forms differ by the shape of their marks, not by colour. Equal reports
give equal bytes. A plotting library would be a hundred times the size of everything else that makes a card.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree import ElementTree

from wellread.registry.records import FormParity, ParityReport, Point

MOST_POINTS, MOST_FORMS = 100, 8
"""What is drawn at most: a report with more is not one that a press wrote."""

_WIDTH, _LEFT, _RIGHT = 720, 64, 16
_HEIGHT, _TOP, _BELOW, _LEGEND = 180, 30, 76, 22
_LOWEST, _HIGHEST = -16, 4
"""Decades that are drawn: what lies beyond stands at the edge."""
_MARKS = (
    "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0",  # a circle
    "m-3 -3h6v6h-6z",  # a square
    "m0 -4l4 7h-8z",  # a triangle
    "m0 -4.5l4.5 4.5l-4.5 4.5l-4.5-4.5z",  # a diamond
    "m-3.5 -3.5l7 7m0-7l-7 7",  # a cross
    "m-4 0h8m-4-4v8",  # a plus
    "m0 4l4-7h-8z",  # a triangle upside down
    "m-4 -2h8v4h-8z",  # a bar
)
_GATES = ("", "8 2", "8 2 2 2", "12 4")
_FLOOR = "2 4"


class _Series(NamedTuple):
    """A figure for each point: a line of such dashes, or marks of a form."""

    label: str
    figures: Mapping[str, float]
    dashes: str = ""


@dataclass(frozen=True)
class _Panel:
    title: str
    points: Sequence[str]
    lines: Sequence[_Series]
    marks: Sequence[_Series]

    @property
    def decades(self) -> tuple[int, int]:
        """The powers of ten between which all figures lie."""
        figures = [figure for series in (*self.lines, *self.marks) for figure in series.figures.values() if figure > 0]
        logs = [min(max(math.log10(figure), _LOWEST), _HIGHEST) for figure in figures] or [0.0]
        low = math.floor(min(logs))
        return low, max(math.ceil(max(logs)), low + 1)


def parity_svg(report: ParityReport) -> str:
    """The report as an ``<svg role="img">`` without blank lines; empty where there is nothing that can be drawn."""
    panels = [panel for panel in (_errors(report), _cosines(report)) if panel.marks]
    if not panels or len(report.forms) > MOST_FORMS or any(len(panel.points) > MOST_POINTS for panel in panels):
        return ""
    height = len(panels) * (_TOP + _HEIGHT + _BELOW + _LEGEND)
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "role": "img",
            "viewBox": f"0 0 {_WIDTH} {height}",
            "font-family": "system-ui, sans-serif",
            "font-size": "12",
        },
    )
    _add(root, "title", "Parity of each form with its source")
    _add(root, "desc", _in_words(report))
    for number, panel in enumerate(panels):
        _draw(_add(root, "g", transform=f"translate(0 {number * height // len(panels)})"), panel)
    ElementTree.indent(root, "")
    return ElementTree.tostring(root, encoding="unicode")


# ---------------------------------------------------------------- what is shown


def _errors(report: ParityReport) -> _Panel:
    points = [point for form in report.forms for point in _judged(form, "max")]
    marks = [_Series(form.form, {p.name: p.distance.max for p in _judged(form, "max")}) for form in report.forms]
    floor = _Series("floor: rounding alone", {point.name: point.floor for point in points}, _FLOOR)
    gate = _Series("gate", {point.name: point.limit for point in points}, _GATES[0])
    return _Panel("largest error", _names(points), [floor, gate], [series for series in marks if series.figures])


def _cosines(report: ParityReport) -> _Panel:
    judged = {form.form: _judged(form, "min_cosine") for form in report.forms}
    judged = {form: points for form, points in judged.items() if points}
    marks = [_Series(form, {p.name: 1 - p.distance.min_cosine for p in points}) for form, points in judged.items()]
    gates = [
        _Series(f"gate of {form}", {p.name: 1 - p.limit for p in points}, _GATES[number % len(_GATES)])
        for number, (form, points) in enumerate(judged.items())
    ]
    return _Panel("1 − smallest cosine", _names(point for points in judged.values() for point in points), gates, marks)


def _judged(form: FormParity, measure: str) -> list[Point]:
    return [point for point in form.points if point.measure == measure]


def _names(points: Iterable[Point]) -> list[str]:
    return list(dict.fromkeys(point.name for point in points))


def _in_words(report: ParityReport) -> str:
    """What a reader who does not see the picture needs to know."""
    verdicts = ", ".join(f"{_cut(form.form, 24)} {'passed' if form.passed else 'failed'}" for form in report.forms)
    points = len(_names(point for form in report.forms for point in form.points))
    return (
        f"Compared with {_cut(report.oracle, 100)} at {points} points of the network, embeddings to output: {verdicts}."
    )


# ---------------------------------------------------------------- drawing


class _Sheet(NamedTuple):
    """What a panel is drawn on: lines and letters apart, since the one has no filling and the other no outline."""

    lines: ElementTree.Element
    letters: ElementTree.Element


def _draw(group: ElementTree.Element, panel: _Panel) -> None:
    lines = _add(group, "g", fill="none", stroke="currentColor")
    sheet = _Sheet(lines, _add(group, "g", fill="currentColor"))
    _write(sheet, panel.title, _LEFT, _TOP - 14).set("font-weight", "bold")
    _draw_grid(sheet, panel)
    for series in panel.lines:
        _stroke(sheet, _line(panel, series), series.dashes)
    for number, series in enumerate(panel.marks):
        _stroke(sheet, _dots(panel, series, number))
    _draw_legend(sheet, panel)


def _draw_grid(sheet: _Sheet, panel: _Panel) -> None:
    """A fine line and its figure for each power of ten, eight at most; the name of each point below."""
    low, high = panel.decades
    shown = range(low, high + 1, 1 + (high - low) // 8)
    heights = {power: _y(10.0**power, low, high) for power in shown}
    _stroke(sheet, "".join(f"M{_LEFT} {_n(y)}H{_WIDTH - _RIGHT}" for y in heights.values())).set("opacity", "0.25")
    for power, y in heights.items():
        _write(sheet, f"1e{power:+03d}", _LEFT - 6, y + 4, anchor="end")
    for slot, name in enumerate(panel.points):
        _name_point(sheet, _x(slot, len(panel.points)), name.removeprefix("layer "))


def _name_point(sheet: _Sheet, x: float, name: str) -> None:
    """Numbers of layers stand upright, words lean, so that neighbours do not touch."""
    y = _TOP + _HEIGHT + 16
    if len(name) <= 3:
        _write(sheet, name, x, y, anchor="middle")
    else:
        letters = _write(sheet, _cut(name, 12), x + 4, y, anchor="end")
        letters.set("transform", f"rotate(-50 {_n(x + 4)} {y})")


def _draw_legend(sheet: _Sheet, panel: _Panel) -> None:
    """Beside each other: a piece of each line and a mark of each form with its name."""
    x, y = float(_LEFT), _TOP + _HEIGHT + _BELOW + 4
    for series in panel.lines:
        _stroke(sheet, f"M{_n(x)} {y}h24", series.dashes)
        x = _write_legend(sheet, series.label, x + 30, y)
    for number, series in enumerate(panel.marks):
        _stroke(sheet, f"M{_n(x + 6)} {y}{_MARKS[number]}")
        x = _write_legend(sheet, series.label, x + 16, y)


def _write_legend(sheet: _Sheet, text: str, x: float, y: float) -> float:
    """Writes a name and returns where the next may begin, by the usual width of a letter."""
    shown = _cut(text, 24)
    _write(sheet, shown, x, y + 4)
    return x + 6.6 * len(shown) + 16


def _line(panel: _Panel, series: _Series) -> str:
    """Through the figure at each point, from one side of the panel to the other where there is one point only."""
    low, high = panel.decades
    half = _slot(len(panel.points)) / 2
    spots = [(_x(slot, len(panel.points)), _y(figure, low, high)) for slot, figure in _figures(panel, series)]
    ends = [(spots[0][0] - half, spots[0][1]), *spots, (spots[-1][0] + half, spots[-1][1])]
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in ends)


def _dots(panel: _Panel, series: _Series, number: int) -> str:
    """A mark at each point; forms stand side by side, since equal errors would hide each other."""
    low, high = panel.decades
    step = min(9.0, _slot(len(panel.points)) / (len(panel.marks) + 1))
    aside = (number - (len(panel.marks) - 1) / 2) * step
    return "".join(
        f"M{_n(_x(slot, len(panel.points)) + aside)} {_n(_y(figure, low, high))}{_MARKS[number]}"
        for slot, figure in _figures(panel, series)
    )


def _figures(panel: _Panel, series: _Series) -> list[tuple[int, float]]:
    return [(slot, series.figures[name]) for slot, name in enumerate(panel.points) if name in series.figures]


def _slot(points: int) -> float:
    return (_WIDTH - _LEFT - _RIGHT) / points


def _x(slot: int, points: int) -> float:
    return _LEFT + _slot(points) * (slot + 0.5)


def _y(figure: float, low: int, high: int) -> float:
    """Height of a figure; no error at all stands at the bottom."""
    power = min(max(math.log10(figure), low), high) if figure > 0 else low
    return _TOP + _HEIGHT * (high - power) / (high - low)


def _n(number: float) -> str:
    """Coordinates to a tenth of a pixel: the same digits on every machine."""
    return f"{number:.1f}".removesuffix(".0")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _write(sheet: _Sheet, text: str, x: float, y: float, anchor: str = "") -> ElementTree.Element:
    letters = _add(sheet.letters, "text", text, x=_n(x), y=_n(y))
    if anchor:
        letters.set("text-anchor", anchor)
    return letters


def _stroke(sheet: _Sheet, path: str, dashes: str = "") -> ElementTree.Element:
    stroke = _add(sheet.lines, "path", d=path)
    if dashes:
        stroke.set("stroke-dasharray", dashes)
    return stroke


def _add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> ElementTree.Element:
    """An element below ``parent``; what a stranger wrote loses what no XML may hold."""
    element = ElementTree.SubElement(parent, tag, attributes)
    element.text = "".join(char for char in text if char.isprintable()) or None
    return element
