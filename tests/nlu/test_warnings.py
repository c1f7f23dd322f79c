"""What a pipeline says of rows without a vector: of each model, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

import wellread
from tests.nlu.conftest import OTHER, WORDS


def told_by(warned: pytest.WarningsRecorder) -> list[str]:
    return [str(one.message) for one in warned]


@pytest.mark.parametrize(
    ("level", "beginning"),
    [("token", "2 of 4 tokens have no vector of {}: as in Spark"), ("document", "1 of 1 documents are longer ")],
)
def test_each_model_says_what_it_left_out(hub: Path, level: str, beginning: str) -> None:
    both = wellread.load(f"{WORDS} {OTHER}", hub=hub, max_length=4)
    with pytest.warns(UserWarning) as warned:
        both.predict("the fox the fox", level)
    for said, name in zip(told_by(warned), ["tiny", "tiny_b"], strict=True):
        assert said.startswith(beginning.format(name)) and f" {name}" in said


def test_a_chunk_without_a_vector_is_told_as_that(hub: Path) -> None:
    short = wellread.load(WORDS, hub=hub, max_length=3)
    with pytest.warns(UserWarning) as warned:
        table = short.predict("a fox, a fox", "chunk", chunks=["fox"])
    assert told_by(warned) == [
        "2 of 2 chunks have no vector of tiny: none of the tokens that lie wholly in them has one"
    ]
    assert table.iloc[:, -1].isna().all()


def test_a_token_of_which_nothing_is_seen_is_told_without_advice_to_read_it_otherwise(hub: Path) -> None:
    aligned = wellread.load(WORDS, hub=hub, token_mode="aligned")
    with pytest.warns(UserWarning) as warned:
        aligned.predict("fox \u200b")
    assert told_by(warned) == ["1 of 2 tokens have no vector of tiny: they hold nothing that it reads"]
