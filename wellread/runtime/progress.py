"""A progress bar for work that takes long, where somebody is watching."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

PATIENCE = 2.0
"""Seconds of work before a bar appears by itself."""


class Silence:
    """A bar that nobody sees."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, done: int) -> None:
        pass


def progress_bar(total: int, asked: bool | None, unit: str = "text") -> tqdm[Any] | Silence:
    """A bar to ``total``: at once if ``asked`` is True, never if False.

    If None, after two seconds, and only on a terminal or in a notebook: a pipe or a log stays clean.
    """
    notebook = "ipykernel" in sys.modules
    if not (asked if asked is not None else notebook or sys.stderr.isatty()):
        return Silence()
    if notebook:
        from tqdm.autonotebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm(total=total, unit=unit, delay=0 if asked else PATIENCE, leave=bool(asked))
