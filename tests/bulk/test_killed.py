"""kill −9 of a real process in the middle of a part: nothing half written looks whole, and nothing is made twice."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.registry.processes import start

pytestmark = pytest.mark.heavy

_ROWS, _UNITS = 20, 30
_RUN = """
import faulthandler, os, sys, threading

faulthandler.dump_traceback_later(120, exit=True)  # whatever goes wrong, nobody waits for it for ever

from wellread.bulk import work

close, left = work._Part.__exit__, int(os.environ.get("PARTS", "1000"))

def stuck(part, *error):
    global left
    if not left:
        print("begun", flush=True)
        threading.Event().wait()
    left -= 1
    close(part, *error)

work._Part.__exit__ = stuck
sys.argv = ["wellread", *sys.argv[1:]]
from wellread.cli import main
main()
"""
"""After ``PARTS`` parts it says so, and goes no further: the next has its rows, and not its end."""


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    lines = "".join(f"this is sentence number {number}\n" for number in range(_ROWS * _UNITS))
    (tmp_path / "texts.txt").write_text(lines)
    return tmp_path / "texts.txt"


def asked(running: Path, texts: Path, out: Path) -> tuple[str | Path, ...]:
    rows = ("--rows", str(_ROWS), "--json")
    return ("embed", "tiny", "--hub", running, "--input", texts, "--output", out, *rows)


def wait(process: subprocess.Popen[str]) -> None:
    """Until it is in the middle of a part."""
    assert process.stdout
    said = process.stdout.readline()
    assert said == "begun\n", said + process.communicate()[0]


def stamps(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}


def test_a_run_that_is_killed_again_and_again_makes_every_part_once(
    running: Path, texts: Path, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done: dict[str, int] = {}
    for count in (0, 3, 12, 12, _UNITS - 1):
        with start(_RUN, *asked(running, texts, out), PARTS=str(count - len(done))) as process:
            wait(process)
            process.kill()
        now = stamps(out)
        assert {name: now.get(name) for name in done} == done
        assert [parquet.ParquetFile(out / name).metadata.num_rows for name in now] == [_ROWS] * count
        assert not (out / "_SUCCESS").exists()
        done = now
    with start(_RUN, *asked(running, texts, out)) as last:
        answer = json.loads(last.communicate()[0])
    assert last.returncode == 0
    assert (answer["rows"], answer["parts"], answer["parts_before"]) == (_ROWS * _UNITS, 1, _UNITS - 1)
    rows = [text for name in sorted(stamps(out)) for text in parquet.read_table(out / name)["text"].to_pylist()]
    assert rows == texts.read_text().splitlines()
    assert {path.name for path in out.iterdir()} == {*stamps(out), "_plan.json", "_SUCCESS", "_lock"}


def test_of_two_processes_one_does_the_work(running: Path, texts: Path, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(_RUN, *asked(running, texts, out), PARTS="0") as first:
        wait(first)
        with start(_RUN, *asked(running, texts, out)) as second:
            said = second.communicate()[0]
        assert (second.returncode, "another run is writing" in said) == (1, True)
        first.kill()
    with start(_RUN, *asked(running, texts, out)) as third:  # the lock went with its process
        answer = json.loads(third.communicate()[0])
    assert (third.returncode, answer["parts"], answer["parts_before"]) == (0, _UNITS, 0)
