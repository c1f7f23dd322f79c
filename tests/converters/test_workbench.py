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
from wellread.errors import IntegrityError


def itself(place: Path) -> Path:
    return place


def left_in(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if not path.name.endswith(".lock"))


def test_a_step_is_made_once_for_a_key(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    bench = Workbench(tmp_path, lambda title, news, ended: told.append((title, news)) if ended else None)
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "out").write_text("1")

    first, again = (bench.step("forms", {"weights": "a"}, make, itself) for _ in range(2))
    other = bench.step("forms", {"weights": "b"}, make, itself)
    assert first == again != other
    assert (first / "out").read_text() == "1"
    assert len(made) == 2
    assert [title for title, _ in told] == ["forms"] * 3
    assert [news == "kept" for _, news in told] == [False, True, False]


def test_a_step_says_when_it_begins_what_it_does_and_how_it_ends(tmp_path: Path) -> None:
    told: list[tuple[str, str, bool]] = []
    bench = Workbench(tmp_path, lambda *news: told.append(news))
    with bench.timed("pull") as say:
        say("12 of 40 MB")
    with pytest.raises(ValueError, match="no"), bench.timed("pack"):
        raise ValueError("no")
    assert told[:2] == [("pull", "…", False), ("pull", "12 of 40 MB", False)]
    assert told[2][1].endswith(" s") and told[2][2]
    assert told[3:] == [("pack", "…", False), ("pack", "failed", True)]


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Workbench(tmp_path).step("forms", {}, fail, itself)
    assert left_in(tmp_path) == ["forms"]


def test_what_is_kept_and_cannot_be_read_is_made_again(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "out").write_text("whole")

    def read(folder: Path) -> str:
        if (folder / "out").read_text() != "whole":
            raise IntegrityError("cut short")
        return "whole"

    Workbench(tmp_path).step("parity", {}, make, read)
    (kept,) = tmp_path.rglob("out")
    for damage in (lambda: kept.write_text("wh"), kept.unlink):
        damage()
        assert Workbench(tmp_path).step("parity", {}, make, read) == "whole"
        assert kept.read_text() == "whole"


def killed_while(doing: str, root: Path) -> None:
    """Run ``doing`` with a ``bench`` in a process of its own, which is killed once it has printed a line."""
    script = (
        "import time, pathlib, sys\n"
        "from wellread.converters.workbench import Workbench\n"
        "bench = Workbench(pathlib.Path(sys.argv[1]))\n"
        "def stay(folder):\n    (folder / 'half').write_text('x'); print('ready', flush=True); time.sleep(60)\n"
        f"{doing}\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(root)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        os.kill(child.pid, signal.SIGKILL)


def test_a_killed_step_is_made_again(tmp_path: Path) -> None:
    killed_while("bench.step('forms', {'a': 1}, stay, str)", tmp_path)
    whole = Workbench(tmp_path).step("forms", {"a": 1}, lambda folder: (folder / "whole").touch(), itself)
    assert [path.name for path in whole.iterdir()] == ["whole"]


def test_what_a_killed_build_left_is_swept_by_the_next_whatever_it_makes(tmp_path: Path) -> None:
    killed_while("bench.step('forms', {'a': 1}, stay, str)", tmp_path)
    killed_while("with bench.scratch() as scratch: stay(scratch)", tmp_path)
    assert left_in(tmp_path).count("half") == 2
    other = Workbench(tmp_path).step("forms", {"b": 2}, lambda folder: None, itself)
    with Workbench(tmp_path).scratch():
        assert "half" not in left_in(tmp_path)
    assert left_in(tmp_path) == sorted(["forms", "scratch", other.name])


def test_what_is_alive_is_not_swept(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    with bench.scratch() as outer:
        (outer / "file").touch()
        with bench.scratch() as inner:
            assert inner != outer
            assert list(inner.iterdir()) == []
        assert (outer / "file").exists()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        time.sleep(0.05)
        made.append(folder)

    def work() -> None:
        Workbench(tmp_path).step("forms", {}, make, itself)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(made) == 1
