"""The layout that reading and writing share: which sections stand where, which tabs in the box, how buttons look.

    Description   lead sections   buttons   How to use   measured sections   Model Information   every other section

Cards are written in this order, and read into it, so that what was written is read as it was.
"""

from __future__ import annotations

import dataclasses
import difflib
from functools import lru_cache

from wellread.model_cards.card import Card, Section, Tab

DESCRIPTION, USAGE, INFORMATION = "Description", "How to use", "Model Information"
PARTS = (DESCRIPTION, USAGE, INFORMATION)
"""The sections that are fields of the card of their own."""
LEAD = ("Predicted Entities", "Predicted Classes", "Prediction Domain")
MEASURED = ("Results", "Parity", "Benchmarks")
BOX = {"Python": "python", "NLU": "python", "Scala": "scala", "Java": "java"}
"""The tabs that the founding hub's switch knows, and their languages. Every other is a snippet below the box."""
BUTTONS = {
    "Live Demo": ".button.button-orange",
    "Open in Colab": ".button.button-orange.button-orange-trans.co.button-icon",
    "Download": ".button.button-orange.button-orange-trans.arr.button-icon",
    "Copy S3 URI": ".button.button-orange.button-orange-trans.button-icon.button-copy-s3",
}
"""Each button's classes."""
ROWS = (
    *("Model Name", "Type", "Compatibility", "License", "Edition", "Size", "Input Labels", "Output Labels", "Language"),
    *("Dimension", "Case sensitive", "Max sentence length", "Dependencies"),
)
"""The rows of Model Information that have one spelling."""
_ALSO = {"name": "Model Name", "licence": "License", "how to": USAGE, "usage": USAGE}
_ALIKE = 0.85
"""How alike a word must be to a known one to be a slip of it: "output labels" and "input labels" are so by 0.8."""
_LONGEST_SLIP = 30


@lru_cache(maxsize=4096)
def spelled(word: str, known: tuple[str, ...]) -> str:
    """The known spelling of a word in any case or with a slip in it; else the word as it is."""
    if len(word) > _LONGEST_SLIP:
        return word
    plain = {name.lower(): name for name in known}
    asked = word.lower()
    if also := _ALSO.get(asked):
        return also if also in known else word
    close = [asked] if asked in plain else difflib.get_close_matches(asked, plain, n=1, cutoff=_ALIKE)
    return plain[close[0]] if close else word


def ordered(card: Card) -> Card:
    """The card with its sections and tabs in the order in which they are written."""
    return dataclasses.replace(
        card, sections=tuple(sorted(card.sections, key=_place)), tabs=tuple(sorted(card.tabs, key=_outside))
    )


def lead_sections(card: Card) -> tuple[Section, ...]:
    """Those before the buttons."""
    return tuple(section for section in card.sections if _place(section) == 0)


def measured_sections(card: Card) -> tuple[Section, ...]:
    """Those between How to use and Model Information."""
    return tuple(section for section in card.sections if _place(section) == 1)


def other_sections(card: Card) -> tuple[Section, ...]:
    """Those after Model Information."""
    return tuple(section for section in card.sections if _place(section) == 2)


def in_box(tab: Tab) -> bool:
    """Whether the founding hub's switch shows the tab."""
    return BOX.get(tab.title) == tab.language


def tab_title(language: str) -> str:
    """The title of a tab that has none but its language."""
    named = {code: title for title, code in BOX.items() if title != "NLU"}
    return named.get(language, language.capitalize() or "Code")


def _place(section: Section) -> int:
    return 0 if section.title in LEAD else 1 if section.title in MEASURED else 2


def _outside(tab: Tab) -> bool:
    return not in_box(tab)
