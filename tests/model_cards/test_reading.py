"""Posts of the founding hub become cards, whichever hand wrote them; what was written is read as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model_cards import posts
from tests.registry.samples import make_manifest
from wellread.errors import BadInput
from wellread.model_cards.card import Button, Card, Section, Tab
from wellread.model_cards.facts import card_of
from wellread.model_cards.front_matter import write_front_matter
from wellread.model_cards.reading import LONGEST, read_card
from wellread.model_cards.writing import write_plain, write_post, write_readme

CARD = read_card(posts.post(), "founding.md")


def test_the_founding_card() -> None:
    assert CARD.keys == {
        "layout": "model",
        "title": "Smaller BERT Embeddings (L-8_H-512_A-8)",
        "author": "John Snow Labs",
        "name": "small_bert_L8_512",
        "date": date(2020, 8, 25),
        "task": "Embeddings",
        "language": "en",
        "edition": "Spark NLP 2.6.0",
        "spark_version": 2.4,
        "tags": ["open_source", "embeddings", "en"],
        "supported": True,
        "annotator": "BertEmbeddings",
        "article_header": {"type": "cover"},
        "use_language_switcher": "Python-Scala-Java",
    }
    assert CARD.buttons == (
        Button("Live Demo"),
        Button("Open in Colab"),
        Button("Download", f"https://hub.example.org/{posts.ZIP}"),
        Button("Copy S3 URI", f"s3://hub/{posts.ZIP}"),
    )
    assert [(tab.title, tab.language) for tab in CARD.tabs] == [
        ("Python", "python"), ("Scala", "scala"), ("NLU", "python"),
    ]  # fmt: skip
    assert CARD.tabs[2].code.startswith("import nlu\nnlu.load(")
    assert CARD.information == posts.ROWS
    assert [section.title for section in CARD.sections] == ["Results", "Data Source"]
    assert CARD.sections[0].body == posts.RESULTS.strip()
    assert CARD.description.startswith("A compact encoder of [the family](https://arxiv.org")
    assert (CARD.usage, CARD.notes) == ("", "")


@pytest.mark.parametrize("write", [write_readme, write_post, write_plain])
def test_tabs_of_ours_are_read_as_they_were_written(write: Callable[[Card], str]) -> None:
    """NLU stands in the founding hub's box, Spark below it; a post's Scala stays beside them."""
    card = card_of(make_manifest(aliases=("en.embed.tiny",)))
    both = dataclasses.replace(card, tabs=(*card.tabs, *CARD.tabs[1:2]))
    read = {tab.title: tab for tab in read_card(write(both), "ours.md").tabs}
    assert read == {tab.title: tab for tab in both.tabs}
    assert {"Python", "NLU", "Spark", "Scala"} <= read.keys()


SWITCH = "{% include programmingLanguageSelectScalaPythonNLU.html %}"
ONE_LINE = posts.BUTTONS.replace("\n", "<br/>").replace("{:.btn-box}<br/>", "{:.btn-box}\n").removesuffix("<br/>")
PADDED = "".join(f"| {label.upper():20}   | {value:30} |\n" for label, value in posts.ROWS.items())
SAME = {
    "article_header unindented": posts.post(front_matter=posts.FRONT_MATTER.replace("  type: cover", "type: cover")),
    "CRLF": posts.post().replace("\n", "\r\n"),
    "a byte order mark": "\ufeff" + posts.post(),
    "a blank line above": "\n" + posts.post(),
    "buttons on one line": posts.post(buttons=ONE_LINE + "\n"),
    "buttons in new windows": posts.post(buttons=posts.BUTTONS.replace("icon}", 'icon}{:target="_blank"}')),
    "a fence right below the switch": posts.post(tabs=posts.TABS.replace(SWITCH + "\n\n", SWITCH + "\n")),
    "another switch": posts.post(tabs=posts.TABS.replace("ScalaPythonNLU", "ScalaPython")),
    "no box": posts.post(tabs=posts.TABS.split("%}")[1].replace("</div>", "")),
    "an empty tab": posts.post(tabs=posts.TABS.replace("</div>", "```java\n\n```\n</div>")),
    "a header": posts.post(
        table="{:.table-model}\n| Name | Value |\n|------|:-----:|\n" + posts.TABLE.split("\n", 2)[2]
    ),
    "other case, no colons": posts.post(table=PADDED),
    "slips": posts.post(table=posts.TABLE.replace("Compatibility", "Compatibilty").replace("Labels", "labels ")),
    "headings": posts.post()
    .replace("## How to use", "## How To Use  ")
    .replace("Model Information", "Model information:"),
    "markers indented": posts.post().replace("{:.h2_title}", " {:.h2_title}"),
    "markers missing": posts.post().replace("{:.h2_title}\n", "").replace("{:.model-param}\n", ""),
}


@pytest.mark.parametrize("how", SAME)
def test_the_same_card_in_other_hands(how: str) -> None:
    assert SAME[how] != posts.post()
    assert read_card(SAME[how], "other.md") == CARD


def test_written_once_it_is_written_the_same_ever_after() -> None:
    canonical = write_post(CARD)
    assert all(write_post(read_card(text, "other.md")) == canonical for text in [*SAME.values(), canonical])


def test_lists_or_strings() -> None:
    front = posts.FRONT_MATTER.replace("task: Embeddings", "task: [Embeddings, Text Classification]")
    front = front.replace("language: en", "language: [en, de]").replace("[open_source, embeddings, en]", "ner, en")
    front = front.replace("spark_version: 2.4", "spark_version: [2.4, 3.0]")
    card = read_card(posts.post(front_matter=front), "lists.md")
    assert (card.tasks, card.languages) == (("Embeddings", "Text Classification"), ("en", "de"))
    assert (card.tags, CARD.tags) == (("ner", "en"), ("open_source", "embeddings", "en"))
    assert (card.keys["spark_version"], card.keys["tags"]) == ([2.4, 3.0], "ner, en")
    assert read_card(write_post(card), "again.md") == card


def test_what_nobody_knows_is_kept_in_its_order() -> None:
    front = posts.FRONT_MATTER.replace("author:", "nav_key: models\nodd: {b: 1, a: [x, null]}\nauthor:")
    more = "\n## Included Models\n\n- this\n- that\n\n## Odd One\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n### Below it\n"
    card = read_card(posts.post(front_matter=front, more=more), "odd.md")
    assert list(card.keys)[:5] == ["layout", "title", "nav_key", "odd", "author"]
    assert card.keys["odd"] == {"b": 1, "a": ["x", None]}
    assert [section.title for section in card.sections[1:]] == ["Data Source", "Included Models", "Odd One"]
    assert card.sections[-1].body == "| a | b |\n|---|---|\n| 1 | 2 |\n\n### Below it"
    again = read_card(write_post(card), "again.md")
    assert again == card and list(again.keys) == list(card.keys)


def test_prose_beside_tabs_and_rows_is_kept() -> None:
    tabs = "Use it in a pipeline.\n\n### Setting up\n\nFirst this.\n" + posts.TABS + "Then look.\n"
    card = read_card(posts.post(tabs=tabs, table=posts.TABLE + "\nMeasured long ago.\n"), "prose.md")
    assert card.usage == "Use it in a pipeline.\n\n### Setting up\n\nFirst this.\n\nThen look."
    assert (card.tabs, card.information, card.notes) == (CARD.tabs, CARD.information, "Measured long ago.")


def test_buttons_below_another_section_and_within_a_sentence() -> None:
    text = "Read [this](https://x.org){:.button.button-orange} first."
    card = read_card(f"## Description\n{text}\n## Predicted Entities\n`PER`\n\n{posts.BUTTONS}", "entities.md")
    assert (card.description, card.buttons) == (text, CARD.buttons)
    assert card.sections == (Section("Predicted Entities", "`PER`"),)
    assert write_post(card).index("## Predicted Entities") < write_post(card).index("{:.btn-box}")


def test_sections_and_tabs_have_their_places() -> None:
    text = (
        "## Data Source\nd\n## Results\nr\n## Predicted Classes\np\n## How to use\n```bash\nb\n```\n```scala\ns\n```\n"
    )
    card = read_card(text, "order.md")
    assert [section.title for section in card.sections] == ["Predicted Classes", "Results", "Data Source"]
    assert card.tabs == (Tab("Scala", "s", "scala"), Tab("Bash", "b", "bash"))
    assert read_card(write_post(card), "again.md") == card


def test_a_heading_or_marker_in_code_is_code() -> None:
    code = "## Model Information\n{:.btn-box}\n|Dimension:|1|\n[Download](x){:.button}"
    card = read_card(f"## Description\n~~~\n{code}\n~~~\n## How to use\n```python\n{code}\n```\n", "code.md")
    assert (card.description, card.tabs) == (f"~~~\n{code}\n~~~", (Tab("Python", code),))
    assert (card.buttons, card.information) == ((), {})


def test_a_fence_that_nobody_closed_ends_with_its_section() -> None:
    card = read_card("## Description\n```\ncode\n## Results\nfine", "open.md")
    assert (card.description, card.sections) == ("```\ncode\n```", (Section("Results", "fine"),))


def test_what_liquid_quotes_is_read_as_liquid_shows_it() -> None:
    card = read_card("---\nname: a\n---\n## Description\n{% raw %}{{ x }}{% endraw %} and {{ y }}\n", "liquid.md")
    assert card.description == "{{ x }} and {{ y }}"
    assert read_card(write_post(card), "again.md") == card


def test_bars_and_repeated_rows_of_a_table() -> None:
    table = "|License:|a \\| b|\n|Dimension|1|\n|dimension:|1|\n|Dimension:|2|\n|Odd|x|y|\n|Empty:||\n"
    card = read_card(posts.post(table=table), "table.md")
    assert card.information == {"License": "a | b", "Dimension": "1, 2", "Odd": "x|y", "Empty": ""}
    assert read_card(write_post(card), "again.md") == card
    assert read_card(write_readme(card), "again.md").information == card.information


@pytest.mark.parametrize("address", ["javascript:alert(1)", "JAVASCRIPT:x", "data:text/html,x", "vbscript:x"])
def test_a_button_leads_to_no_script(address: str) -> None:
    card = read_card(posts.post(buttons=f"[Download]({address}){{:.button}}\n"), "script.md")
    assert card.buttons == (Button("Download"),)


def test_plain_markdown_gives_what_it_has() -> None:
    card = read_card(write_plain(CARD), "plain.md")
    assert card.keys == {"title": CARD.title}
    pressable = tuple(button for button in CARD.buttons if button.address)
    assert (card.buttons, card.tabs, card.information) == (pressable, CARD.tabs, CARD.information)
    assert (card.description, card.sections) == (CARD.description, CARD.sections)


def test_too_long_a_card_is_refused() -> None:
    with pytest.raises(BadInput, match=r"^long\.md has more than 1048576 characters"):
        read_card("x" * (LONGEST + 1), "long.md")


# ---------------------------------------------------------------- any post at all

LINES = (
    *posts.post().split("\n"),
    *posts.BUTTONS.replace("Download", "X").split("\n"),
    *("## How To Use", "##Results", "## Odd # #", "## #", "##", "# Title", "### Python", "### X #", "###"),
    *("```python", "```", "```bash", "~~~", "````", " ```scala", "``` Python {.x}", "    ```", "{:.other}"),
    *("<div>", "{% include x %}", "{% raw %}", "{% endraw %}", "a {{ b }} c", '{{ "{" }}', "{{{%", "{", '{{ "'),
    *("| | |", "|Compatibilty:|y \\| z|", "|a|b|c|", "||", "|x", "| Name | Value |", "|:|-|", "|&#124; &lt;|{{ x }}|"),
    *('[Y](s3://a){:.button.x}{:target="_blank"}', "[](y){:.button}", '[q](a"b){:.button}', "<br/>", "<br>", "<!--"),
    *("- **Download:** <https://x>", "- **Copy S3 URI:** `s3://b`", "- **Other:** <https://x>", "hard  ", "\tx", "---"),
    *("\u2028", "\x85x", "\x0b", "\x1f"),
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12) | st.dates()
    | st.sampled_from(["no", "yes", "3.10", "12:30", "~", "a: b", "# x", "---", "...", "=", "<<", "&a", "*a", "0x1F"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["title", "name", "article_header", "type", "tags", "task", "supported"]) | st.text(max_size=6)
BODIES = st.lists(st.sampled_from(LINES) | st.text(max_size=12), max_size=25).map("\n".join)


def _page(keys: dict[str, Any], body: str) -> str:
    return f"---\n{write_front_matter(keys)}---\n{body}"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.builds(_page, st.dictionaries(NAMES, VALUES, max_size=5), BODIES) | BODIES.map("# T\n".__add__))
def test_any_post_is_a_fixed_point(text: str) -> None:
    card = read_card(text, "any.md")
    assert read_card(write_post(card), "post.md") == card
    for write in (write_post, write_readme, write_plain):
        written = write(card)
        again = read_card(written, "again.md")
        assert write(again) == written
        assert read_card(write(again), "once more.md") == again


def test_a_card_needs_nothing() -> None:
    assert read_card("", "empty.md") == Card(keys={})
