"""Front matter is read as its writer meant it, is written back as it was, and says where it cannot be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from wellread.errors import BadInput
from wellread.model_cards.front_matter import DEEPEST, LONGEST, split_page, write_front_matter


def keys_of(source: str) -> dict[str, Any]:
    keys = split_page(f"---\n{source}\n---\nbody", "post.md").keys
    assert keys is not None
    return keys


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("no", "no"),
        ("[no, en]", ["no", "en"]),
        ("true", True),
        ("2.4", 2.4),
        ("3.0", 3.0),
        ("3.10", "3.10"),
        ("12", 12),
        ("-12", -12),
        ("012", "012"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("0x1F", "0x1F"),
        ("1.0e-06", 1e-06),
        (".nan", ".nan"),
        ("9" * 5000, "9" * 5000),
        ("2020-08-25", date(2020, 8, 25)),
        ("2020-08-25T08:36:31Z", datetime(2020, 8, 25, 8, 36, 31, tzinfo=UTC)),
        ("2020-07-29 23:34:00 +0800", "2020-07-29 23:34:00 +0800"),
        ("28/04/2020", "28/04/2020"),
        ("", None),
        ('"a: b"', "a: b"),
    ],
)
def test_a_value_is_what_was_written(source: str, value: object) -> None:
    found = keys_of(f"key: {source}")
    assert found == {"key": value} and type(found["key"]) is type(value)
    assert keys_of(write_front_matter(found)) == found


@pytest.mark.parametrize("body", ["article_header:\n  type: cover", "article_header:\ntype: cover"])
def test_both_spellings_of_article_header(body: str) -> None:
    assert list(keys_of(f"a: 1\n{body}\nb: 2").items()) == [("a", 1), ("article_header", {"type": "cover"}), ("b", 2)]


def test_a_flag_is_a_flag() -> None:
    assert keys_of("supported: yes\nrecommended: Off\nlanguage: no") == {
        "supported": True, "recommended": False, "language": "no",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("a: 1\ntitle: b: c", 3, "mapping values are not allowed"),
        ("a: [1", 3, "cannot be read"),
        ("a: 1\nb: &x 2", 3, "takes no anchors"),
        ("a: *x", 2, "cannot be read|takes no anchors"),
        ("a: !!python/object:os.system x", 2, "no tags"),
        ("a: " + "[" * 100_000, 2, f"no more than {DEEPEST} levels"),
        ("- a\n- b", 1, "lines of 'key: value'"),
        ("just text", 1, "lines of 'key: value'"),
        ("1: x", 1, "1 is no key"),
        ("? [a]\n: b", 2, "unhashable key"),
        ("date: 2020-13-45", 1, "month must be in 1..12"),
        ("a: b\x01", 2, "control characters"),
        ("a: " + "x" * LONGEST, 1, "characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(source: str, line: int, said: str) -> None:
    with pytest.raises(BadInput, match=rf"^posts/a\.md:{line}: .*(?:{said})") as caught:
        split_page(f"---\n{source}\n---\n", "posts/a.md")
    assert len(str(caught.value)) < 300


def test_lines_are_counted_from_the_top_of_the_file() -> None:
    with pytest.raises(BadInput, match=r"^a\.md:5: "):
        split_page("\ufeff\r\n\r\n---\r\nfine: 1\r\na: b: c\r\n---\r\n", "a.md")


def test_front_matter_that_never_ends() -> None:
    with pytest.raises(BadInput, match=r"^a\.md:2: .* never ends: close it with a line ---"):
        split_page("\n---\na: b\n\n# Title\n", "a.md")


def test_a_page_without_front_matter() -> None:
    assert split_page("# Title\n---\n", "a.md") == (None, "# Title\n---\n")


def test_it_looks_as_the_founding_hub_writes_it() -> None:
    keys = {
        "title": "A (b)",
        "date": date(2020, 8, 25),
        "tags": ["open_source", "en"],
        "article_header": {"type": "cover"},
        "use_language_switcher": "Python-Scala-Java",
        "said": "one\n\n---\ntwo",
    }
    assert write_front_matter(keys) == (
        "title: A (b)\ndate: 2020-08-25\ntags: [open_source, en]\narticle_header:\n  type: cover\n"
        'use_language_switcher: "Python-Scala-Java"\nsaid: "one\\n\\n---\\ntwo"\n'
    )


def test_a_value_that_is_there_twice_is_written_twice() -> None:
    shared = ["a"]
    assert write_front_matter({"one": shared, "two": shared}) == "one: [a]\ntwo: [a]\n"


@example("\x85")
@example("a\u2028b\xa0")
@given(st.text())
def test_other_readers_find_the_same_text(text: str) -> None:
    written = write_front_matter({"a": text, "b": [text], "use_language_switcher": text})
    assert yaml.safe_load(written) == {"a": text, "b": [text], "use_language_switcher": text}
    assert split_page(f"---\n{written}---\n", "a.md").keys == yaml.safe_load(written)
