"""Published numbers that cannot be this model's: said by name, whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.conftest import BuildModule
from wellread.converters.material import Material, read_material
from wellread.converters.pull import Pulled
from wellread.converters.recipe import Golden, Recipe
from wellread.converters.sources import Source
from wellread.errors import ParityError
from wellread.registry.names import Lang, ModelName

pytestmark = pytest.mark.press


def read(folder: Path, *goldens: Golden, max_length: int | None = None) -> Material:
    source, name, language = Source(kind="folder", location=str(folder)), ModelName("m"), Lang("en")
    facts = Recipe(name=name, language=language, title="m", license="MIT", sources=(source,))
    recipe = msgspec.structs.replace(facts, goldens=goldens, max_length=max_length)
    return read_material(recipe, Pulled(folder, source))


@pytest.mark.parametrize(
    ("golden", "problem"),
    [
        (Golden(level="pooled", ids=(4, 100_000, 5), first=(0.1,)), "has id 100000, and the vocabulary has"),
        (Golden(level="pooled", text="hello world", first=(0.1,) * 33), "quotes 33 floats of 32"),
        (Golden(level="sentence", text="hello " * 70, first=(0.1,)), "has 72 tokens, and the model has places for 64"),
        (Golden(level="token", ids=(4, 5), position=7, first=(0.1,)), "quotes a position past the 2 tokens"),
        (Golden(level="token", text="hello", word="hell", first=(0.1,)), "makes no such word"),
    ],
)
def test_a_golden_that_is_of_another_model_is_named(module: BuildModule, golden: Golden, problem: str) -> None:
    with pytest.raises(ParityError, match=rf"the {golden.level} golden of .*{problem}"):
        read(module("huggingface"), golden)


@pytest.mark.parametrize(("asked", "given"), [(20, 20), (1000, 64), (None, 64)])
def test_the_longest_text_is_the_recipes_and_never_longer_than_the_model_takes(
    module: BuildModule, asked: int | None, given: int
) -> None:
    material = read(module("huggingface"), max_length=asked)
    assert material.max_length == given
    assert material.identity["max_length"] == given, "what is kept of another length is another"
