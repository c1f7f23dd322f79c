"""A standalone cluster of Spark on one machine: a master and workers, each a process of its own, on free ports.

    Cluster
    ├── master                     java … deploy.master.Master
    └── worker 0, 1, …             java … deploy.worker.Worker      with a home of its own for wellread
        └── executor               java … CoarseGrainedExecutorBackend
            └── pyspark.daemon     and the Python workers that it forks

Every process that it starts leads a process group, and ``stop`` leaves none behind.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import psutil

PATIENCE = 300.0
"""Seconds after which something that should happen is taken not to; a JVM beside others starts slowly."""
_MASTER = re.compile(r"Starting Spark master at (spark://\S+)")
_REGISTERED = re.compile(r"Successfully registered with master")
_EXECUTOR, _DAEMON = "CoarseGrainedExecutorBackend", "pyspark.daemon"

T = TypeVar("T")


def wait_for(ready: Callable[[], T], what: str) -> T:
    """What ``ready`` gives as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := ready():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")


class Cluster:
    """A master and a worker a home; ``cores`` of each worker. Use as a context."""

    def __init__(self, root: Path, homes: list[Path], java: Path, cores: int = 1) -> None:
        root.mkdir(parents=True)
        self.root, self.homes, self.java, self.cores = root, homes, java, cores
        self.url = ""
        self.workers: list[subprocess.Popen[bytes]] = []
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Cluster:
        try:
            self._start("master", "master.Master", self.root)
            self.url = self._hear("master", _MASTER)
            self.workers = [self._worker(number, home) for number, home in enumerate(self.homes)]
            for number in range(len(self.homes)):
                self._hear(f"worker-{number}", _REGISTERED)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def executors(self) -> list[psutil.Process]:
        """The executors' JVMs."""
        return [process for process in self._offspring() if _is(process, _EXECUTOR)]

    def python_workers(self) -> list[psutil.Process]:
        """The Python processes that run tasks: what a daemon has forked."""
        daemons = [process for process in self._offspring() if _is(process, _DAEMON)]
        return [process for process in daemons if process.ppid() in {other.pid for other in daemons}]

    def executor_of(self, worker: int) -> psutil.Process:
        """The executor whose daemon has forked a Python worker, of which the process id is given."""
        above = {process.pid for process in psutil.Process(worker).parents()}
        (found,) = [process for process in self.executors() if process.pid in above]
        return found

    def files(self, pattern: str) -> list[Path]:
        """What the executors have in their folders."""
        return sorted(self.root.glob(f"work-*/*/*/{pattern}"))

    def stop(self) -> None:
        """Kill everything, what the workers started included."""
        left = list(self._offspring())
        for process in self._started:
            _kill_group(process.pid)
            process.wait()
        for one in left:
            _kill(one)
        psutil.wait_procs(left, timeout=PATIENCE)

    # ---------------------------------------------------------------- the processes

    def _worker(self, number: int, home: Path) -> subprocess.Popen[bytes]:
        place = self.root / f"work-{number}"
        options = ["--cores", str(self.cores), "--memory", "1G", "--work-dir", str(place)]
        return self._start(f"worker-{number}", "worker.Worker", home, *options, self.url)

    def _start(self, name: str, what: str, home: Path, *options: str) -> subprocess.Popen[bytes]:
        import pyspark

        launcher = Path(pyspark.__file__).parent / "bin/spark-class"
        address = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        local = self.root / f"{name}-local"
        local.mkdir()
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("SPARK_", "PYSPARK_"))}
        environment |= {
            "JAVA_HOME": str(self.java),
            "WELLREAD_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(local),
            "SPARK_DAEMON_MEMORY": "256m",
        }
        with (self.root / f"{name}.log").open("wb") as log:
            command = [str(launcher), f"org.apache.spark.deploy.{what}", *address, *options]
            process = subprocess.Popen(
                command, cwd=self.root, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self._started.append(process)
        return process

    def _hear(self, name: str, pattern: re.Pattern[str]) -> str:
        """What a process says in its log."""

        def heard() -> re.Match[str] | None:
            log = (self.root / f"{name}.log").read_text("utf-8", "replace")
            assert all(process.poll() is None for process in self._started), log
            return pattern.search(log)

        found = wait_for(heard, name)
        assert found
        return found[found.lastindex or 0]

    def _offspring(self) -> Iterator[psutil.Process]:
        """What lives of the workers' children."""
        for worker in self.workers:
            if worker.poll() is None:
                yield from psutil.Process(worker.pid).children(recursive=True)


def kill_worker(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker and its executors at one blow, as when a machine dies."""
    offspring = psutil.Process(worker.pid).children(recursive=True)
    _kill_group(worker.pid)
    for process in offspring:
        _kill(process)
    worker.wait()


def _is(process: psutil.Process, what: str) -> bool:
    try:
        return any(what in part for part in process.cmdline())
    except psutil.Error:
        return False


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()
