"""kill −9 of a real process, again and again: nothing half written looks whole, and nothing is made twice."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.registry.processes import start

pytestmark = pytest.mark.heavy

_ROWS, _UNITS = 20, 30
_RUN = """
import os, sys, time

from wellread.bulk import local
from wellread.bulk.work import do

def slow(*how):
    done = do(*how)
    time.sleep(float(os.environ.get("SLOW", "0.05")))
    return done

local.do = slow
sys.argv = ["wellread", *sys.argv[1:]]
from wellread.cli import main
main()
"""


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    lines = "".join(f"this is sentence number {number}\n" for number in range(_ROWS * _UNITS))
    (tmp_path / "texts.txt").write_text(lines)
    return tmp_path / "texts.txt"


def asked(running: Path, texts: Path, out: Path) -> tuple[str | Path, ...]:
    rows = ("--rows", str(_ROWS), "--json")
    return ("embed", "tiny", "--hub", running, "--input", texts, "--output", out, *rows)


def stamps(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}


def test_a_run_that_is_killed_again_and_again_makes_every_part_once(
    running: Path, texts: Path, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done: dict[str, int] = {}
    for count in range(3, _UNITS, 9):
        with start(_RUN, *asked(running, texts, out)) as process:
            while len(stamps(out)) < count and process.poll() is None:
                time.sleep(0.01)
            process.kill()
        now = stamps(out)
        assert {name: now.get(name) for name in done} == done
        assert sum(parquet.ParquetFile(out / name).metadata.num_rows for name in now) == _ROWS * len(now)
        assert len(now) >= count and not (out / "_SUCCESS").exists()
        done = now
    with start(_RUN, *asked(running, texts, out)) as last:
        answer = json.loads(last.communicate()[0])
    assert last.returncode == 0
    assert (answer["rows"], answer["parts"], answer["parts_before"]) == (_ROWS * _UNITS, _UNITS - len(done), len(done))
    rows = [text for name in sorted(stamps(out)) for text in parquet.read_table(out / name)["text"].to_pylist()]
    assert rows == texts.read_text().splitlines()
    assert {path.name for path in out.iterdir()} == {*stamps(out), "_plan.json", "_SUCCESS", "_lock"}


def test_of_two_processes_one_does_the_work(running: Path, texts: Path, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(_RUN, *asked(running, texts, out), SLOW="60") as first:
        while not (out / "_plan.json").exists() and first.poll() is None:
            time.sleep(0.01)
        with start(_RUN, *asked(running, texts, out)) as second:
            said = second.communicate()[0]
        assert (second.returncode, "another run is writing" in said) == (1, True)
        first.kill()
    with start(_RUN, *asked(running, texts, out), SLOW="0") as third:  # the lock went with its process
        answer = json.loads(third.communicate()[0])
    assert (third.returncode, answer["parts"] + answer["parts_before"]) == (0, _UNITS)
