"""Tokens by the rules of Spark NLP's Tokenizer."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellread.annotators.annotation import Annotation
from wellread.annotators.documents import document
from wellread.annotators.tokens import CONTEXT_CHARS, Splitter, split_tokens
from wellread.errors import BadInput


def split(text: str, splitter: Splitter | None = None) -> list[str]:
    return [text[begin:end] for begin, end in (splitter or Splitter()).spans(text)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I love NLP", ["I", "love", "NLP"]),
        (
            "I'd say we didn't expect that. Jane's boyfriend.",
            ["I'd", "say", "we", "didn't", "expect", "that", ".", "Jane's", "boyfriend", "."],
        ),
        ('He said: "(no)!"', ["He", "said", ":", '"(', "no", ')!"']),
        ("well-read ... - -- e.g. 3.5 a,b", ["well-read", "...", "-", "--", "e.g", ".", "3.5", "a,b"]),
        ("“no” ¿qué?", ["“no”", "¿qué", "?"]),
        ("日本語。 x\u0301 \U0001f600!", ["日本語。", "x\u0301", "\U0001f600", "!"]),
        ("a\u00a0b\u3000c\td\n e", ["a", "b", "c", "d", "e"]),
        ("a\x00b \ud800", ["a\x00b", "\ud800"]),
        ("", []),
        (" \t\n ", []),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert split(text) == tokens


@settings(deadline=None)
@given(st.text(st.sampled_from("ab'.-!\"( \t\n") | st.characters()))
def test_the_rule_is_spark_nlps_regular_expression(text: str) -> None:
    context = re.escape("".join(CONTEXT_CHARS))
    rule = re.compile(rf"\A([{context}]*)([^{context}](?:.*[^{context}])*)([{context}]*)\Z", re.DOTALL)
    expected = []
    for candidate in text.split():
        match = rule.match(candidate)
        expected += [group for group in (match.groups() if match else [candidate]) if group]
    assert split(text) == expected


def test_tokens_lie_in_their_document_and_bear_their_sentence() -> None:
    sentences = [*document("Yes!"), Annotation("document", 9, 13, "it is", {"sentence": "4"})]
    found = Splitter()(sentences)
    assert [(one.kind, one.begin, one.end, one.result, one.metadata["sentence"]) for one in found] == [
        ("token", 0, 2, "Yes", "0"),
        ("token", 3, 3, "!", "0"),
        ("token", 9, 10, "it", "4"),
        ("token", 12, 13, "is", "4"),
    ]
    assert [one.result for one in split_tokens(sentences)] == ["Yes", "!", "it", "is"]
    assert Splitter()([]) == []


def test_context_characters_can_be_others() -> None:
    assert split("“a”. [b]", Splitter(context_chars=["“", "”", "[", "]"])) == ["“", "a”.", "[", "b", "]"]
    assert split("a.", Splitter(context_chars=())) == ["a."]


def test_split_characters_part_a_token_and_vanish() -> None:
    assert split("(a-b#c)! -", Splitter(split_chars=["-", "#"])) == ["(", "a", "b", "c", ")!"]
    assert split("a.b", Splitter(split_chars=[r"\."])) == ["a", "b"]
    text = "in this--text"
    assert Splitter(split_pattern="-+|t$").spans(text) == [(0, 2), (3, 7), (9, 12)]


def test_exceptions_keep_a_candidate_whole() -> None:
    splitter = Splitter(exceptions=["New York", "e-mail!"])
    assert split("In New York. An e-mail!! new york.", splitter) == [
        "In",
        "New York.",
        "An",
        "e-mail!!",
        "new",
        "york",
        ".",
    ]
    insensitive = Splitter(exceptions=["New York"], case_sensitive_exceptions=False)
    assert split("(new york)", insensitive) == ["(new york)"]


def test_a_target_pattern_says_what_tokens_are_made_of() -> None:
    text = "only lower CASE and 0,1 to 7 not 8"
    expected = ["only", "lower", "and", "0", "1", "to", "7", "not"]
    assert split(text, Splitter(target_pattern="a-z-0-7")) == expected
    assert split(text, Splitter(target_pattern="[a-z0-7]+")) == expected


def test_lengths_leave_tokens_out() -> None:
    assert split("a bb ccc dddd", Splitter(min_length=2, max_length=3)) == ["bb", "ccc"]


@pytest.mark.parametrize("option", [{"exceptions": ["("]}, {"split_pattern": "["}, {"target_pattern": "z-a"}], ids=str)
def test_malformed_patterns_are_named(option: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="is no regular expression"):
        Splitter(**option)  # type: ignore[arg-type]


def test_it_pickles_and_compares() -> None:
    splitter = Splitter(exceptions=("a b",))
    assert pickle.loads(pickle.dumps(splitter)) == splitter != Splitter()
    assert split("a b", pickle.loads(pickle.dumps(splitter))) == ["a b"]
