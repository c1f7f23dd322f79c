"""A bar is drawn for who watches or asks, and for nobody else."""

from __future__ import annotations

import io
import sys

import pytest

from wellread.runtime import progress
from wellread.runtime.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(stream: io.StringIO, asked: bool | None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(3, asked) as bar:
        for _ in range(3):
            bar.update(1)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("stream", "asked", "patience", "shown"),
    [
        (io.StringIO, None, 0.0, False),
        (io.StringIO, True, 3600.0, True),
        (Terminal, None, 3600.0, False),
        (Terminal, None, 1e-9, True),
        (Terminal, False, 0.0, False),
        (Terminal, True, 3600.0, True),
    ],
)
def test_a_bar_is_drawn_for_who_watches_long_enough_or_asks(
    stream: type[io.StringIO], asked: bool | None, patience: float, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", patience)
    assert bool(drawn(stream(), asked, monkeypatch)) is shown
