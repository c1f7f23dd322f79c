"""The page about the one-liner names all that it takes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import get_args

import wellread
from wellread.nlu.columns import Naming
from wellread.nlu.levels import Level
from wellread.nlu.pipeline import Pipeline

PAGE = (Path(__file__).parents[2] / "docs/nlu.md").read_text(encoding="utf-8")


def test_every_option_level_and_naming_is_explained() -> None:
    options = [*inspect.signature(wellread.load).parameters, *inspect.signature(Pipeline.predict).parameters]
    named = [*options, *get_args(Level), *get_args(Naming)]
    assert [name for name in named if name not in ("self", "data", "references") and name not in PAGE] == []
