"""A card beside what it is held against, and the lines on which it says what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from typing import Any

from wellread.errors import BadInput
from wellread.model_cards.card import Card
from wellread.model_cards.layout import INFORMATION, PARTS, ROWS, spelled
from wellread.model_cards.passages import heading_text, passages
from wellread.registry.names import ArtifactName, Version
from wellread.registry.records import Manifest

Found = Iterator[tuple[int, str]]
"""What a rule finds: lines, and what is wrong there."""
MOST_LINKS = 50
"""Links to artifacts that are looked at: a hub is asked for each, and the text searched."""
Listed = Callable[[ArtifactName], bool]
"""Whether a hub lists that artifact."""


@dataclass(frozen=True)
class Checked:
    """A card with what it is held against, and where things stand in its text."""

    card: Card
    text: str
    where: str
    manifest: Manifest | None = None
    listed: Listed | None = None

    @cached_property
    def lines(self) -> list[str]:
        return self.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @cached_property
    def ends(self) -> int:
        """The line that closes the front matter; 0 without one."""
        marks = [n for n, line in enumerate(self.lines, 1) if line.rstrip() in ("---", "...")]
        begins = next((n for n, line in enumerate(self.lines, 1) if line.strip()), 0)
        return marks[1] if len(marks) > 1 and marks[0] == begins else 0

    @cached_property
    def rows(self) -> dict[str, str]:
        """The rows of "Model Information" by their labels in small letters and without a colon."""
        return {label.strip().rstrip(":").strip().lower(): value for label, value in self.card.information.items()}

    @cached_property
    def languages(self) -> set[str]:
        """The codes under which the model is had: several languages are ``xx``."""
        languages = set(self.card.languages)
        return languages | {"xx"} if len(languages) > 1 else languages

    @cached_property
    def artifacts(self) -> list[tuple[int, str]]:
        """The file names of the zips that the buttons lead to, each with its line; a card has one or two."""
        addresses = [button.address for button in self.card.buttons if ".zip" in button.address]
        files = dict.fromkeys(re.split(r"[?#]", address)[0].rpartition("/")[2] for address in addresses)
        return [(self.line(re.escape(file)), file) for file in islice(files, MOST_LINKS)]

    @cached_property
    def artifact(self) -> ArtifactName | None:
        """The artifact that the card is about, as its download link names it."""
        return next((found for found in map(artifact_of, (file for _, file in self.artifacts)) if found), None)

    def line(self, pattern: str, after: int = 0) -> int:
        """The first line after that one in which the pattern occurs, else 1."""
        return next((n for n, line in enumerate(self.lines[after:], after + 1) if re.search(pattern, line)), 1)

    def key_line(self, key: str) -> int:
        return self.line(rf"^{re.escape(key)}\s*:")

    def heading_line(self, title: str) -> int:
        """The line of a section's heading; those that every card has may be misspelled."""
        return next((n for n, heading in self.headings if title in (heading, spelled(heading, PARTS))), 1)

    def row_line(self, label: str) -> int:
        """The line of a row of Model Information, misspelled or not."""
        return next((n for n, written in self.labels if spelled(written, ROWS).lower() == label.lower()), 1)

    @cached_property
    def headings(self) -> list[tuple[int, str]]:
        """The headings of the second level."""
        found = ((n, heading_text(line, 2)) for n, line in self.below)
        return [(n, heading.rstrip(" :")) for n, heading in found if heading is not None]

    @cached_property
    def labels(self) -> list[tuple[int, str]]:
        """The first cells in Model Information, without their colons."""
        start = self.heading_line(INFORMATION)
        end = next((n for n, _ in self.headings if n > start), len(self.lines) + 1)
        cells = ((n, line.strip().removeprefix("|").partition("|")) for n, line in self.below if start < n < end)
        return [(n, cell.strip(" :")) for n, (cell, bar, _) in cells if bar]

    @cached_property
    def below(self) -> list[tuple[int, str]]:
        """The lines below the front matter that are not code."""
        found, number = [], self.ends + 1
        for passage in passages("\n".join(self.lines[self.ends :])):
            if isinstance(passage, str):
                found.append((number, passage))
                number += 1
            else:
                *lines, closing = passage.source.split("\n")
                number += len(lines)
                number += self.lines[number - 1 : number] == [closing]  # what nobody closed is closed in the record
        return found


# ---------------------------------------------------------------- values


def agree(one: Any, other: Any) -> bool:
    """Whether two values say the same, lists in any order and ``[en]`` as ``en``."""
    return _words(one) == _words(other)


def _words(value: Any) -> frozenset[str]:
    return frozenset(re.findall(r"[^\s,;\[\]'\"]+", _written(value).lower()))


def shown(value: Any) -> str:
    """A value as a message shows it."""
    text = _written(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def day_of(value: Any) -> date | None:
    """The day that a value names, however YAML took it; None where it names none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def version_in(text: str) -> Version | None:
    """The first version in a text such as ``Spark NLP 2.6.0``."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    try:
        return Version.parse(found[0]) if found else None
    except BadInput:
        return None


def artifact_of(file: str) -> ArtifactName | None:
    """What a file name says, or None where it is not an artifact's."""
    try:
        return ArtifactName.parse(file)
    except BadInput:
        return None
