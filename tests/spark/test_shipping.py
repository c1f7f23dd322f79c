"""How a model comes from the driver to a machine that has nothing: whole, checked, once. No Spark is started here."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import wellread
from tests.fixtures.running import running_hub
from tests.registry.processes import unprivileged
from tests.registry.samples import flip
from wellread.errors import BadInput, IntegrityError, WellreadError
from wellread.registry.artifact.package import pack
from wellread.runtime.model import Model
from wellread.runtime.session import Session
from wellread.spark.cluster import shipping
from wellread.spark.cluster.shipping import Shipped, arrive, ship

TEXT = "I love NLP"
ARRIVE = """
import pickle, sys
import pyspark
pyspark.SparkFiles.getRootDirectory = lambda: sys.argv[1]
pyspark.SparkFiles.get = lambda name: f"{sys.argv[1]}/{name}"
from wellread.spark.cluster.shipping import arrive
print(arrive(pickle.loads(bytes.fromhex(sys.argv[2])))[0])
"""


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


def meeting(call: Callable[..., Any], count: list[str]) -> Callable[..., Any]:
    """``call``, counted, which waits for a second one to begin; where they go one by one that soon gives up."""
    barrier = Barrier(2)

    def waiting(*how: Any) -> Any:
        count.append(call.__name__)
        with suppress(BrokenBarrierError):
            barrier.wait(0.3)
        return call(*how)

    return waiting


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


def test_what_many_threads_ship_is_packed_once(
    model: Model, session: Any, added: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[str] = []
    monkeypatch.setattr(shipping, "pack", meeting(pack, packed))
    with ThreadPoolExecutor(4) as drivers:
        shipped = set(drivers.map(lambda _: ship(model, session), range(4)))
    assert (len(shipped), len(packed), len(added)) == (1, 1, 1)


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


def test_a_machine_that_has_another_form_of_the_release_unpacks_this_one(
    hub: Path, session: Any, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("WELLREAD_HOME", str(home))
    small = wellread.pretrained("tiny", "en", hub=hub, form="onnx-int8")
    expected, shipped = small.encode(TEXT), ship(small, session)
    monkeypatch.setenv("WELLREAD_HOME", str(elsewhere))
    wellread.pretrained("tiny", "en", hub=hub)
    np.testing.assert_array_equal(vector(shipped), expected)


def test_a_home_that_may_not_be_written_is_done_without(model: Model, session: Any, tmp_path: Path) -> None:
    shipped = ship(model, session)
    cache = tmp_path / "home/cache"
    cache.mkdir(parents=True)
    cache.chmod(0o555)
    script = [sys.executable, "-c", ARRIVE, str(tmp_path / "files"), pickle.dumps(shipped).hex()]
    command = [*unprivileged(), "env", f"WELLREAD_HOME={tmp_path / 'home'}", *script]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    finally:
        cache.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "files")


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


def test_a_machine_that_computes_something_else(
    model: Model, session: Any, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = ship(model, session)
    run = Session.run
    monkeypatch.setattr(Session, "run", lambda *how: [1 + each for each in run(*how)])
    with pytest.raises(IntegrityError, match="quarantined"):
        arrive(shipped)
    assert not list(elsewhere.glob("cache/models/*/onnx/*.onnx"))


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
