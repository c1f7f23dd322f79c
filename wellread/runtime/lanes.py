"""Batches computed by all cores together, or side by side: a core each, and given back in their order.

Cores that share a batch wait for one another at every operator; a core that has a batch to itself waits for nobody. So
one batch is done soonest by all cores together, and many are by each on its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from wellread.runtime.batches import Batch, batches
from wellread.runtime.session import Session
from wellread.runtime.windows import Window

if TYPE_CHECKING:
    from concurrent.futures import Executor

ENOUGH = 2048
"""Positions a core, from which on it pays to open the file once more: see docs/speed.md."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def computed(
    session: Session, windows: Sequence[Window], pad: int, size: int | None, output: str
) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
    """All windows in batches of at most ``size``, each with what the model gives for it: (batch, tokens, hidden)."""
    enough = sum(len(window.ids) for window in windows) >= ENOUGH * session.threads
    runs = session.alone() if enough else session

    def compute(batch: Batch) -> NDArray[np.float32]:
        return runs.run(batch.ids, batch.mask, batch.types, [output])[0]

    made = batches(windows, pad, runs.positions, size)
    return side_by_side(compute, made, session.threads if runs is not session else 1)


def side_by_side(compute: Callable[[Given], Made], work: Iterable[Given], lanes: int) -> Iterator[tuple[Given, Made]]:
    """Each piece of ``work`` with what ``compute`` makes of it, ``lanes`` of them at once, in order.

    Never more than ``lanes`` results wait to be taken, which ``Executor.map`` does not promise. What ``compute`` raises
    is raised in its place; whoever stops taking results waits for no more than what is being computed.
    """
    threads = _threads(lanes) if lanes > 1 else None
    return _in_threads(threads, compute, work, lanes) if threads else ((piece, compute(piece)) for piece in work)


def _threads(lanes: int) -> Executor | None:
    """None where the interpreter is ending, at which no thread can be started any more."""
    try:
        from concurrent.futures import ThreadPoolExecutor  # a hundredth of a cold start, which needs no threads
    except RuntimeError:
        return None
    return ThreadPoolExecutor(lanes, "wellread")


def _in_threads(
    threads: Executor, compute: Callable[[Given], Made], work: Iterable[Given], lanes: int
) -> Iterator[tuple[Given, Made]]:
    running: deque[tuple[Given, Callable[[], Made]]] = deque()
    try:
        for piece in work:
            running.append((piece, _begun(threads, compute, piece)))
            if len(running) > lanes:
                yield _next(running)
        while running:
            yield _next(running)
    finally:
        threads.shutdown(cancel_futures=True)


def _begun(threads: Executor, compute: Callable[[Given], Made], piece: Given) -> Callable[[], Made]:
    """What gives the result, computed meanwhile; or by the caller then, where the interpreter has begun to end."""
    try:
        return threads.submit(compute, piece).result
    except RuntimeError:
        return partial(compute, piece)


def _next(running: deque[tuple[Given, Callable[[], Made]]]) -> tuple[Given, Made]:
    piece, result = running.popleft()
    return piece, result()
