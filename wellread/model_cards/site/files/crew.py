"""Many names made by several processes, so many at a time that memory stays what it is.

    names ─ batches of 40 ─▶ processes, at most two batches each under way ─▶ what was made, in order

The processes are started afresh, not forked: a client of a bucket does not survive a fork. Each ends when the one that
started it does, however that ended.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from pathlib import Path

from wellread.errors import WellreadError
from wellread.model_cards.site.files.making import Batch, Maker
from wellread.model_cards.site.hub.survey import Listing
from wellread.model_cards.site.places import Site

BATCH = 40
FEW = 80
"""Names that are made faster than a process starts."""


def make_all(
    names: Iterable[Listing], url: str, site: Site, root: Path, processes: int | None = None
) -> Iterator[Batch]:
    """Make the files of names, by so many processes; see ``Maker``.

    By default one for each core that is ours makes them, or this one where they are few. Raises what ``Maker.make``
    does, WellreadError where a process is ended.
    """
    waiting = iter(names)
    first = list(islice(waiting, FEW + 1))
    batches = _batches(chain(first, waiting))
    processes = processes or (_cores() if len(first) > FEW else 1)
    if processes == 1:
        return map(Maker(url, site, root).make, batches)
    return _shared_out(batches, url, site, root, processes)


def _cores() -> int:
    """Cores that this process may use; only Linux tells, elsewhere all that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _batches(names: Iterator[Listing]) -> Iterator[list[Listing]]:
    while batch := list(islice(names, BATCH)):
        yield batch


def _shared_out(batches: Iterator[list[Listing]], url: str, site: Site, root: Path, processes: int) -> Iterator[Batch]:
    """``Executor.map`` would take in all names before it gives anything back."""
    start = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, start, _begin, (url, site, root)) as pool:
        try:
            under_way: deque[Future[Batch]] = deque()
            for batch in batches:
                under_way.append(pool.submit(_make, batch))
                if len(under_way) > 2 * processes:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        except BrokenProcessPool as error:
            raise WellreadError(
                "a process that made pages was ended, perhaps for want of memory. Run this again: it goes on from here"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


# ---------------------------------------------------------------- in a process of the crew

_MAKER: list[Maker] = []


def _begin(url: str, site: Site, root: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _MAKER.append(Maker(url, site, root))


def _end_with_parent() -> None:
    """The pool's own pipes stay open in every process, so nobody would hear of its end."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _make(batch: list[Listing]) -> Batch:
    return _MAKER[0].make(batch)
