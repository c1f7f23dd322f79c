"""A first recipe: what was found out, and blanks that a person fills in."""

from __future__ import annotations

import re

import msgspec
import pytest

from tests.converters.test_recipe import MINIMAL
from wellread.converters import recipe
from wellread.converters.describe import draft
from wellread.converters.recipe import Recipe


def without(found: Recipe, *keys: str) -> Recipe:
    return msgspec.structs.replace(found, **dict.fromkeys(keys, ""))


def test_a_draft_is_read_as_the_recipe_and_once_filled_in_as_that() -> None:
    found = recipe.parse(MINIMAL)
    assert recipe.parse(draft(found)) == found
    filled = recipe.parse(re.sub(r"^# (?=\w+: )", "", draft(without(found, "license")), flags=re.M))
    assert (filled.license, filled.supported) == ("Apache-2.0", True)
    assert filled.author and filled.edition and filled.citation and filled.data_source and len(filled.examples) == 2


def test_only_what_is_not_known_is_a_blank() -> None:
    found = recipe.load("small_bert_L2_128_bleurt")
    assert draft(found) == recipe.render(found)
    assert [line for line in draft(without(found, "author")).splitlines() if line.startswith("# author: ")]
    assert "# edition" not in draft(without(found, "author"))


@pytest.mark.parametrize("key", ["license", "author", "edition", "supported", "data_source", "citation", "examples"])
def test_every_key_that_no_source_says_is_offered(key: str) -> None:
    assert f"\n# {key}: " in draft(without(recipe.parse(MINIMAL), "license"))
