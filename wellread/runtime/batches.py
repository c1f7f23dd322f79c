"""Windows of like length, padded into rectangles.

A batch ends where it is full, or where one more window would bring its padding above what a batch of its own costs:

    ██████████      a position of padding takes as long as any other, and a batch takes as long as ``START`` positions
    █████████░      before it computes the first. So padding is never more than that, and batches are never many.
    ███████░░░
    ──────────      ← the next window, of three pieces, begins another batch

The longest come first: if memory does not suffice, that shows at once, and a progress bar errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wellread.runtime.windows import Window

START = 32
"""What a batch costs beyond its positions, in positions: reading the weights, and a call. See docs/speed.md."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``windows`` as (batch, tokens) int64 arrays; ``mask`` is 1 at real positions."""

    windows: Sequence[Window]
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    types: NDArray[np.int64]


def batches(windows: Iterable[Window], pad: int, positions: int, size: int | None = None) -> Iterator[Batch]:
    """All windows, longest first, at most ``positions`` and ``size`` windows together; one above that runs alone."""
    order = sorted(windows, key=lambda window: -len(window.ids))
    lengths = [len(window.ids) for window in order]
    at = 0
    while at < len(order):
        rows = _rows(lengths, at, positions)
        rows = min(rows, size or rows)
        yield _padded(order[at : at + rows], pad)
        at += rows


def _rows(lengths: Sequence[int], at: int, positions: int) -> int:
    """How many windows from number ``at`` on, each as long as the one before or shorter, make a batch."""
    longest, padding = lengths[at], 0
    most = min(max(1, positions // longest), len(lengths) - at)
    for row in range(1, most):
        padding += longest - lengths[at + row]
        if padding > START:
            return row
    return most


def _padded(windows: Sequence[Window], pad: int) -> Batch:
    lengths = np.array([len(window.ids) for window in windows])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    ids = np.full(mask.shape, pad, np.int64)
    for row, window in zip(ids, windows, strict=True):
        row[: len(window.ids)] = window.ids
    return Batch(windows, ids, mask, np.zeros_like(ids))
