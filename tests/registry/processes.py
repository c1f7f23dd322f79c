"""Other processes for tests: scripts to kill, and a user who is not root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def start(script: str, *arguments: str | Path, **environment: str | Path) -> subprocess.Popen[str]:
    """Run a Python script beside us; its output is read with ``communicate``."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | {name: str(value) for name, value in environment.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def unprivileged() -> list[str]:
    """What to put before a command so that file modes bind it, as they do not bind root."""
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed: as root, file modes cannot be tested")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
