"""Prose of strangers as HTML: what is kept, what is changed, and that nothing comes through that acts."""

from __future__ import annotations

import re

import pytest

from wellread.model_cards.prose import LONGEST, SUMMARY, to_html, to_text

REL = 'rel="nofollow noopener noreferrer ugc"'


def test_paragraphs_lists_code_and_tables_are_html() -> None:
    shown = to_html(
        "One *two* `three`.\n\n- a\n- b\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n\n```python\nmodel.encode('<b>')\n```\n"
    )
    assert "<p>One <em>two</em> <code>three</code>.</p>" in shown
    assert "<ul>\n<li>a</li>\n<li>b</li>\n</ul>" in shown
    assert "<th>x</th>" in shown and "<td>2</td>" in shown
    assert "<code class=\"language-python\">model.encode('&lt;b&gt;')\n</code></pre>" in shown


def test_long_code_can_be_scrolled_by_keyboard() -> None:
    assert '<pre tabindex="0">' in to_html("    code\n")


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<iframe src=//evil>",
        "<style>*{}</style>",
        "<!-- x -->",
        "<?php ?>",
        "<![CDATA[x]]>",
        "<details open ontoggle=alert(1)>",
        "</section></main>",
        "<math><mtext></mtext></math>",
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "a {} b", "- {}", "> {}", "| {} |\n|---|", "# {}", "[{}](https://a.b)", "```{}\n```"]
)
def test_html_is_shown_as_the_text_that_it_is(html: str, around: str) -> None:
    shown = to_html(around.format(html))
    kinds = {name.lower() for name in re.findall(r"</?([A-Za-z!?]\w*)", shown)}
    assert kinds <= {"p", "ul", "li", "blockquote", "table", "thead", "tr", "th", "h3", "a", "pre", "code"}
    assert not re.search(r"<[^>]*\bon\w+=", shown)


@pytest.mark.parametrize(
    "link",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](java\\\nscript:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x](vbscript:x)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](file:///etc/passwd)",
        "[x](//evil.example/)",
        "[x](/index.html)",
        "[x](../../index.html)",
        "[x](#main)",
        "[x](ftp://a.b/c)",
        "<javascript:alert(1)>",
        "[x][y]\n\n[y]: javascript:alert(1)",
        "![x](https://evil.example/pixel.png)",
        "[![x](https://evil.example/pixel.png)](javascript:1)",
    ],
)
def test_no_address_comes_through_but_of_a_web_page_or_a_mailbox(link: str) -> None:
    shown = to_html(link)
    assert "href=" not in shown and "src=" not in shown and "<img" not in shown


def test_links_to_pages_and_mailboxes_are_kept_and_vouch_for_nothing() -> None:
    assert to_html('[x](https://a.b/?c=1&d "title")') == f'<p><a href="https://a.b/?c=1&amp;d" {REL}>x</a></p>\n'
    assert to_html("<a@b.c>") == f'<p><a href="mailto:a@b.c" {REL}>a@b.c</a></p>\n'


def test_an_image_is_its_description() -> None:
    assert to_html('![a *plot* of "errors"](https://a.b/x.png)') == '<p>a plot of "errors"</p>\n'


@pytest.mark.parametrize(
    ("levels", "shown"),
    [
        ("1", "3"),
        ("2", "3"),
        ("12", "34"),
        ("123", "345"),
        ("2323", "3434"),
        ("13", "34"),
        ("312", "334"),
        ("123456", "345666"),
    ],
)
def test_headings_stand_below_those_of_the_page_and_skip_no_level(levels: str, shown: str) -> None:
    html = to_html("\n".join(f"{'#' * int(level)} T" for level in levels))
    assert "".join(re.findall(r"<h(\d)>T</h\1>", html)) == shown


def test_no_element_gets_a_name_a_class_or_a_style() -> None:
    shown = to_html('# T {#search}\n\n```x" onclick=\n```\n\n```{.evil style=x}\n```\n\n| a |\n|:-:|\n| b |\n')
    assert not re.search(r"\b(id|style|onclick|name)=", shown)
    assert set(re.findall(r'class="([^"]*)"', shown)) <= {"language-x"}


def test_the_founding_posts_marks_are_dropped_and_code_keeps_its_own() -> None:
    post = (
        "{% include programmingLanguageSelectScalaPythonNLU.html %}\nText\n{:.h2_title}\n\n[Go](https://a.b){:.button}\n"
        "- a\n{:.table-model}\n\n```\n{:.kept}\n{% kept %}\n```\nTake `{:.this}` and {{BERT}: Pre-training}.\n"
    )
    shown = to_html(post)
    assert "include" not in shown and "h2_title" not in shown and "button" not in shown and "table-model" not in shown
    assert "{:.kept}\n{% kept %}\n" in shown
    assert "<code>{:.this}</code> and {{BERT}: Pre-training}." in shown


WIDE = "|a" * 200 + "\n" + "|-" * 200 + "\n"
HANGING = [("", more) for more in ("[", "[a](", "**a", "> ", "- ", "<a ", "`x ``", "{:", "{%")]


@pytest.mark.parametrize(("start", "more"), [*HANGING, ("> a\n", "a\n"), (WIDE, "x\n")])
def test_a_megabyte_made_to_hang_a_reader_is_cut(start: str, more: str) -> None:
    shown = to_html(start + more * (1_000_000 // len(more)))
    assert shown.endswith("<p>… <em>The text is longer than what is shown here.</em></p>")
    assert len(shown) < 1_000_000


def test_what_is_not_too_long_is_shown_to_its_end() -> None:
    assert to_html("word " * (LONGEST // 5)).count("word") == LONGEST // 5


def test_the_same_text_is_the_same_html() -> None:
    text = "# A\n\n[b](https://c.d) `e`\n"
    assert to_html(text) == to_html(text)
    assert to_html("# B") == "<h3>B</h3>\n", "nothing is left of the text before"


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("", ""),
        ("   \n\n", ""),
        ("Hello *world*. And more.", "Hello world."),
        ("# Title\n\nThe [first](https://a.b) `one`,\nover lines. Two.", "The first one, over lines."),
        ("Version 2.6.0 of e.g. this one. Two", "Version 2.6.0 of e.g. this one."),
        ("模型。第二句。", "模型。"),
        ("- a list only", "a list only"),
        ("![a plot](x.png)\n\n", "a plot"),
        ("{:.h2_title}\nA\x1b[31m\u202eb", "A [31m b"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_a_summary_is_the_first_sentence_as_plain_text(markdown: str, text: str) -> None:
    assert to_text(markdown) == text


def test_a_long_sentence_is_cut_at_a_word() -> None:
    summary = to_text("word " * 1000)
    assert summary.endswith("word…") and len(summary) <= SUMMARY
    assert len(to_text("x" * 10_000_000)) == SUMMARY
