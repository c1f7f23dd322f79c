"""The body of a post as lines and fences of code: nothing that looks like a heading or a marker counts within code.

CommonMark ends a block of HTML at a blank line, kramdown at its closing tag, and neither knows the founding hub's
markers; a fence right below ``<div>`` is HTML to the one and code to the other. So posts are read line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_OPENS = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)")
_CLOSES = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.\-]+")


@dataclass(frozen=True)
class Fence:
    """Code between two lines of backticks or tildes: its ``language``, its lines, and all of it as it stood."""

    language: str
    lines: tuple[str, ...]
    source: str

    @property
    def code(self) -> str:
        """The lines without blank ones at either end."""
        return strip_blank("\n".join(self.lines))


Passage = str | Fence


def passages(text: str) -> Iterator[Passage]:
    """The lines and fences of a text, in their order.

    A fence that nothing closes ends before the next heading of the second level, and is closed there.
    """
    lines, at = text.split("\n"), 0
    unclosed: dict[str, int] = {}  # sign → the length that nothing below closes: no line is looked at twice for it
    while at < len(lines):
        opening = _OPENS.fullmatch(lines[at])
        if opening is None:
            yield lines[at]
            at += 1
            continue
        sign = opening[1]
        end = None if len(sign) >= unclosed.get(sign[0], len(lines[at]) + 1) else _closing(lines, at + 1, sign)
        if end is None:
            unclosed[sign[0]] = min(len(sign), unclosed.get(sign[0], len(sign)))
            end = _next_heading(lines, at + 1)
            yield _fence(opening[2], lines[at:end], [sign])
            at = end
        else:
            yield _fence(opening[2], lines[at:end], [lines[end]])
            at = end + 1


def markdown(found: Iterable[Passage]) -> str:
    """Lines and fences as Markdown, without blank lines at either end."""
    return strip_blank("\n".join(one.source if isinstance(one, Fence) else one * bool(one.strip()) for one in found))


def heading_text(line: str, level: int) -> str | None:
    """The text of a heading of that level, on one space and without a closing ``##``; None for any other line."""
    stripped = line.lstrip(" ")
    marks = "#" * level
    if len(line) - len(stripped) > 3 or not stripped.startswith(marks) or stripped.startswith(f"{marks}#"):
        return None
    words = stripped[level:].split()
    while words and not words[-1].strip("#"):
        words.pop()
    return " ".join(words)


def strip_blank(text: str) -> str:
    """A text without blank lines at either end; the indentation of its first line stays."""
    kept = text.rstrip()
    start = len(kept) - len(kept.lstrip())
    return kept[kept.rfind("\n", 0, start) + 1 :]


def _fence(told: str, lines: Sequence[str], closing: list[str]) -> Fence:
    language = _LANGUAGE.match(told.strip())
    return Fence(language[0].lower() if language else "", tuple(lines[1:]), "\n".join([*lines, *closing]))


def _closing(lines: Sequence[str], start: int, sign: str) -> int | None:
    for at in range(start, len(lines)):
        found = _CLOSES.fullmatch(lines[at])
        if found and found[1].startswith(sign):
            return at
    return None


def _next_heading(lines: Sequence[str], start: int) -> int:
    return next((at for at in range(start, len(lines)) if heading_text(lines[at], 2) is not None), len(lines))
