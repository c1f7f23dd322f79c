"""The press's memory: a step whose inputs have not changed is not done again.

    <root>/<step>/<key>/        what the step made; there only when it is whole
    <root>/<step>/.<key>.lock
    <root>/<step>/.<key>.new/   being made; swept by the next who comes

A key is the sha256 of everything the step depends on, tools' versions included, so nothing kept is ever stale. A step
is made in a folder of its own and renamed when it is whole: a killed build loses one step and leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

T = TypeVar("T")
Report = Callable[[str, float | None], None]
"""Called when a step ends: its title, and its seconds, or None where an earlier result was taken."""


def silent(title: str, seconds: float | None) -> None:
    """A ``Report`` that says nothing."""


@dataclass(frozen=True)
class Workbench:
    """Steps kept below ``root``, reported to ``report``."""

    root: Path
    report: Report = silent

    def step(self, title: str, key: Mapping[str, object], make: Callable[[Path], None]) -> Path:
        """The folder that ``make`` fills, or an earlier run's where ``key`` is the same. What make raises passes."""
        digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()[:32]
        place = self.root / title.replace(" ", "-") / digest
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_name(f".{digest}.lock")):
            if place.exists():
                self.report(title, None)
                return place
            started = time.perf_counter()
            self._make(place, make)
        self.report(title, time.perf_counter() - started)
        return place

    def timed(self, title: str, do: Callable[[], T]) -> T:
        """Do a step that keeps nothing, and report its time."""
        started = time.perf_counter()
        done = do()
        self.report(title, time.perf_counter() - started)
        return done

    @staticmethod
    def _make(place: Path, make: Callable[[Path], None]) -> None:
        new = place.with_name(f".{place.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        try:
            make(new)
            new.rename(place)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
