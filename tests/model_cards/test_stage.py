"""The stage goes when its owner goes, whatever is being played."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

OWNER = """
import sys
from wellread.model_cards.stage import Scene, Stage
Stage().play(Scene(script=sys.argv[1], folder=sys.argv[2], environment={}))
"""
SNIPPET = """
import os, pathlib, time
pathlib.Path("on").write_text(f"{os.getpid()} {os.getppid()}")
time.sleep(600)
"""


def runs(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return "(zombie)" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def wait_until(true: object, seconds: float = 60) -> None:
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="snippets are forked on Linux only")
def test_a_killed_press_leaves_neither_its_stage_nor_the_snippet(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SNIPPET)
    (tmp_path / "empty").mkdir()
    on = tmp_path / "empty/on"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), *sys.path]))}
    command = [sys.executable, "-c", OWNER, str(tmp_path / "slow.py"), str(tmp_path / "empty")]
    with subprocess.Popen(command, env=environment) as owner:
        wait_until(lambda: on.exists() and " " in on.read_text())
        left = [int(number) for number in on.read_text().split()]
        owner.kill()
    wait_until(lambda: not any(map(runs, left)))
