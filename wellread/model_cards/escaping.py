"""Text that others wrote, made part of a card: it looks as it was written, and is nothing but text in its place.

    line      on one line                        heading   a title after its ``#``
    prose     paragraphs, lists, links to the web, nothing that ends the section it stands in
    code      between backticks                  cell      in a cell of a table; ``uncell`` is the way back
    address   where a button leads               liquid    in a Jekyll post; ``unliquid`` is the way back

Entities stand where a backslash would do, since a backslash before it would undo that one, and readers of Markdown
differ on which characters one escapes.
"""

from __future__ import annotations

import re

_BLOCK = re.compile(r"^[ \t]*(?=#|`{3}|~{3}|(?:=+|-+)[ \t]*$|(?:[-*_][ \t]*){3,}$)", re.MULTILINE)
"""Where a line begins what would reach beyond its paragraph: a heading, a fence, an underline or a rule."""
_BUTTON = re.compile(r"^([ \t]*)-(?= \*\*[^*\n]{1,40}:\*\* )", re.MULTILINE)
"""An item that looks as ``writing`` lists the buttons; with a star it is the same item and no button."""
_HTML = re.compile(r"<(?=[A-Za-z/!?$])")
_ATTRIBUTES = re.compile(r"\{(?=:)")
"""kramdown's attribute lists and options: ``{:.class onclick=…}``, ``{::options … /}``."""
_LINK = re.compile(r"\](?=\((?!https?://)|:(?![ \t]*<?https?://))", re.IGNORECASE)
"""The end of a link's text, or of a reference's name, that leads elsewhere than to the web."""
_CELL = {"\\": "&#92;", "|": "&#124;", "<": "&lt;"}
_UNCELL = {**{entity: plain for plain, entity in _CELL.items()}, "&#123;": "{", "&#93;": "]"}
_LIQUID = re.compile(r"\{(?=[{%])")
_BRACE = '{{ "{" }}'
_UNLIQUID = re.compile(r"\{%-?[ \t]*(?:end)?raw[ \t]*-?%\}|" + re.escape(_BRACE))
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_SCHEMES = ("http:", "https:", "s3:", "gs:", "az:")
_IN_ADDRESS = re.compile(r"""[\s<>()"'`{}|\\]""")


def line(text: str) -> str:
    """Text on one line, its runs of white space as one space."""
    return " ".join(text.split())


def heading(text: str) -> str:
    """A title as it stands after ``#``: on one line, without the closing ``##`` that Markdown would leave out."""
    words = text.split()
    while words and not words[-1].strip("#"):
        words.pop()
    return " ".join(words).replace("<", "&lt;")


def prose(text: str) -> str:
    """Text whose paragraphs and lists stay what they are, without HTML, attributes or links but to the web."""
    return _inline(_BUTTON.sub(r"\1*", _BLOCK.sub(r"\\", text.strip())))


def code(text: str) -> str:
    """Text between backticks."""
    return f"`{line(text).replace('`', chr(39))}`"


def cell(text: str) -> str:
    """Text in a cell of a table."""
    return _LINK.sub("&#93;", _ATTRIBUTES.sub("&#123;", re.sub(r"[\\|<]", lambda found: _CELL[found[0]], line(text))))


def uncell(text: str) -> str:
    """The inverse of ``cell``."""
    return re.sub("|".join(_UNCELL), lambda found: _UNCELL[found[0]], line(text))


def address(text: str) -> str:
    """An address as it can stand in a link; empty where it is of a kind that no button leads to, such as a script."""
    quoted = _IN_ADDRESS.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text.strip())
    scheme = _SCHEME.match(quoted)
    return "" if scheme and scheme[0].lower() not in _SCHEMES else quoted


def liquid(text: str) -> str:
    """Text in which Liquid, which Jekyll runs over the whole post, code included, finds no tag and no variable."""
    return _LIQUID.sub(_BRACE.replace("\\", r"\\"), text)


def unliquid(text: str) -> str:
    """The inverse of ``liquid``; ``{% raw %}`` goes as well, which others quote with."""
    return _UNLIQUID.sub(lambda found: "{" if found[0] == _BRACE else "", text)


def _inline(text: str) -> str:
    return _LINK.sub("&#93;", _ATTRIBUTES.sub("&#123;", _HTML.sub("&lt;", text)))
