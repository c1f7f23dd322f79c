"""The press's memory: a step whose inputs have not changed is not done again.

    <root>/<step>/<key>/        what the step made; there only when it is whole
    <root>/<step>/.<key>.new/   being made, by whoever holds the lock
    <root>/<step>/.<key>.lock
    <root>/scratch/.<any>.new/  files on the way, of no use to anyone later

A key is the sha256 of everything the step depends on, tools' versions included, so nothing kept is ever stale. A step
is made in a folder of its own, put on the disk and renamed when it is whole. A killed build loses one step; what it
leaves is a ``.new`` whose lock is free, and the next who comes sweeps it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from filelock import FileLock, Timeout

from wellread.errors import WellreadError
from wellread.registry import disk

T = TypeVar("T")
Report = Callable[[str, str, bool], None]
"""Called with a step's title, how it is going in a few words, and whether that was the last of it."""

_UNREADABLE = (OSError, ValueError, WellreadError, msgspec.MsgspecError)


def silent(title: str, news: str, ended: bool) -> None:
    """A ``Report`` that says nothing."""


@dataclass(frozen=True)
class Workbench:
    """Steps kept below ``root``, reported to ``report``."""

    root: Path
    report: Report = silent

    def step(
        self, title: str, key: Mapping[str, object], make: Callable[[Path], object], read: Callable[[Path], T]
    ) -> T:
        """What ``read`` takes from the folder that ``make`` fills, or an earlier run filled with the same ``key``.

        A kept folder that ``read`` cannot read is made again. What make raises passes.
        """
        digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()[:32]
        place = self.root / title.replace(" ", "-") / digest
        with _locked(place):
            if place.exists():
                with suppress(*_UNREADABLE):
                    found = read(place)
                    self.report(title, "kept", True)
                    return found
                shutil.rmtree(place)
            with self.timed(title), _making(place) as new:
                make(new)
                _settle(new, place)
            return read(place)

    @contextmanager
    def timed(self, title: str) -> Iterator[Callable[[str], None]]:
        """Report when a step begins, what it says of itself meanwhile, and how long it took."""
        started = time.perf_counter()
        self.report(title, "…", False)
        try:
            yield lambda line: self.report(title, line, False)
        except BaseException:
            self.report(title, "failed", True)
            raise
        self.report(title, f"{time.perf_counter() - started:6.1f} s", True)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder, on the disk of the steps, that goes away afterwards."""
        place = self.root / "scratch" / secrets.token_hex(8)
        with _locked(place) as lock, _making(place) as new:
            try:
                yield new
            finally:
                lock.unlink()


@contextmanager
def _locked(place: Path) -> Iterator[Path]:
    """Hold the lock of ``place`` and yield its file; sweep what nobody who is alive is making beside it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for left in place.parent.glob(".*.new"):
        with suppress(Timeout), FileLock(left.with_suffix(".lock"), timeout=0):
            shutil.rmtree(left, ignore_errors=True)
    lock = place.with_name(f".{place.name}.lock")
    with FileLock(lock):
        yield lock


@contextmanager
def _making(place: Path) -> Iterator[Path]:
    """The folder in which ``place`` is made, by the holder of its lock."""
    new = place.with_name(f".{place.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _settle(new: Path, place: Path) -> None:
    """Rename a folder once all in it is on the disk, so that a power cut leaves the whole of it or nothing."""
    for path in (new, *new.rglob("*")):
        disk.sync(path)
    new.rename(place)
    disk.sync(place.parent)
