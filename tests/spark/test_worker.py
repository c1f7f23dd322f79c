"""What a Python worker does: a model is opened once, on the cores of a task."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import wellread
from tests.fixtures.running import running_hub
from tests.runtime.test_device import Card
from tests.spark.test_shipping import meeting
from wellread.errors import IntegrityError
from wellread.runtime.session import Session
from wellread.spark.cluster import worker
from wellread.spark.cluster.shipping import Shipped, arrive, ship
from wellread.spark.cluster.worker import MODELS, _open, model_in_worker


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_hub(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A local session whose tasks have three cores."""
    monkeypatch.delenv("RAYON_NUM_THREADS", raising=False)
    context = SimpleNamespace(master="local[6]", getConf=lambda: {"spark.task.cpus": "3"})
    yield SimpleNamespace(sparkContext=context)
    _open.cache_clear()
    os.environ.pop("RAYON_NUM_THREADS", None)


@pytest.fixture
def shipped(hub: Path, session: Any) -> Shipped:
    return ship(wellread.pretrained("tiny", "en", hub=hub), session)


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


def test_a_worker_opens_a_model_once_for_all_its_threads(shipped: Shipped, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(worker, "arrive", meeting(arrive, opened))
    with ThreadPoolExecutor(4) as threads:
        models = set(threads.map(lambda _: model_in_worker(shipped), range(4)))
    assert (len(models), len(opened)) == (1, 1)


def test_a_worker_computes_where_the_drivers_model_does(
    hub: Path, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Card(monkeypatch, "CUDAExecutionProvider")
    shipped = ship(wellread.pretrained("tiny", "en", hub=hub, device="cuda"), session)
    assert model_in_worker(shipped).info()["device"] == "cuda:0"


def test_a_card_that_computes_something_else_is_not_used(
    hub: Path, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Card(monkeypatch, "CUDAExecutionProvider")
    shipped = ship(wellread.pretrained("tiny", "en", hub=hub, device="cuda"), session)
    run = Session.run

    def wrong(self: Session, *how: Any) -> Any:
        found = run(self, *how)
        return found if str(self.device) == "cpu" else [1 + each for each in found]

    monkeypatch.setattr(Session, "run", wrong)
    with pytest.raises(IntegrityError, match="onnx"):
        model_in_worker(shipped)
