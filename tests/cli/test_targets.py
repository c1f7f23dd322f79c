"""A source without recipe: all that is wrong with what was typed is said at once, its place first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import BuildModule
from tests.fixtures.command import Command
from wellread.cli.targets import Asked, order
from wellread.errors import BadInput, SourceUnavailable


def test_everything_is_said_at_once_and_the_place_first(command: Command, tmp_path: Path) -> None:
    refused = command("build", tmp_path / "none", "--name", "my bert", "--lang", "English", "--out", tmp_path / "dist")
    assert refused.code == 1
    first, *rest = refused.err.splitlines()
    assert first == f"wellread: the folder {tmp_path / 'none'} is not there"
    for line, why in zip(rest, ("'my bert'", "'English'", "--license must be given"), strict=True):
        assert why in line


@pytest.mark.parametrize("place", ["none", "none.tar.gz"])
def test_a_place_that_is_not_there_is_known_before_anything_is_done(tmp_path: Path, place: str) -> None:
    asked = Asked(name="tiny", lang="en", licence="MIT", moment=1598344705269)
    with pytest.raises(SourceUnavailable, match=f"{place} is not there"):
        order(str(tmp_path / place), asked)


def test_one_mistake_is_told_as_itself(module: BuildModule) -> None:
    asked = Asked(name="my bert", lang="en", licence="MIT", moment=1598344705269)
    with pytest.raises(BadInput, match=r"^'my bert' is not a model name[^\n]*$"):
        order(str(module("huggingface")), asked)
