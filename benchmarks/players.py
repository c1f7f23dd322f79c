"""Contenders that stay alive and work when they are told to, so that they can take turns.

Each is a process of its own. It reads an order a line and answers each with a line, both JSON:

    {"do": "run", …arguments}   ─▶   {"answer": …}   or   {"failed": "why"}

The first answer comes unasked, when it is ready. What it prints otherwise goes to its log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Timer
from typing import Any

from benchmarks.processes import ROOT

Order = Callable[..., object]
PATIENCE = 900.0
"""Seconds for one order."""
_WORDS = 300
"""Characters of a reason."""
QUIET = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HF_HUB_OFFLINE": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TOKENIZERS_PARALLELISM": "true",
}
"""No network, no GPU and no chatter for anybody."""


class Absent(Exception):
    """A contender that cannot play here, and why."""


class Player:
    """The parent's side of one process. Raises Absent if it does not get ready or fails an order."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT,
                env=os.environ | QUIET | (environment or {}),
            )  # fmt: skip
        try:
            self._answer()
        except Absent:
            self.close()
            raise

    def ask(self, do: str, **arguments: object) -> Any:
        assert self.process.stdin
        try:
            print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)
        except BrokenPipeError as error:
            raise Absent(f"it ended: {self._last_words()}") from error
        return self._answer()

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answer(self) -> Any:
        assert self.process.stdout
        timer = Timer(PATIENCE, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            raise Absent(f"it ended: {self._last_words()}")
        told = json.loads(line)
        if "failed" in told:
            raise Absent(told["failed"])
        return told["answer"]

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "without a word"


def play(prepare: Callable[[], Mapping[str, Order]]) -> None:
    """The child's side: get ready, then obey until the parent hangs up."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    orders: Mapping[str, Order] = {}

    def answer(work: Callable[[], object]) -> object:
        try:
            done = work()
            told: dict[str, object] = {"answer": None if done is orders else done}
        except Exception as error:  # whatever a peer raises is a blank in the table, not the end of the run
            done, told = None, {"failed": _why(error)}
            traceback.print_exc()
        print(json.dumps(told), file=answers, flush=True)
        return done

    def get_ready() -> None:
        nonlocal orders
        orders = prepare()

    answer(get_ready)
    for line in sys.stdin:
        order = json.loads(line)
        answer(lambda order=order: orders[order.pop("do")](**order))  # type: ignore[misc]


def _why(error: Exception) -> str:
    """On one line; of a long story the end, where Python and Spark tell what it was."""
    told = " ".join(str(error).split())
    named = told if isinstance(error, Absent) else f"{type(error).__name__}: {told}"
    return named if len(named) <= _WORDS else f"… {named[-_WORDS:]}"


def peak_memory() -> float:
    """The most memory that this process had resident so far, in MB; on Linux without what its parent had."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
