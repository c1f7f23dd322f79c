"""Eight publishers at once: whatever one of them does, the releases of the others stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.registry.processes import start
from tests.registry.samples import TIME, make_sample
from wellread.registry.hub.index import read_releases
from wellread.registry.names import ModelName
from wellread.registry.records import Release
from wellread.registry.retry import open_hub
from wellread.registry.stores import Store, read
from wellread.registry.transfer.fetch import open_release
from wellread.registry.views.catalog import read_catalog
from wellread.registry.views.spark_nlp import metadata_key
from wellread.registry.views.update import refresh

pytestmark = pytest.mark.press  # a licence is checked by license-expression
PUBLISHERS, RELEASES = 8, 5
TINY = ModelName("tiny")

_PUBLISH = """
import sys, time
from pathlib import Path
from wellread.registry.hub.publish import publish
import license_expression
hub, go, samples = sys.argv[1], Path(sys.argv[2]), [Path(folder) for folder in sys.argv[3:]]
print("ready", flush=True)
while not go.exists():
    time.sleep(0.01)
for folder in samples:
    (artifact,) = folder.glob("*.zip")
    (proof,) = folder.glob("*.proof.json")
    publish(artifact, proof, hub)
"""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    """The folders of five artifacts for each publisher, all of one model, so that all write the same files."""
    root = tmp_path_factory.mktemp("samples")

    def folder(number: int) -> Path:
        sample = make_sample(root / str(number), {"onnx/model.onnx": str(number).encode()}, time=TIME + number)
        return sample.zip.parent

    return [[folder(who * RELEASES + which) for which in range(RELEASES)] for who in range(PUBLISHERS)]


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.heavy)])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "hub")
    bucket: str = request.getfixturevalue("bucket")
    return f"{bucket}/hub"


def test_of_eight_publishers_none_loses_a_release(hub: str, samples: list[list[Path]], tmp_path: Path) -> None:
    said = _publish_at_once(hub, samples, tmp_path)
    store = open_hub(hub)
    releases = read_releases(store, TINY)
    assert sorted(release.time for release in releases) == [TIME + n for n in range(PUBLISHERS * RELEASES)]
    assert sorted(release.serial for release in releases) == list(range(1, PUBLISHERS * RELEASES + 1))
    for release in releases:
        assert open_release(store, release).manifest.time == release.time
        assert store.head(f"{release.path.removesuffix('.zip')}.proof.json")
    _check_views(store, releases, said)
    refresh(store)
    _check_views(store, releases, "")


def _publish_at_once(hub: str, samples: list[list[Path]], tmp_path: Path) -> str:
    """Run the publishers, let go when all are ready; what they said."""
    go = tmp_path / "go"
    children = [start(_PUBLISH, hub, go, *folders, WELLREAD_HOME=tmp_path / "home") for folders in samples]
    try:
        assert [child.stdout and child.stdout.readline() for child in children] == ["ready\n"] * PUBLISHERS
        go.touch()
        said = "".join(child.communicate()[0] for child in children)
        assert [child.returncode for child in children] == [0] * PUBLISHERS, said
    finally:
        for child in children:
            child.kill()
            child.wait()
    return said


def _check_views(store: Store, releases: tuple[Release, ...], said: str) -> None:
    """The views say what the index says, unless a publisher said that they do not."""
    if "hub refresh" in said:
        return
    last = max(releases, key=lambda release: release.time)
    assert [entry.latest for entry in read_catalog(store)] == [last.id]
    found = read(store, metadata_key("public/models"))
    assert found and len([line for line in found[0].splitlines() if b'"tiny"' in line]) == len(releases)
