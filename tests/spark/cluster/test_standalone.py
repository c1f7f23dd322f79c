"""A master and two workers as processes of their own: every row comes once, as it would on one machine."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

import wellread
from tests.fixtures.running import running_hub
from tests.registry.samples import FORMS, TIME, noise
from tests.spark.cluster.conftest import ROWS, Job, Submit
from tests.spark.cluster.standalone import Cluster

pytestmark = pytest.mark.heavy


def assert_whole(job: Job, hub: Path) -> None:
    """Every row is there once, with the vector that this process computes."""
    rows = job.rows()
    assert [row["id"] for row in rows] == list(range(ROWS))
    model = wellread.pretrained("tiny", "en", hub=hub)
    expected = model.encode([f"text {number}" for number in range(ROWS)])
    np.testing.assert_allclose([row["vector"] for row in rows], expected, atol=2e-6)


def test_a_model_is_shipped_to_machines_that_have_nothing(submit: Submit, cluster: Cluster, hub: Path) -> None:
    job = submit(paused=True)
    assert len(job.resting(4)) == 4
    job.go()
    assert_whole(job, hub)
    homes = Counter(Path(row["path"]).parents[2] for row in job.rows())
    assert set(homes) == set(cluster.homes)
    assert {row["threads"] for row in job.rows()} == {1}
    assert len({row["pid"] for row in job.rows()}) == 4
    for home in cluster.homes:
        assert len(list((home / "cache/models").iterdir())) == 1
    assert len(cluster.files("tiny*.zip")) == 2, "each executor fetches it once"


def test_the_stages_of_a_card_give_the_same(submit: Submit, hub: Path) -> None:
    assert_whole(submit(stages=True), hub)


def test_a_cache_that_all_share_is_opened_and_nothing_unpacked(
    submit: Submit, tmp_path: Path, hub: Path, java: Path
) -> None:
    with Cluster(tmp_path / "spark", [tmp_path / "shared"], java, cores=2) as cluster:
        job = submit(home=tmp_path / "shared", on=cluster)
        assert_whole(job, hub)
        assert len(list((tmp_path / "shared/cache/models").iterdir())) == 1
        assert {Path(row["path"]).parents[2] for row in job.rows()} == {tmp_path / "shared"}


def test_a_large_model_is_fetched_once_by_each_machine(submit: Submit, cluster: Cluster, tmp_path: Path) -> None:
    forms = dict(FORMS)
    forms["onnx"] = msgspec.structs.replace(forms["onnx"], members=(*forms["onnx"].members, "padding.txt"))
    hub = running_hub(tmp_path / "large", {"padding.txt": noise(40_000_000)}, forms=forms, time=TIME + 1)
    before = set(cluster.files("tiny*.zip"))
    job = submit(hub=hub)
    assert_whole(job, hub)
    fetched = [path for path in cluster.files("tiny*.zip") if path not in before]
    assert [path.stat().st_size > 40_000_000 for path in fetched] == [True, True]


def test_what_was_changed_on_the_way_is_refused(submit: Submit, tmp_path: Path) -> None:
    hub = running_hub(tmp_path / "damaged", time=TIME + 2)
    said = submit(hub=hub, damage=20_000).failure()
    assert "IntegrityError" in said
    assert "differs from the manifest" in said


def test_a_python_without_wellread_says_what_to_do(
    submit: Submit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/wellread.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'wellread'\", name='wellread')", "utf-8"
    )
    python = tmp_path / "bare/python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}/bare:$PYTHONPATH exec {sys.executable} "$@"\n', "utf-8")
    python.chmod(0o755)
    said = submit(python=str(python)).failure()
    assert "cannot run wellread" in said
    assert "pip install 'wellread[spark]==" in said
