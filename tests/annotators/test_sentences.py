"""Where sentences begin and end, whatever the text."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wellread.annotators import sentences
from wellread.annotators.annotation import Annotation
from wellread.annotators.documents import document
from wellread.annotators.sentences import SentenceSplitter
from wellread.errors import BadInput, MissingExtra


def split(text: str, splitter: SentenceSplitter | None = None) -> list[str]:
    return [text[begin:end] for begin, end in (splitter or SentenceSplitter()).spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I love NLP", ["I love NLP"]),
        ("I love NLP. So do you!  And she?", ["I love NLP.", "So do you!", "And she?"]),
        (
            "Dr. Smith paid 3.50 in the U.S. yesterday. He left.",
            ["Dr. Smith paid 3.50 in the U.S. yesterday.", "He left."],
        ),
        ("A line\nends here. A blank line\n\nparts", ["A line\nends here.", "A blank line", "parts"]),
        ("\U0001f600 yes. Cafe\u0301 no.", ["\U0001f600 yes.", "Cafe\u0301 no."]),
        ("我爱你。你呢？", ["我爱你。", "你呢？"]),
        ("A\u00a0. Then\u2028B\u3000.", ["A\u00a0.", "Then\u2028B\u3000."]),
        ("He \ud800 is. So \x00 do", ["He \ud800 is.", "So \x00 do"]),
        ("", []),
        (" \n\t\u3000\n\n ", []),
        (".", ["."]),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_sentences_lie_in_their_document_and_are_numbered_through_the_row() -> None:
    row = [*document("One. Two."), Annotation("document", 20, 25, " Three", {"sentence": "1"})]
    found = SentenceSplitter()(row)
    assert [(one.kind, one.begin, one.end, one.result) for one in found] == [
        ("document", 0, 3, "One."),
        ("document", 5, 8, "Two."),
        ("document", 21, 25, "Three"),
    ]
    assert [one.metadata for one in found] == [{"sentence": "0"}, {"sentence": "1"}, {"sentence": "2"}]
    assert SentenceSplitter()([]) == []


@settings(deadline=None)
@given(st.text(st.sampled_from("aA. !?\n\"'“”«»()[]。1\u00a0\u2028\u0301\U0001f600\ud800\x00\x85") | st.characters()))
@example('\tB\u3000."»')
@example("“" * 5000)
def test_no_text_is_lost_none_is_twice_and_none_is_too_much(text: str) -> None:
    found = SentenceSplitter().spans(text)
    at, between = 0, ""
    for begin, end in found:
        assert at <= begin < end <= len(text)
        assert text[begin:end] == text[begin:end].strip()
        between += text[at:begin]
        at = end
    assert not (between + text[at:]).strip()


def test_a_text_longer_than_the_window_is_split_like_a_short_one() -> None:
    sentence = 'Dr. Smith, who (as you know) went to Washington, said: "It is fine." '
    assert split(sentence * 500) == split(sentence * 3)[:1] * 500
    assert split("word " * 5000 + "end. Next one.") == [("word " * 5000 + "end."), "Next one."]


@pytest.mark.parametrize("unit", ["“", "「。a", "«a. ", "\n", "x", "1. ", ". ", "(a) ", '" ('], ids=ascii)
def test_a_hostile_text_takes_no_longer_than_its_length_allows(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library alone takes a minute for the first of them, and four for one twice as long."""
    seen: list[int] = []
    segmenter = sentences._segmenter()

    def watched(language: str, text: str) -> list[dict[str, Any]]:
        assert len(text) <= 2048
        seen.append(len(text))
        return segmenter(language, text)

    monkeypatch.setattr(sentences, "_segmenter", lambda: watched)
    text = unit * (100_000 // len(unit))
    assert all(begin < end for begin, end in SentenceSplitter().spans(text))
    assert sum(seen) <= 3 * len(text)


def test_bounds_of_ones_own_part_sentences_and_are_in_none() -> None:
    text = "One. Two|three ;; four."
    assert split(text, SentenceSplitter(custom_bounds=(r"\|", ";+"))) == ["One.", "Two", "three", "four."]
    only = SentenceSplitter(custom_bounds=(r"\|", ";+"), custom_bounds_only=True)
    assert split(text, only) == ["One. Two", "three", "four."]
    assert split(text, SentenceSplitter(custom_bounds_only=True)) == ["One.", "Two|three ;; four."]


def test_abbreviations_can_be_ignored() -> None:
    assert split("Dr. Smith left.", SentenceSplitter(use_abbreviations=False)) == ["Dr.", "Smith left."]


def test_lengths_leave_sentences_out_or_cut_them_at_white_space() -> None:
    text = "No. It is a sentence of some length."
    assert split(text, SentenceSplitter(min_length=4)) == ["It is a sentence of some length."]
    assert split(text, SentenceSplitter(max_length=4)) == ["No."]
    assert split(text, SentenceSplitter(split_length=10)) == ["No.", "It is a", "sentence", "of some", "length."]
    assert split("a bb ccc", SentenceSplitter(split_length=1)) == ["a", "bb", "ccc"]


def test_any_language_has_sentences() -> None:
    for language in ("de", "zh", "xx", "", "no such language"):
        assert split("Eins. Zwei.", SentenceSplitter(language)) == ["Eins.", "Zwei."]


def test_malformed_options_are_named() -> None:
    with pytest.raises(BadInput, match=r"custom bound '\(' is no regular expression"):
        SentenceSplitter(custom_bounds=("a", "("))
    with pytest.raises(BadInput, match="split_length=0"):
        SentenceSplitter(split_length=0)


def test_it_pickles() -> None:
    splitter = SentenceSplitter(custom_bounds=(";",))
    assert split("a; b", pickle.loads(pickle.dumps(splitter))) == ["a", "b"]


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences._segmenter.cache_clear()
    monkeypatch.setitem(sys.modules, "sentencex", None)
    with pytest.raises(MissingExtra, match=r"sentencex is not installed: pip install 'wellread\[nlu\]'"):
        split("a. b")
    assert split("a; b", SentenceSplitter(custom_bounds=(";",), custom_bounds_only=True)) == ["a", "b"]


def test_a_panic_of_the_library_costs_no_more_than_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def panics(language: str, text: str) -> None:
        raise PanicException("end byte index 4 is not a char boundary")

    monkeypatch.setattr(sentences, "_segmenter", lambda: panics)
    assert split("One. Two.") == ["One. Two."]
    monkeypatch.setattr(sentences, "_segmenter", lambda: lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        split("One. Two.")
