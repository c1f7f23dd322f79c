"""The sections of a card as HTML for its page: prose made safe, tables that scroll in a box, and the plot of parity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from markupsafe import escape

from wellread.model_cards.card import Card
from wellread.model_cards.plot import parity_svg
from wellread.model_cards.prose import to_html
from wellread.registry.records import Proof

_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
"""What prose has been through leaves a table no attributes, and text no angle brackets."""
_FOLDED = {"Parity": "Point by point"}
"""Sections whose first table says the essential → what the others are."""


@dataclass(frozen=True)
class Part:
    """A section of the page: its heading, what refers to it, and its HTML, which is safe."""

    title: str
    id: str
    html: str


def prose(markdown: str, label: str, more: str = "") -> str:
    """Markdown as HTML. Each table is in a box that scrolls and is reached by keyboard, named after ``label``.

    With ``more`` the tables after the first are folded below those words.
    """
    number = count(1)

    def boxed(table: re.Match[str]) -> str:
        at = next(number)
        name = escape(f"{label}, table {at}" if at > 1 else f"{label}, table")
        box = f'<div class="table-box" role="region" tabindex="0" aria-label="{name}">{table[0]}</div>'
        return f"<details><summary>{escape(more)}</summary>{box}</details>" if more and at > 1 else box

    return _TABLE.sub(boxed, to_html(markdown))


def parts(card: Card, proof: Proof | None) -> Iterator[Part]:
    """The sections of a card in their order, with a plot where parity was measured."""
    for number, section in enumerate(card.sections, 1):
        html = prose(section.body, section.title, _FOLDED.get(section.title, ""))
        if section.title == "Parity" and proof is not None:
            html += _plot(proof)
        yield Part(section.title, f"section-{number}", html)


def _plot(proof: Proof) -> str:
    """The picture of parity, which on a narrow screen scrolls."""
    drawn = parity_svg(proof.parity)
    return f'<figure tabindex="0" role="group" aria-label="Parity, plot">{drawn}</figure>' if drawn else ""
