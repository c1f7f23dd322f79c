"""The prose of a card as HTML that cannot harm, and as a line of text.

Whoever publishes a model is not the owner of the site that shows it, so its Markdown is hostile text. It is CommonMark
with tables; HTML in it is shown as the text that it is, and what comes out passes through an allow-list once more:

    kept      paragraphs, lists, quotes, code, tables, rules, emphasis, links to http, https and mailto
    changed   headings stand below those of the page; an image, which would have to be fetched, is its description
    dropped   Liquid tags and kramdown's attributes, as posts of the founding hub have them

Rendering is bounded: of a text longer than ``LONGEST`` the beginning is shown, with a word that it goes on.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

LONGEST = 20_000
"""Characters that are rendered: the worst that was found to fit into so many takes about a second."""
SUMMARY = 200
"""Characters of a summary at most."""
HIGHEST = 3
"""The level of the highest heading in prose: 1 is the page's title, 2 its sections."""

_TAGS = {
    *("a", "br", "code", "del", "em", "strong"),
    *("blockquote", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
_ATTRIBUTES: dict[str, set[str]] = {"a": {"href"}, "code": {"class"}, "ol": {"start"}, "*": set()}
_REACHED_BY_KEYBOARD = {"pre": {"tabindex": "0"}}
"""Long lines of code scroll, and so must be had without a mouse."""
_SCHEMES = {"http", "https", "mailto"}
_LANGUAGE = re.compile(r"language-[A-Za-z0-9_+#.\-]{1,30}")

_GOES_ON = "<p>… <em>The text is longer than what is shown here.</em></p>"

_MARKUP_LINE = re.compile(r"(\{[:#][^}\n]*\}|\{%[^\n]*%\})\s*")
_MARKUP = re.compile(r"\{[:#][^}\n]{0,500}\}|\{%[^\n]{0,500}?%\}|\{\{ ?(?:site|page|include)\.[\w.]{1,100} ?\}\}")
"""Other double braces are kept: citations in BibTeX have them."""
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s+[^\sa-z]|$)|[。！？])")
_JOINERS = "\u200c\u200d"
"""Not printable, and part of how Persian, Hindi and others are spelled."""


def to_html(markdown: str) -> str:
    """Markdown as HTML for the page of a site, without anything that runs, loads, styles or names an element."""
    html: str = _markdown().render(markdown[:LONGEST])
    return nh3.clean(
        html if len(markdown) <= LONGEST else html + _GOES_ON,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_keep,
        set_tag_attribute_values=_REACHED_BY_KEYBOARD,
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel="nofollow noopener noreferrer ugc",
    )


def to_text(markdown: str) -> str:
    """The first sentence of Markdown as plain text on one line, up to ``SUMMARY`` characters, empty where there is
    none."""
    tokens = _markdown().parse(markdown[: 20 * SUMMARY])
    paragraphs = (token for before, token in pairwise(tokens) if before.type == "paragraph_open")
    text = next(filter(None, (_spoken(token.children or []) for token in paragraphs)), "")
    sentence = _SENTENCE.match(text)
    return _shortened(sentence[0] if sentence else text)


def _keep(_: str, attribute: str, value: str) -> str | None:
    return None if attribute == "class" and not _LANGUAGE.fullmatch(value) else value


def _spoken(children: Sequence[Token]) -> str:
    """What the tokens of a paragraph say, on one line, without what would move a cursor or turn the writing around."""
    said = RendererHTML().renderInlineAsText(children, _markdown().options, {})
    return " ".join("".join(char if char.isprintable() or char in _JOINERS else " " for char in said).split())


def _shortened(text: str) -> str:
    if len(text) <= SUMMARY:
        return text
    cut = text[: SUMMARY - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


# ---------------------------------------------------------------- the reader


@cache
def _markdown() -> MarkdownIt:
    """CommonMark with tables and without HTML; made once, since that takes longer than a short text."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    ends = ["paragraph", "reference", "blockquote", "list"]
    markdown.block.ruler.before("fence", "site_markup", _skip_line, {"alt": ends})
    markdown.inline.ruler.before("link", "site_markup", _skip_markup)
    markdown.core.ruler.push("headings", _demote)
    markdown.add_render_rule("image", _describe)
    return markdown


def _skip_line(state: StateBlock, line: int, _: int, silent: bool) -> bool:
    """A line that is nothing but ``{:.btn-box}`` or a Liquid tag."""
    if state.is_code_block(line) or not _MARKUP_LINE.fullmatch(
        state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line]
    ):
        return False
    if not silent:
        state.line = line + 1
    return True


def _skip_markup(state: StateInline, silent: bool) -> bool:
    """The same within a line: ``[Download](…){:.button}``."""
    found = _MARKUP.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if found:
        state.pos = found.end()
    return found is not None


def _demote(state: StateCore) -> None:
    """Give each heading the level that it has in the outline, below the page's own: none is skipped on the way down."""
    above: list[str] = []
    for token in state.tokens:
        if token.type == "heading_open":
            above = [tag for tag in above if tag < token.tag]
            above.append(token.tag)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(HIGHEST - 1 + len(above), 6)}"


def _describe(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    """An image by its description."""
    return escapeHtml(renderer.renderInlineAsText(tokens[index].children or [], options, env))
