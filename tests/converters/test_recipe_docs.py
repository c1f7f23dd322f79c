"""docs/recipes.md tells of every key of a recipe, with its default, and its examples are recipes."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from tests.converters.test_recipe import MINIMAL
from wellread.converters import recipe
from wellread.converters.formats.claims import FIELDS
from wellread.converters.recipe import Golden, Recipe
from wellread.converters.sources import Source

DOCUMENT = (Path(__file__).parents[2] / "docs/recipes.md").read_text(encoding="utf-8")
ROWS = {found[1]: found[0] for found in re.finditer(r"^\| `(\w+)` \|.*$", DOCUMENT, re.M)}
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", DOCUMENT, re.M | re.S)
SOURCE_KEYS = {*Source.__struct_fields__} - {"kind"}


def test_every_key_has_a_row() -> None:
    assert set(ROWS) == {*Recipe.__struct_fields__, *Golden.__struct_fields__, *SOURCE_KEYS}
    assert all(f"`{field}`" in DOCUMENT for field in FIELDS)


@pytest.mark.parametrize("field", [f for f in msgspec.structs.fields(Recipe) if f.default is not msgspec.NODEFAULT])
def test_every_default_is_the_one_that_it_tells(field: msgspec.structs.FieldInfo) -> None:
    default = ROWS[field.name].split(" | ")[2]
    told = {str: field.default, bool: str(field.default).lower(), tuple: ", ".join(map(str, field.default or ()))}
    expected = told.get(type(field.default), "") or "empty"
    assert field.default is None or default.replace("`", "") == expected


def test_its_example_is_a_recipe_and_so_are_its_goldens() -> None:
    example, goldens = BLOCKS
    found = recipe.parse(example)
    assert (found.max_length, len(found.sources)) == (256, 2)
    assert recipe.parse(MINIMAL + goldens).goldens
