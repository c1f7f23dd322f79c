"""What a Python worker does: a model is opened once, on the cores of a task."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import wellread
from tests.fixtures.running import running_hub
from wellread.spark.cluster.shipping import Shipped, ship
from wellread.spark.cluster.worker import MODELS, _open, model_in_worker


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_hub(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def shipped(hub: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shipped]:
    """A model shipped by a local session whose tasks have three cores."""
    monkeypatch.delenv("RAYON_NUM_THREADS", raising=False)
    context = SimpleNamespace(master="local[6]", getConf=lambda: {"spark.task.cpus": "3"})
    session: Any = SimpleNamespace(sparkContext=context)
    yield ship(wellread.pretrained("tiny", "en", hub=hub), session)
    _open.cache_clear()
    os.environ.pop("RAYON_NUM_THREADS", None)


def test_a_worker_opens_a_model_once_on_the_cores_of_a_task(shipped: Shipped) -> None:
    model = model_in_worker(shipped)
    assert model_in_worker(replace(shipped)) is model
    assert model.info()["threads"] == 3
    assert os.environ["RAYON_NUM_THREADS"] == "3"
    assert model.encode("I love NLP").shape == (model.dimension,)


def test_a_worker_of_many_pipelines_keeps_a_few_models(shipped: Shipped) -> None:
    first = model_in_worker(shipped)
    for threads in range(4, 4 + MODELS):
        model_in_worker(replace(shipped, threads=threads))
    assert model_in_worker(shipped) is not first
