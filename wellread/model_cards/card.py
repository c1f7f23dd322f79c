"""What a card says, whichever way it was read and will be written.

    keys           the front matter, every key in its order, those that nobody knows among them
    description    Markdown
    buttons        Live Demo, Open in Colab, Download, Copy S3 URI; one without an address is disabled
    usage          Markdown beside the tabs of "How to use"
    tabs           "How to use": code, a tab each
    information    the rows of "Model Information" in their order, plain text
    notes          Markdown below those rows
    sections       every other section of the second level, in its order: Results, Parity, Benchmarks, Data Source …

A card is made from a release (``facts``) or read from a post (``reading``), and written as Hugging Face's README, as a
post of the founding hub or as plain Markdown (``writing``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Tab:
    """Code in one of the tabs of "How to use"; ``language`` as a Markdown fence names it."""

    title: str
    code: str
    language: str = "python"


@dataclass(frozen=True)
class Button:
    """A button above the snippets; an empty ``address`` means that it is shown and cannot be pressed."""

    label: str
    address: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the second level: its heading and its Markdown."""

    title: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """A model card. Values of ``keys`` are what YAML gives: str, int, float, bool, date, list, dict or None."""

    keys: dict[str, Any]
    description: str = ""
    buttons: tuple[Button, ...] = ()
    usage: str = ""
    tabs: tuple[Tab, ...] = ()
    information: dict[str, str] = field(default_factory=dict)
    notes: str = ""
    sections: tuple[Section, ...] = ()

    @property
    def name(self) -> str:
        """The model's name, empty where the card names none."""
        return str(self.keys.get("name") or "")

    @property
    def title(self) -> str:
        return str(self.keys.get("title") or self.name)

    @property
    def tasks(self) -> tuple[str, ...]:
        """``task``, which posts write as a string or as a list."""
        return _listed(self.keys.get("task"))

    @property
    def languages(self) -> tuple[str, ...]:
        """``language``, a string or a list."""
        return _listed(self.keys.get("language"))

    @property
    def tags(self) -> tuple[str, ...]:
        """``tags``, a list, or a string with commas."""
        tags = self.keys.get("tags")
        return _listed([part for tag in tags.split(",") if (part := tag.strip())] if isinstance(tags, str) else tags)

    def section(self, title: str) -> Section | None:
        """The section of that heading, or None."""
        return next((section for section in self.sections if section.title == title), None)


def _listed(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(str(one) for one in values if one is not None)
