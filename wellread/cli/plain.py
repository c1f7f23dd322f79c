"""What a stranger wrote, as a terminal may show it.

Titles, reasons and addresses come out of hubs. A control character among them could move the cursor, hide a line or
type for the user; one that turns the direction of writing can make a name read as another. They are shown as escapes.
"""

from __future__ import annotations


def plain(text: object) -> str:
    """``text`` with everything that cannot be printed, a newline excepted, as an escape: ``\\x1b``, ``\\u202e``."""
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in str(text))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
