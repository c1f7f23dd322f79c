"""A driver's program as a process, and what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fixtures.running import running_hub
from tests.spark.cluster.standalone import PATIENCE, Cluster, wait_for

ROOT = Path(__file__).parents[3]
ROWS = 24


class Job:
    """A run of ``tests.spark.cluster.job`` on a cluster; its driver has a home of its own."""

    def __init__(self, cluster: Cluster, folder: Path, hub: Path, home: Path, *, paused: bool, **more: Any) -> None:
        self.cluster, self.folder = cluster, folder
        folder.mkdir()
        self.pause = folder / "pause"
        self.pause.mkdir()
        told = {"master": cluster.url, "hub": str(hub), "rows": ROWS, "out": str(folder / "out.json"), **more}
        if paused:
            told["pause"] = str(self.pause)
        environment = {
            **os.environ,
            "JAVA_HOME": str(cluster.java),
            "PYSPARK_PYTHON": told.pop("python", sys.executable),
            "PYTHONPATH": str(ROOT),
            "WELLREAD_HOME": str(home),
        }
        self.log = folder / "driver.log"
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "tests.spark.cluster.job", json.dumps(told)]
            self.driver = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def resting(self, partitions: int) -> list[int]:
        """The ids of the Python workers that wait in the middle of a partition, once there are that many."""

        def there() -> list[int]:
            assert self.driver.poll() is None, self.said()
            told = [path.read_text("utf-8") for path in self.pause.iterdir() if path.name != "go"]
            return [int(one) for one in told if one] if len(told) >= partitions else []

        return wait_for(there, f"{partitions} partitions begun")

    def go(self) -> None:
        (self.pause / "go").touch()

    def found(self) -> Any:
        """What the job wrote; it must have succeeded."""
        assert self.driver.wait(PATIENCE) == 0, self.said()
        return json.loads((self.folder / "out.json").read_bytes())

    def rows(self) -> list[dict[str, Any]]:
        """What came back, in the order of the ids."""
        return sorted(self.found(), key=lambda row: int(row["id"]))

    def failure(self) -> str:
        """What a job that fails says."""
        assert self.driver.wait(PATIENCE) != 0, self.said()
        return self.said()

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")[-20_000:]

    def processes(self) -> list[psutil.Process]:
        """The driver, its JVM, and what they started."""
        driver = psutil.Process(self.driver.pid)
        return [driver, *driver.children(recursive=True)]

    def end(self) -> None:
        left = self.processes() if self.driver.poll() is None else []
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.driver.wait()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with a tiny model that runs."""
    return running_hub(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, java: Path) -> Iterator[Cluster]:
    """A master and two workers of two cores, whose homes are neither the driver's nor each other's."""
    root = tmp_path_factory.mktemp("cluster")
    with Cluster(root / "spark", [root / "home-0", root / "home-1"], java, cores=2) as cluster:
        yield cluster


@pytest.fixture
def submit(cluster: Cluster, hub: Path, home: Path, tmp_path: Path) -> Iterator[Callable[..., Job]]:
    """``submit(paused=True)`` → a job on the cluster, killed when the test ends."""
    jobs: list[Job] = []

    def submit(*, hub: Path = hub, home: Path = home, paused: bool = False, on: Cluster = cluster, **told: Any) -> Job:
        jobs.append(Job(on, tmp_path / f"job-{len(jobs)}", hub, home, paused=paused, **told))
        return jobs[-1]

    yield submit
    for job in jobs:
        job.end()


Submit = Callable[..., Job]
