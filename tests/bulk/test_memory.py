"""How much memory a run takes: as much for a large file as for a small one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.registry.samples import noise

pytestmark = pytest.mark.heavy

_RUN = """
import sys
sys.argv = ["wellread", *sys.argv[1:]]
from wellread.cli import main
try:
    main()
finally:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(peak.split()[1], file=sys.stderr)
"""
"""The system's own figure of a process's peak: what getrusage says counts the memory of its parent in."""
_WIDE = 8000
"""Bytes of a column beside the texts, in each row: what a run has to carry along and not to keep."""
_MORE = 60.0
"""Mebibytes that a file of 160 may take more than one of 40."""


def batches(rows: int) -> Iterator[pa.RecordBatch]:
    for first in range(0, rows, 1000):
        numbers = range(first, min(first + 1000, rows))
        wide = [noise(_WIDE // 2, str(number)).hex() for number in numbers]
        yield pa.record_batch({"text": [f"text {number}" for number in numbers], "wide": wide})


def written(path: Path, rows: int) -> Path:
    """A file of one row group, as most writers make them up to a million rows."""
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_batches(batches(rows)), path, row_group_size=rows, use_dictionary=False)
        assert parquet.ParquetFile(path).num_row_groups == 1
        return path
    with path.open("w") as file:
        file.write("text,wide\n" if path.suffix == ".csv" else "")
        for batch in batches(rows):
            if path.suffix == ".csv":
                file.writelines(f"{row['text']},{row['wide']}\n" for row in batch.to_pylist())
            else:
                file.writelines(json.dumps(row) + "\n" for row in batch.to_pylist())
    return path


def peak(running: Path, texts: Path, out: Path) -> float:
    """MiB at most of a process that embeds a file."""
    asked = ("embed", "tiny", "--hub", running, "--input", texts, "--output", out, "--column", "text")
    command = [sys.executable, "-c", _RUN, *map(str, asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1]) / 1024


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_a_large_file_takes_no_more_than_a_small_one(suffix: str, running: Path, home: Path, tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("/proc is not there: the peak of a process cannot be read")
    small = peak(running, written(tmp_path / f"small{suffix}", 5_000), tmp_path / "small")
    large = peak(running, written(tmp_path / f"large{suffix}", 20_000), tmp_path / "large")
    assert large - small < _MORE, (small, large)
