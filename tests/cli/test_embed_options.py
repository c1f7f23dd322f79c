"""The options of ``wellread embed`` for files reach the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from tests.fixtures.command import Command
from tests.fixtures.running import running_hub
from wellread.errors import WellreadError


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_hub(tmp_path_factory.mktemp("running"))


def test_every_option_is_seen_in_the_parts(command: Command, running: Path, tmp_path: Path) -> None:
    texts, out = tmp_path / "a.csv", tmp_path / "out"
    texts.write_text("review,n\n" + "the fox " * 60 + ",1\n")
    asked = ("--column", "review", "--into", "v", "--output-level", "token", "--normalize", "--long", "window")
    done = command("embed", "tiny", "--hub", running, "--input", texts, "--output", out, *asked)
    assert (done.code, done.err) == (0, "")
    (row,) = parquet.read_table(out).to_pylist()
    assert list(row) == ["review", "n", "token", "begin", "end", "v"]
    assert row["token"] == ["the", "fox"] * 60
    np.testing.assert_allclose(np.linalg.norm(row["v"], axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("words", "master"), [((), None), (("--master", "local[1]"), "local[1]")])
def test_spark_is_started_with_the_master_that_was_named(
    words: tuple[str, ...], master: str | None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []

    def start(*how: object) -> None:
        started.extend(how)
        raise WellreadError("no Spark today")

    monkeypatch.setattr("wellread.spark.cluster.session.start", start)
    refused = command("embed", "tiny", "--input", "a.txt", "--output", "out", "--engine", "spark", *words)
    assert (refused.code, refused.err) == (1, "wellread: no Spark today\n")
    assert started == [master]
