"""Stands for Spark where the work of its workers is done in this process, and quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pytest

from wellread.runtime.session import Session
from wellread.spark.cluster.counters import BadRows


class Counted(BadRows):
    """Counts bad rows in a list."""

    def __init__(self) -> None:
        self.stage = "here"
        self.said: list[str] = []

    def add(self, error: Exception) -> None:
        self.said.append(f"{type(error).__name__}: {error}")


class Context:
    """A local session's context, and an RDD of it. Each partition is computed ``times`` times, and the last counts."""

    master = "local[2]"
    pythonExec = "python3"
    defaultParallelism = 2

    def __init__(self, times: int = 1) -> None:
        self.times = times
        self.partitions: list[Sequence[Any]] = []
        self.computed: Callable[[Iterator[Any]], Iterable[Any]] = list

    def getConf(self) -> dict[str, str]:
        return {}

    def parallelize(self, rows: Sequence[Any], tasks: int) -> Context:
        size = -(-len(rows) // tasks)
        self.partitions = [rows[first : first + size] for first in range(0, len(rows), size)]
        return self

    def mapPartitions(self, call: Callable[[Iterator[Any]], Iterable[Any]]) -> Context:
        self.computed = call
        return self

    def collect(self) -> list[Any]:
        return list(chain.from_iterable(map(self._task, self.partitions)))

    def _task(self, rows: Sequence[Any]) -> list[Any]:
        attempts = [list(self.computed(iter(rows))) for _ in range(self.times)]
        return attempts[-1]


class Standing:
    """A session as far as wellread's engine and stages look at it."""

    def __init__(self, times: int = 1) -> None:
        self.sparkContext = Context(times)


def watch_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of how many sentences each batch is that a model is given from now on."""
    sizes: list[int] = []
    run = Session.run

    def watched(self: Any, ids: Any, *more: Any) -> Any:
        sizes.append(len(ids))
        return run(self, ids, *more)

    monkeypatch.setattr(Session, "run", watched)
    return sizes
