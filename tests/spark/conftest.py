"""One Spark session for all tests, and a hub with the tiny model under the founding card's name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wellread
from tests.fixtures.running import running_hub
from wellread.runtime.model import Model

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME = "small_bert_L8_512"
SETTINGS: dict[str, object] = {"spark.ui.enabled": False, "spark.log.level": "ERROR", "spark.sql.shuffle.partitions": 2}


@pytest.fixture(scope="session")
def spark(java: Path) -> Iterator[SparkSession]:
    """A session on two cores. Java is there while it starts, and for no other test."""
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    from wellread.spark import start

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_HOME", str(java))
        session = start("local[2]", params=SETTINGS)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_hub(tmp_path_factory.mktemp("spark-hub"), name=NAME)


@pytest.fixture(scope="session")
def model(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The hub's model; its files stay where they are for as long as the session lasts."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WELLREAD_HOME", str(tmp_path_factory.mktemp("spark-home")))
        return wellread.pretrained(NAME, hub=hub)
