"""Steps are kept by content, made whole or not at all, and made once by two at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from wellread.converters.workbench import Workbench


def test_a_step_is_made_once_for_a_key(tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []
    bench = Workbench(tmp_path, lambda title, seconds: told.append((title, seconds is None)))
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "out").write_text("1")

    first, again = (bench.step("forms", {"weights": "a"}, make) for _ in range(2))
    other = bench.step("forms", {"weights": "b"}, make)
    assert first == again != other
    assert (first / "out").read_text() == "1"
    assert len(made) == 2
    assert told == [("forms", False), ("forms", True), ("forms", False)]


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Workbench(tmp_path).step("forms", {}, fail)
    assert [path.name for path in tmp_path.rglob("*") if not path.name.endswith(".lock")] == ["forms"]


def test_a_killed_step_is_made_again(tmp_path: Path) -> None:
    script = (
        "import time, pathlib, sys\n"
        "from wellread.converters.workbench import Workbench\n"
        "def make(folder):\n    (folder / 'half').write_text('x'); print('ready', flush=True); time.sleep(60)\n"
        "Workbench(pathlib.Path(sys.argv[1])).step('forms', {'a': 1}, make)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        os.kill(child.pid, signal.SIGKILL)
    whole = Workbench(tmp_path).step("forms", {"a": 1}, lambda folder: (folder / "whole").touch())
    assert [path.name for path in whole.iterdir()] == ["whole"]


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        time.sleep(0.05)
        made.append(folder)

    workers = [threading.Thread(target=lambda: Workbench(tmp_path).step("forms", {}, make)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(made) == 1
