"""Text that others wrote stays text in the place that it is put in, whichever reader of Markdown comes."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from wellread.model_cards.escaping import address, cell, code, heading, liquid, prose, uncell, unliquid

BRACES = st.text(alphabet='{}%"| :x\\', max_size=40) | st.text()
PIECES = (
    *("<script>", "</p>", "<!--", "<a href=x>", "<https://x.org>", "<javascript:x>", "{:.x}", "{::n /}", "[x]"),
    *(
        "(javascript:x)",
        "(https://x.org)",
        "[x]: javascript:x",
        "\\",
        "`",
        "\n",
        " ",
        "# a",
        "---",
        "===",
        "```",
        "~~~",
    ),
)
FRAGMENTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


class Trusting(MarkdownIt):
    """A reader that refuses no link, as kramdown is."""

    def validateLink(self, url: str) -> bool:
        return True


@given(BRACES)
def test_liquid_finds_nothing_and_the_text_comes_back(text: str) -> None:
    written = liquid(text)
    assert not re.search(r"\{[{%]", written.replace('{{ "{" }}', ""))
    assert unliquid(written) == text


def test_what_others_quoted_is_unquoted() -> None:
    assert unliquid("{% raw %}{{ x }}{% endraw %}, {%- raw -%}y") == "{{ x }}, y"


@given(FRAGMENTS | BRACES)
def test_a_cell_is_one_cell_and_comes_back(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(f"|a|b|\n|---|---|\n|{cell(text)}|end|")
    cells = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 2 and cells[1] == "end"
    assert uncell(cell(uncell(cell(text)))) == uncell(cell(text))


@example("[x](javascript:x)")
@example("[x] and\n\n[x]: javascript:x")
@given(FRAGMENTS)
def test_prose_holds_no_html_no_attributes_and_no_link_but_to_the_web(text: str) -> None:
    shown = Trusting("commonmark").parse(prose(text))
    inner = [child for token in shown for child in token.children or ()]
    assert not {token.type for token in [*shown, *inner]} & {"html_block", "html_inline", "heading_open", "fence", "hr"}
    links = [str(child.attrs["href"]) for child in inner if child.type == "link_open"]
    assert all(link.startswith(("https://", "http://")) for link in links)
    assert not re.search(r"<[A-Za-z/!?]|\{:", prose(text))


def test_prose_keeps_paragraphs_lists_and_links() -> None:
    text = "One [paper](https://arxiv.org/abs/1908.08962), 1 < 2.\n\n- a *list*\n- `code`"
    assert prose(text) == text


@pytest.mark.parametrize(
    ("written", "shown"), [("a\n b", "a b"), ("C# and F#", "C# and F#"), ("A ##", "A"), ("<b>", "&lt;b>"), ("##", "")]
)
def test_a_heading_is_its_line(written: str, shown: str) -> None:
    assert heading(written) == shown


def test_code_ends_where_it_should() -> None:
    assert code("a `b``\nc") == "`a 'b'' c`"


@pytest.mark.parametrize(
    ("given_", "safe"),
    [
        ("https://x.org/a_b.zip", "https://x.org/a_b.zip"),
        ("s3://bucket/a b.zip", "s3://bucket/a%20b.zip"),
        ("demo.html?model=en/a", "demo.html?model=en/a"),
        ('https://x.org/"(é)|{{', "https://x.org/%22%28é%29%7C%7B%7B"),
        (" JavaScript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("", ""),
    ],
)
def test_an_address_fits_its_link(given_: str, safe: str) -> None:
    assert address(given_) == safe == address(safe)
