"""The session that is started, or the user's own: the workers' Python, and what is said where none can start."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from wellread.errors import BadInput, MissingExtra
from wellread.spark.cluster.session import check_spark, context_of, is_local, prepare, start, threads_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def stranger(master: str, **settings: str) -> Any:
    """A session that wellread did not start, as far as it is looked at."""
    context = SimpleNamespace(master=master, pythonExec="python3", getConf=lambda: settings)
    return SimpleNamespace(sparkContext=context)


def test_workers_run_the_drivers_python(spark: SparkSession) -> None:
    context = spark.sparkContext
    assert context.parallelize([0], 1).map(lambda _: __import__("sys").executable).collect() == [sys.executable]


def test_a_session_that_runs_is_the_one_that_starts(spark: SparkSession) -> None:
    assert start() is spark


def test_a_master_that_is_none_is_refused_before_java_starts() -> None:
    with pytest.raises(BadInput, match=r"master='sprk://x' is no master.*local\[4\]"):
        start("sprk://x")


@pytest.mark.parametrize("master", ["local", "local[*]", "local[2]", "local[2, 4]"])
def test_a_local_session_of_the_users_gets_this_python(master: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    session = stranger(master)
    prepare(session)
    assert is_local(session.sparkContext)
    assert session.sparkContext.pythonExec == sys.executable


@pytest.mark.parametrize("master", ["spark://one:7077", "yarn", "k8s://https://one", "local-cluster[2,1,1024]"])
def test_of_a_cluster_only_its_administrator_knows(master: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    session = stranger(master)
    prepare(session)
    assert not is_local(session.sparkContext)
    assert session.sparkContext.pythonExec == "python3"


def test_what_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    session = stranger("local[*]")
    monkeypatch.setenv("PYSPARK_PYTHON", "python3")
    prepare(session)
    assert session.sparkContext.pythonExec == "python3"


def test_a_task_uses_the_cores_that_spark_gives_it() -> None:
    assert threads_of(stranger("yarn").sparkContext) == 1
    assert threads_of(stranger("yarn", **{"spark.task.cpus": "4"}).sparkContext) == 4


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(BadInput, match=r"driver_memory: no setting of Spark"):
        start(driver_memory="4G")


def test_connect_has_no_context() -> None:
    class Remote:
        @property
        def sparkContext(self) -> None:
            raise NotImplementedError("sparkContext() is not implemented.")

    remote: Any = Remote()
    with pytest.raises(BadInput, match="Spark Connect"):
        context_of(remote)


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingExtra, match=r"pip install 'wellread\[spark\]'"):
        start()


def test_without_a_java_it_is_said_before_spark_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark.SparkContext._active_spark_context", None)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingExtra, match="openjdk-17-jre-headless"):
        check_spark()
