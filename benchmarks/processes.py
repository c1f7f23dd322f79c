"""What a process takes until its first line and in all: time, processor, memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"[{used.ru_utime + used.ru_stime}, {used.ru_maxrss}]", file=sys.stderr)
sys.exit(code)
"""


def run(command: list[str]) -> dict[str, float]:
    """Seconds to the first line and in all, seconds of the processor, and the peak in MB, of a process.

    A small one starts it and says what it used: a child begins with the peak of the process that it was forked from.
    """
    started = time.perf_counter()
    launched = [sys.executable, "-c", _LAUNCHER, *command]
    running = subprocess.Popen(launched, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert running.stdout
    running.stdout.readline()
    first = time.perf_counter() - started
    _, told = running.communicate()
    if running.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {told}")
    processor, peak = json.loads(told.splitlines()[-1])
    return {"first": first, "total": time.perf_counter() - started, "processor": processor, "peak": peak / 1024}
