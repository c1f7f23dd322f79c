"""Windows of like length, padded into rectangles.

The longest come first: if memory does not suffice, that shows at once, and a progress bar errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wellread.runtime.windows import Window

TOKENS = 4096
"""Positions in a batch, padding included: enough to keep all cores busy, and few enough to bound the memory."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``windows`` as (batch, tokens) int64 arrays; ``mask`` is 1 at real positions."""

    windows: Sequence[Window]
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    types: NDArray[np.int64]


def batches(windows: Iterable[Window], pad: int, size: int | None = None) -> Iterator[Batch]:
    """All windows, longest first, at most ``TOKENS`` positions and ``size`` windows together."""
    order = sorted(windows, key=lambda window: -len(window.ids))
    at = 0
    while at < len(order):
        rows = max(1, TOKENS // len(order[at].ids))
        rows = min(rows, size or rows)
        yield _padded(order[at : at + rows], pad)
        at += rows


def _padded(windows: Sequence[Window], pad: int) -> Batch:
    lengths = np.array([len(window.ids) for window in windows])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    ids = np.full(mask.shape, pad, np.int64)
    for row, window in zip(ids, windows, strict=True):
        row[: len(window.ids)] = window.ids
    return Batch(windows, ids, mask, np.zeros_like(ids))
