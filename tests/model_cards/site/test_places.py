"""Words that a stranger chose, as parts of paths."""

from __future__ import annotations

import re

import pytest

from wellread.model_cards.site.places import root_of, slug


@pytest.mark.parametrize(
    "text", ["Named Entity Recognition", "x" * 1000, "x" * 1001, "翻译", "问答", "../../etc/passwd", "", "?", "é", "e"]
)
def test_a_slug_is_a_plain_short_part_of_a_path(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,70}", slug(text))


def test_words_that_differ_by_more_than_case_and_signs_have_their_own_slug() -> None:
    words = ["x" * 1000, "x" * 1001, "翻译", "问答", "", "é", "e", "Named Entity Recognition"]
    assert len({slug(word) for word in words}) == len(words)
    assert slug("Named Entity Recognition") == slug("named-entity recognition") == "named-entity-recognition"


def test_every_page_finds_the_sites_root() -> None:
    assert [root_of(path) for path in ("index.html", "tasks/a.html", "models/en/a.html")] == ["", "../", "../../"]
