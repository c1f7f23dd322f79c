"""What dies in the middle of a job is done again by others: no row is lost, none comes twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from pyarrow import parquet

import wellread
from tests.spark.cluster.conftest import ROWS, Submit
from tests.spark.cluster.standalone import PATIENCE, Cluster, kill_worker
from tests.spark.cluster.test_standalone import assert_whole
from wellread.bulk.plan import Options
from wellread.bulk.run import embed_files

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, java: Path) -> Iterator[Cluster]:
    """Two machines of two cores, of which one dies in the last test."""
    root = tmp_path_factory.mktemp("cluster")
    with Cluster(root / "spark", [root / "home-0", root / "home-1"], java, cores=2) as cluster:
        yield cluster


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a driver that is started now may leave files."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name in ("TMPDIR", "SPARK_LOCAL_DIRS"):
        monkeypatch.setenv(name, str(scratch))
    return scratch


def test_a_python_worker_dies(submit: Submit, hub: Path) -> None:
    job = submit(paused=True)
    victim, *_ = job.resting(4)
    os.kill(victim, signal.SIGKILL)
    job.go()
    assert_whole(job, hub)
    assert victim not in {row["pid"] for row in job.rows()}


def test_an_executor_dies(submit: Submit, cluster: Cluster, hub: Path) -> None:
    job = submit(paused=True)
    workers = job.resting(4)
    gone = kill_executor(cluster, workers)
    job.go()
    assert_whole(job, hub)
    assert not gone & {row["pid"] for row in job.rows()}


def test_an_executor_dies_while_files_are_embedded(submit: Submit, cluster: Cluster, hub: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("".join(f"text {number}\n" for number in range(ROWS)), "utf-8")
    inputs = [str(tmp_path / "texts.txt")]
    job = submit(paused=True, inputs=inputs, output=str(tmp_path / "spread"))
    workers = job.resting(4)
    there = set(written(tmp_path / "spread"))
    gone = kill_executor(cluster, workers)
    job.go()
    summary = job.found()
    assert gone and len(there) >= 4
    assert (summary["parts"], summary["rows"], summary["failed"]) == (ROWS, ROWS, [])
    model = wellread.pretrained("tiny", "en", hub=hub)
    embed_files(model, inputs, str(tmp_path / "alone"), Options(rows=1))
    ours, theirs = written(tmp_path / "alone"), written(tmp_path / "spread")
    assert there < set(ours) == set(theirs)
    for name, (row,) in ours.items():
        (other,) = theirs[name]
        np.testing.assert_allclose(row.pop("embeddings"), other.pop("embeddings"), atol=2e-6)
        assert row == other


def kill_executor(cluster: Cluster, workers: list[int]) -> set[int]:
    """Kill the executor of the first of these workers; the ids of all its workers, which rest."""
    victim = cluster.executor_of(workers[0])
    theirs = {worker for worker in workers if cluster.executor_of(worker) == victim}
    victim.kill()
    return theirs


def written(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {path.name: parquet.read_table(path).to_pylist() for path in sorted(folder.glob("part-*"))}


def test_a_driver_dies_and_nothing_goes_on(submit: Submit, cluster: Cluster, scratch: Path) -> None:
    job = submit(paused=True)
    workers = job.resting(4)
    assert list(scratch.rglob("tiny*.zip"))
    left = [*job.processes()[1:], *cluster.executors(), *map(psutil.Process, workers)]
    os.kill(job.driver.pid, signal.SIGKILL)
    job.driver.wait()
    job.go()
    _, alive = psutil.wait_procs(left, timeout=PATIENCE)
    assert not alive
    assert not list(scratch.rglob("*.zip"))


def test_a_driver_is_told_to_stop_and_nothing_is_left(submit: Submit, cluster: Cluster, scratch: Path) -> None:
    job = submit(paused=True)
    workers = job.resting(4)
    assert list(scratch.rglob("tiny*.zip"))
    left = [*job.processes(), *cluster.executors(), *map(psutil.Process, workers)]
    job.driver.terminate()
    job.driver.wait(PATIENCE)
    job.go()
    _, alive = psutil.wait_procs(left, timeout=PATIENCE)
    assert not alive
    assert not list(scratch.rglob("*.zip"))


def test_a_machine_dies(submit: Submit, cluster: Cluster, hub: Path) -> None:
    job = submit(paused=True)
    job.resting(4)
    kill_worker(cluster.workers[1])
    job.go()
    assert_whole(job, hub)
    assert cluster.homes[0] in {Path(row["path"]).parents[2] for row in job.rows()}
