"""A build that is killed, meets another, or finds no room: the next one goes on, and ends with the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import filelock
import pytest

from tests.model_cards.site.hubs import add, build, contents
from tests.registry.listening import listening
from wellread.errors import HubUnavailable
from wellread.model_cards.site.files.output import PRIVATE

_KILLED = """
import os, signal, sys
from wellread.model_cards.site.build import build_site
from wellread.model_cards.site.files.output import Output

left, settle = int(sys.argv[3]), Output._settle

def settle_and_die(self, temp, target):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    settle(self, temp, target)

Output._settle = settle_and_die
build_site(*sys.argv[1:3], demo=False, processes=1)
"""


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    hub = tmp_path / "hub"
    for name in ("first", "second", "third"):
        add(hub, name)
    return hub


@pytest.mark.parametrize("file", [1, 5, 13])
def test_a_killed_build_is_gone_on_with(hub: Path, tmp_path: Path, file: int) -> None:
    """At the first file, amid those of a model, amid those that are shared."""
    command = [sys.executable, "-c", _KILLED, str(hub), str(tmp_path / "site"), str(file)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert build(hub, tmp_path / "site").models == 3
    build(hub, tmp_path / "fresh")
    assert contents(tmp_path / "site") == contents(tmp_path / "fresh")
    assert sorted(path.name for path in (tmp_path / "site" / PRIVATE).iterdir()) == sorted(
        path.name for path in (tmp_path / "fresh" / PRIVATE).iterdir()
    )


_SLOW = """
import os, sys, time
from wellread.model_cards.site import build
from wellread.model_cards.site.files import making

def wait(self, names):
    print(os.getpid(), flush=True)
    time.sleep(600)

making.Maker.make = wait
if __name__ == "__main__":
    build.build_site(*sys.argv[1:], demo=False, processes=2)
"""


def test_nobody_of_the_crew_outlives_a_killed_build(hub: Path, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(_SLOW)
    command = [sys.executable, str(tmp_path / "slow.py"), str(hub), str(tmp_path / "site")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        worker = int(running.stdout.readline())
        assert worker != running.pid
        running.kill()
        assert running.stdout.read() == ""  # its end is closed when the last of them is gone


def test_a_hub_that_is_away_leaves_the_site_as_it_was(hub: Path, tmp_path: Path) -> None:
    with listening(hub) as web:
        build(web.url, tmp_path / "site")
        before = contents(tmp_path / "site")
    with pytest.raises(HubUnavailable):
        build(web.url, tmp_path / "site")
    assert contents(tmp_path / "site") == before


def test_a_second_build_waits_for_the_first(hub: Path, tmp_path: Path) -> None:
    (tmp_path / "site" / PRIVATE).mkdir(parents=True)
    done = threading.Event()

    def second() -> None:
        build(hub, tmp_path / "site")
        done.set()

    running = threading.Thread(target=second)
    with filelock.FileLock(tmp_path / "site" / PRIVATE / "site-lock"):
        running.start()
        assert not done.wait(0.5) and not (tmp_path / "site/index.html").exists()
    running.join()
    assert done.is_set() and (tmp_path / "site/index.html").exists()


def test_a_state_that_cannot_be_read_costs_a_full_build(hub: Path, tmp_path: Path) -> None:
    build(hub, tmp_path / "site")
    state = tmp_path / "site" / PRIVATE / "site-state"
    state.write_bytes(b"\xff" * state.stat().st_size)
    with pytest.warns(UserWarning, match="everything is built anew"):
        built = build(hub, tmp_path / "site")
    assert (built.models, built.files) == (3, 0)


@pytest.mark.parametrize("most", [8_000, 50_000])
def test_a_full_disk_is_said_and_the_next_build_goes_on(hub: Path, tmp_path: Path, most: int) -> None:
    """Too little for the state, and enough for that but not for a page."""
    add(hub, "long", description="語" * 19_000)
    script = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        "from wellread.cli import main\nmain()"
    )
    words = ("site", "--no-demo", "--hub", str(hub), "--out", str(tmp_path / "site"))
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("wellread: cannot write ") and done.stderr.count("\n") == 1
    assert build(hub, tmp_path / "site").models == 4
    build(hub, tmp_path / "fresh")
    assert contents(tmp_path / "site") == contents(tmp_path / "fresh")
