"""A card as text: Hugging Face's README, a post of the founding hub, or plain Markdown. The same card, the same bytes.

    README    front matter, then what the plain form has; the artifact holds it
    post      front matter, the founding hub's markers, its box of tabs, its buttons; for Jekyll
    plain     Markdown that needs nobody to read its keys

All three are read back by ``reading``, and written again from there they are the same.
"""

from __future__ import annotations

import dataclasses
import re

import jinja2

from wellread.model_cards import layout
from wellread.model_cards.card import Button, Card, Section, Tab
from wellread.model_cards.escaping import address, cell, heading, liquid
from wellread.model_cards.front_matter import write_front_matter

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("wellread.model_cards"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=jinja2.select_autoescape(("html.jinja",), default=False),  # Markdown; see ``escaping``
)
_TICKS = re.compile(r"`{3,}")


def write_readme(card: Card) -> str:
    """Hugging Face's README: front matter and Markdown, ending in a newline."""
    return f"---\n{write_front_matter(card.keys)}---\n\n{write_plain(card)}"


def write_post(card: Card) -> str:
    """A post of the founding hub, ending in a newline. In it Liquid, which Jekyll runs, finds nothing of the card."""
    return _render("post.md.jinja", _quoted(card), write_front_matter(card.keys))


def write_plain(card: Card) -> str:
    """Plain Markdown, ending in a newline."""
    return _render("plain.md.jinja", card, "")


def _render(template: str, card: Card, front_matter: str) -> str:
    return _TEMPLATES.get_template(template).render(card=layout.ordered(card), layout=layout, front_matter=front_matter)


def _quoted(card: Card) -> Card:
    """The card with every text that stands below the front matter kept from Liquid."""
    return dataclasses.replace(
        card,
        description=liquid(card.description),
        buttons=tuple(Button(liquid(button.label), button.address) for button in card.buttons),
        usage=liquid(card.usage),
        tabs=tuple(Tab(liquid(tab.title), liquid(tab.code), tab.language) for tab in card.tabs),
        information={liquid(label): liquid(value) for label, value in card.information.items()},
        notes=liquid(card.notes),
        sections=tuple(Section(liquid(section.title), liquid(section.body)) for section in card.sections),
    )


def _fence(tab: Tab) -> str:
    """Code between lines of backticks, more of them than any in it."""
    ticks = "`" * max(3, 1 + max(map(len, _TICKS.findall(tab.code)), default=0))
    return f"{ticks}{tab.language}\n{tab.code}\n{ticks}"


def _shown(place: str) -> str:
    """An address as people can follow or copy it."""
    return f"<{place}>" if place.startswith(("http://", "https://")) else f"`{place}`"


def _in_box(tabs: tuple[Tab, ...], inside: bool) -> list[Tab]:
    return [tab for tab in tabs if layout.in_box(tab) is inside]


_TEMPLATES.filters.update(address=address, cell=cell, shown=_shown, fence=_fence, heading=heading, in_box=_in_box)
