"""What somebody who waits is told: something at a terminal, nothing in a pipe."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.registry.samples import make_sample, noise
from tests.registry.transfer.throttled import throttled
from tests.registry.watched import far_apart, list_in
from wellread.registry.transfer import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["pipe", "terminal"])
def test_a_terminal_is_told_and_a_pipe_is_not(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "PATIENCE", 0)
    with progress.bytes_bar(1000, "tiny") as bar:
        bar.update(500)
    progress.say("Another process is at it.")
    told = stream.getvalue()
    assert ("tiny" in told and "1.00k" in told and "Another process" in told) is stream.isatty()
    assert bool(told) is stream.isatty()


_FETCH = """
import sys
from wellread.registry.hub.index import read_releases
from wellread.registry.retry import open_hub
from wellread.registry.transfer import progress
from wellread.registry.transfer.fetch import bring
progress.PATIENCE = 0
hub = open_hub(sys.argv[1])
bring(hub, read_releases(hub, "tiny")[0], "onnx", prove=lambda *_: None)
"""


def test_at_a_terminal_without_a_size_the_bar_moves_within_a_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "home"))
    list_in(make_sample(tmp_path, far_apart(**{"onnx/model.onnx": noise(4_000_000)})), tmp_path / "hub")
    screen, terminal = pty.openpty()
    with (
        throttled(tmp_path / "hub", rate=5e6) as server,
        subprocess.Popen([sys.executable, "-c", _FETCH, server.url], stderr=terminal) as child,
    ):
        os.close(terminal)
        told = b"".join(_shown(screen)).decode()
    assert child.returncode == 0, told
    shares = {int(share) for share in re.findall(r"tiny: +(\d+)%", told)}
    assert any(0 < share < 100 for share in shares), told


def _shown(screen: int) -> Iterator[bytes]:
    """What is written to a terminal, until all who could write to it have gone."""
    with open(screen, "rb", buffering=0) as file, suppress(OSError):  # which is how Linux says so
        yield from iter(lambda: file.read(4096), b"")
