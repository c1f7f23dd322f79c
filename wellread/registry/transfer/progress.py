"""What somebody at a terminal is told while they wait; a pipe or a log stays clean."""

from __future__ import annotations

import sys
from typing import Any, Protocol

PATIENCE = 1.0
"""Seconds of work before a bar appears."""
_ROWS = 24
"""Rows of a terminal. One without a size, such as script, containers and CI give, would be shown nothing."""


class Bar(Protocol):
    """Something that is told how many bytes came since the last time."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *_: Any) -> Any: ...

    def update(self, n: int, /) -> Any: ...


class Silence:
    """A bar that nobody sees."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, n: int, /) -> None:
        pass


def watched() -> bool:
    """Whether somebody looks at what is written to stderr."""
    return "ipykernel" in sys.modules or sys.stderr.isatty()


def bytes_bar(total: int, title: str) -> Bar:
    """A bar to ``total`` bytes, where somebody is watching."""
    if not watched():
        return Silence()
    if "ipykernel" in sys.modules:
        from tqdm.autonotebook import tqdm
    else:
        from tqdm import tqdm
    looks: dict[str, Any] = {"unit": "B", "unit_scale": True, "delay": PATIENCE, "leave": False, "nrows": _ROWS}
    return tqdm(total=total, desc=title, miniters=0, smoothing=0, **looks)  # the clock goes on while nothing comes


def say(line: str) -> None:
    """A line, where somebody is watching."""
    if watched():
        sys.stderr.write(f"{line}\n")
