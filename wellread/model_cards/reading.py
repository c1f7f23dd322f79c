"""A card out of text: the founding hub's posts as many hands have left them, and all that ``writing`` writes.

What is markup of the layout becomes the record and is written anew, one way: markers such as ``{:.h2_title}``, the box
of tabs, buttons on a line of their own, the table of Model Information, with or without header and colons. What is
prose is kept as it stands, under its heading, whether anybody knows that heading or not.

    parse → write → parse          the same card
    write → parse → write          the same bytes
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from wellread.errors import BadInput
from wellread.model_cards.card import Button, Card, Section, Tab
from wellread.model_cards.escaping import address, heading, uncell, unliquid
from wellread.model_cards.front_matter import split_page
from wellread.model_cards.layout import (
    BUTTONS,
    DESCRIPTION,
    INFORMATION,
    PARTS,
    ROWS,
    USAGE,
    ordered,
    spelled,
    tab_title,
)
from wellread.model_cards.passages import Fence, Passage, heading_text, markdown, passages

LONGEST = 1024 * 1024
"""Characters of a card at most."""
_GUESSED = 50
"""Rows of Model Information in which a slip is looked for: the founding cards have 13."""

_MARKER = re.compile(r"\s*\{:\s*\.(?:btn-box|h2_title|model-param|table-model|nlu-block)\s*\}\s*")
_NLU = re.compile(r"\s*\{:\s*\.nlu-block\s*\}\s*")
_BOX = re.compile(r"\s*(?:</?div\b[^>]{0,200}>|\{%-?\s*include\b[^%]{0,200}%\})\s*(?:\{:[^}]{0,100}\}\s*)?")
_BUTTON = re.compile(
    r"<button\b[^>]{0,200}>(?P<closed>[^<]{0,100})</button>"
    r"|\[(?P<open>[^\]\[]{0,100})\]\((?P<place>(?:[^()\s]|\([^()\s]{0,200}\)){0,2000})\)\s{0,3}\{:\s{0,3}\.button[^}]{0,200}\}"
    r"(?:\{:[^}]{0,200}\}){0,5}"
    r"|<br\s?/?>"
)
_LISTED = re.compile(rf"- \*\*({'|'.join(map(re.escape, BUTTONS))}):\*\* [<`]([^<>`\s]+)[>`]")
_BARS = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r":?-+:?")
_HEADERS = {"", "name", "value", "parameter", "property", "field", "key", "attribute", "description"}


def read_card(text: str, where: str) -> Card:
    """The card in a text; ``where`` names it in errors, which give file and line.

    Raises BadInput where its front matter cannot be read, or where it is longer than ``LONGEST``.
    """
    if len(text) > LONGEST:
        raise BadInput(f"{where} has more than {LONGEST} characters: this is no card; take long tables out of it")
    page = split_page(text, where)
    keys, body = _titled(page.keys, page.body)
    parts = _parts(body)
    found = [button for _, part in parts for button in _buttons(part)]
    kept = [(title, list(_without_layout(part))) for title, part in parts]
    usage, tabs = _usage(_of(USAGE, parts))
    information, notes = _information(_of(INFORMATION, kept))
    return ordered(
        Card(
            keys=keys,
            description=markdown(_of(DESCRIPTION, kept)),
            buttons=tuple(found),
            usage=usage,
            tabs=tabs,
            information=information,
            notes=notes,
            sections=tuple(Section(title, markdown(part)) for title, part in kept if title not in PARTS),
        )
    )


def _titled(keys: dict[str, Any] | None, body: str) -> tuple[dict[str, Any], str]:
    """Keys and body, the heading that repeats the title taken off; what has none is a post, in which Liquid runs."""
    above, _, below = body.lstrip("\n").partition("\n")
    title = heading_text(above, 1)
    if keys is None:
        return ({}, body) if title is None else ({"title": title.replace("&lt;", "<")}, below)
    if title is not None and title == heading(Card(keys=keys).title):
        return keys, below
    return keys, unliquid(body)


# ---------------------------------------------------------------- sections


def _parts(body: str) -> list[tuple[str, list[Passage]]]:
    """The sections of the second level; what stands above the first is description."""
    parts: list[tuple[str, list[Passage]]] = [(DESCRIPTION, [])]
    for passage in passages(body):
        title = heading_text(passage, 2) if isinstance(passage, str) else None
        if title is None:
            parts[-1][1].append(passage)
        else:
            parts.append((spelled(title.rstrip(" :"), PARTS), []))
    return parts


def _of(title: str, parts: Iterable[tuple[str, list[Passage]]]) -> list[Passage]:
    """All that stands under a heading, which may be there more than once."""
    found: list[Passage] = []
    for name, part in parts:
        if name == title:
            found += [*part, ""]
    return found


def _without_layout(found: Iterable[Passage]) -> Iterator[Passage]:
    return (one for one in found if isinstance(one, Fence) or not (_MARKER.fullmatch(one) or _is_buttons(one)))


# ---------------------------------------------------------------- buttons


def _buttons(found: Iterable[Passage]) -> Iterator[Button]:
    for line in found:
        if isinstance(line, Fence) or not _is_buttons(line):
            continue
        if listed := _LISTED.fullmatch(line.strip()):
            yield Button(listed[1], address(listed[2]))
        for one in _BUTTON.finditer(line):
            if not one[0].startswith("<br"):
                yield Button(_label(one["closed"] or one["open"] or ""), address(one["place"] or ""))


def _is_buttons(line: str) -> bool:
    """Whether a line has buttons and nothing else; one within a sentence is part of the sentence."""
    if _LISTED.fullmatch(line.strip()):
        return True
    return ".button" in line.replace("<button", ".button") and not _BUTTON.sub("", line).strip()


def _label(text: str) -> str:
    return " ".join(re.sub(r"[<>\[\]]", "", text).split())


# ---------------------------------------------------------------- how to use


def _usage(found: Iterable[Passage]) -> tuple[str, tuple[Tab, ...]]:
    """The prose of How to use, and its code: titled by the heading right above it, or by its language."""
    prose: list[str] = []
    tabs: list[Tab] = []
    titled: int | None = None
    nlu = False
    for one in found:
        if isinstance(one, Fence):
            title = "" if titled is None else heading_text(prose[titled], 3) or ""
            if titled is not None:
                prose[titled] = ""
            tabs.append(Tab(title or ("NLU" if nlu else tab_title(one.language)), one.code, one.language))
        layout = not isinstance(one, Fence) and bool(_MARKER.fullmatch(one) or _BOX.fullmatch(one) or _is_buttons(one))
        if isinstance(one, Fence) or layout:
            titled, nlu = None, not isinstance(one, Fence) and bool(_NLU.fullmatch(one))
            prose.append("")
            continue
        prose.append(one)
        if heading_text(one, 3) is not None:
            titled = len(prose) - 1
        elif one.strip():
            titled, nlu = None, False
    usage = re.sub(r"\n{3,}", "\n\n", markdown(prose))
    return usage, tuple(tab for tab in tabs if tab.code)


# ---------------------------------------------------------------- model information


def _information(found: Iterable[Passage]) -> tuple[dict[str, str], str]:
    """The rows of the table and what else stands there."""
    rows: dict[str, dict[str, None]] = {}
    notes: list[Passage] = []
    for one in found:
        if isinstance(one, Fence) or not one.lstrip().startswith("|"):
            notes.append(one)
            continue
        label, value = _cells(one)
        if _is_row(label, value):
            named = spelled(label, ROWS) if len(rows) < _GUESSED else label
            rows.setdefault(named, {})[value] = None
    said = {label: ", ".join(filter(None, values)) for label, values in rows.items()}
    return said, markdown(notes)


def _cells(row: str) -> tuple[str, str]:
    """Label and value of a row; bars further on are the value's."""
    label, *values = _BARS.split(row.strip().removeprefix("|"))
    if values and not values[-1].strip():
        values.pop()
    value = "|".join(values)
    return (uncell(label.replace("\\|", "|")).rstrip(": "), uncell(value.replace("\\|", "|")))


def _is_row(label: str, value: str) -> bool:
    """Whether it says something: it is neither the line below a header, nor a header."""
    if _RULE.fullmatch(label) or (not label and _RULE.fullmatch(value)):
        return False
    return not {label.lower(), value.lower()} <= _HEADERS
