"""docs/embed.md says what there is."""

from __future__ import annotations

from pathlib import Path

import click

from wellread.bulk.kinds import COMPRESSIONS, KINDS
from wellread.bulk.plan import ROWS
from wellread.cli.embed import embed

PAGE = (Path(__file__).parents[2] / "docs/embed.md").read_text()
ELSEWHERE = {
    "--lang",
    "--form",
    "--version",
    "--refresh",
    "--trust",
    "--lock",
    "--hub",
    "--normalize",
    "--output-level",
}
"""Options that other commands have, or that stand for texts too."""


def test_every_option_of_files_is_on_the_page() -> None:
    options = {name for each in embed.params if isinstance(each, click.Option) for name in each.opts}
    assert {option for option in options - ELSEWHERE if f"`{option}" not in PAGE} == set()


def test_every_kind_and_level_is_on_the_page() -> None:
    assert [suffix for suffix in (*KINDS, *COMPRESSIONS) if f"`{suffix}`" not in PAGE] == []
    assert all(str(rows) in PAGE for rows in ROWS.values())
