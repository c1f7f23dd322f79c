"""How a model comes from the driver to a machine that has nothing: whole, checked, once. No Spark is started here."""

from __future__ import annotations

import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import wellread
from tests.fixtures.running import running_hub
from tests.registry.samples import flip
from wellread.errors import BadInput, IntegrityError, WellreadError
from wellread.runtime.model import Model
from wellread.spark.cluster.shipping import Shipped, arrive, ship

TEXT = "I love NLP"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_hub(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def model(hub: Path) -> Model:
    return wellread.pretrained("tiny", "en", hub=hub)


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Spark was given, which it has on every machine from then on."""
    monkeypatch.setattr("pyspark.SparkFiles.getRootDirectory", lambda: str(tmp_path / "files"))
    monkeypatch.setattr("pyspark.SparkFiles.get", lambda name: str(tmp_path / "files" / name))
    (tmp_path / "files").mkdir()
    return []


@pytest.fixture
def session(added: list[str], tmp_path: Path) -> Any:
    """A session on a cluster, as far as shipping looks at it."""

    def add(path: str) -> None:
        added.append(path)
        shutil.copy(path, tmp_path / "files")

    context = SimpleNamespace(master="spark://one:7077", getConf=dict, addFile=add, listFiles=added)
    return SimpleNamespace(sparkContext=context)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Call it a worker's machine: a home in which there is nothing yet."""
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "elsewhere"))
    return tmp_path / "elsewhere"


def vector(shipped: Shipped) -> Any:
    folder, manifest = arrive(shipped)
    return Model(folder, manifest, shipped.form).encode(TEXT)


def test_a_local_master_ships_nothing(model: Model, session: Any, added: list[str]) -> None:
    session.sparkContext.master = "local[*]"
    shipped = ship(model, session)
    assert added == []
    assert pickle.loads(pickle.dumps(shipped)) == shipped
    assert arrive(shipped)[0] == model.path
    assert str(shipped) == f"tiny (en) {model.info()['id']}: onnx"


def test_what_is_shipped_is_an_artifact_of_one_form(model: Model, session: Any, added: list[str]) -> None:
    shipped = ship(model, session)
    assert ship(model, session) == shipped
    (path,) = added
    opened = wellread.open(path, shipped.form)
    assert list(opened.manifest.forms) == ["onnx"]
    assert {"onnx/model_int8.onnx", "model.safetensors"}.isdisjoint(member.name for member in opened.manifest.files)
    np.testing.assert_array_equal(opened.encode(TEXT), model.encode(TEXT))


def test_each_form_is_a_file_of_its_own(hub: Path, model: Model, session: Any, added: list[str]) -> None:
    other = wellread.pretrained("tiny", "en", hub=hub, form="onnx-int8")
    assert ship(model, session).file != ship(other, session).file
    assert len(added) == 2


def test_a_machine_that_has_nothing_unpacks_it_once(
    model: Model, session: Any, added: list[str], elsewhere: Path
) -> None:
    expected = model.encode(TEXT)
    shipped = ship(model, session)
    with ThreadPoolExecutor(4) as workers:
        folders = set(workers.map(lambda _: arrive(shipped)[0], range(4)))
    (folder,) = folders
    assert folder.is_relative_to(elsewhere)
    np.testing.assert_array_equal(vector(shipped), expected)
    (Path(added[0]).parents[1] / shipped.file).unlink()
    assert arrive(shipped)[0] == folder, "what was unpacked once needs no file"


def test_a_machine_that_has_the_release_opens_it(
    hub: Path, model: Model, session: Any, added: list[str], elsewhere: Path
) -> None:
    shipped = ship(model, session)
    (Path(added[0]).parents[1] / shipped.file).unlink()
    own = wellread.pretrained("tiny", "en", hub=hub)
    assert own.path.is_relative_to(elsewhere)
    assert arrive(shipped)[0] == own.path


def test_a_home_that_cannot_be_written_is_done_without(
    model: Model, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = ship(model, session)
    (tmp_path / "file").touch()
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "file/home"))
    assert arrive(shipped)[0].is_relative_to(tmp_path / "files")


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("at", [100, 60_000, -10])
def test_a_byte_that_changed_on_the_way(model: Model, session: Any, added: list[str], elsewhere: Path, at: int) -> None:
    shipped = ship(model, session)
    file = Path(added[0]).parents[1] / shipped.file
    flip(file, at % file.stat().st_size)
    with pytest.raises(IntegrityError):
        arrive(shipped)
    assert not list(elsewhere.rglob("*.onnx"))


def test_another_model_in_its_place(model: Model, session: Any, added: list[str], tmp_path: Path) -> None:
    shipped = ship(model, session)
    other = wellread.pretrained("tiny", "en", hub=running_hub(tmp_path / "other", seed=1))
    shutil.copy(Path(added[0]).with_name(ship(other, session).file), Path(added[0]).parents[1] / shipped.file)
    with pytest.raises(IntegrityError, match="is not what the driver shipped as tiny"):
        arrive(_unknown(shipped))


def _unknown(shipped: Shipped) -> Shipped:
    """As a machine sees it that has the model in no cache."""
    from dataclasses import replace

    return replace(shipped, digest="0" * 64)


def test_a_file_that_spark_did_not_bring(model: Model, session: Any, added: list[str], elsewhere: Path) -> None:
    shipped = ship(model, session)
    (Path(added[0]).parents[1] / shipped.file).unlink()
    with pytest.raises(WellreadError, match=r"Spark did not bring tiny \(en\)"):
        arrive(shipped)


def test_a_folder_that_changed_under_the_driver(model: Model, session: Any) -> None:
    session.sparkContext.master = "local[2]"
    shipped = ship(model, session)
    flip(model.path / "manifest.json", 10)
    with pytest.raises(IntegrityError, match="has changed since the driver opened tiny"):
        arrive(shipped)


def test_a_model_without_a_manifest_on_disk(model: Model, session: Any) -> None:
    (model.path / "manifest.json").unlink()
    with pytest.raises(BadInput, match=r"has no manifest\.json to ship"):
        ship(model, session)
