"""What dies in the middle of a job is done again by others: no row is lost, none comes twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.spark.cluster.conftest import Submit
from tests.spark.cluster.standalone import PATIENCE, Cluster, kill_worker
from tests.spark.cluster.test_standalone import assert_whole

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, java: Path) -> Iterator[Cluster]:
    """Two machines of two cores, of which one dies in the last test."""
    root = tmp_path_factory.mktemp("cluster")
    with Cluster(root / "spark", [root / "home-0", root / "home-1"], java, cores=2) as cluster:
        yield cluster


def test_a_python_worker_dies(submit: Submit, hub: Path) -> None:
    job = submit(paused=True)
    victim, *_ = job.resting(4)
    os.kill(victim, signal.SIGKILL)
    job.go()
    assert_whole(job, hub)
    assert victim not in {row["pid"] for row in job.rows()}


def test_an_executor_dies(submit: Submit, cluster: Cluster, hub: Path) -> None:
    job = submit(paused=True)
    job.resting(4)
    victim, *_ = cluster.executors()
    victim.kill()
    job.go()
    assert_whole(job, hub)


def test_a_driver_dies_and_nothing_goes_on(submit: Submit, cluster: Cluster) -> None:
    job = submit(paused=True)
    workers = job.resting(4)
    left = [*job.processes()[1:], *cluster.executors(), *map(psutil.Process, workers)]
    os.kill(job.driver.pid, signal.SIGKILL)
    job.driver.wait()
    job.go()
    _, alive = psutil.wait_procs(left, timeout=PATIENCE)
    assert not alive


def test_a_driver_is_told_to_stop_and_nothing_is_left(submit: Submit, cluster: Cluster, hub: Path) -> None:
    job = submit(paused=True)
    workers = job.resting(4)
    left = [*job.processes(), *cluster.executors(), *map(psutil.Process, workers)]
    job.driver.terminate()
    job.driver.wait(PATIENCE)
    job.go()
    _, alive = psutil.wait_procs(left, timeout=PATIENCE)
    assert not alive


def test_a_machine_dies(submit: Submit, cluster: Cluster, hub: Path) -> None:
    job = submit(paused=True)
    job.resting(4)
    kill_worker(cluster.workers[1])
    job.go()
    assert_whole(job, hub)
    assert cluster.homes[0] in {Path(row["path"]).parents[2] for row in job.rows()}
