"""A task of a bulk run in a worker: run again, on files that changed, on another disk. No Spark is started here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

from tests.spark.here import Standing
from wellread.bulk.output import open_output
from wellread.bulk.plan import Options, Unit
from wellread.bulk.run import Summary, embed_files
from wellread.bulk.work import Done, do
from wellread.errors import WellreadError
from wellread.runtime.model import Model
from wellread.spark import bulk

Embed = Callable[..., Summary]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def embed(model: Model, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embed:
    """``embed(session, meanwhile)``: two files in parts of two rows, and what happens once the work is planned."""
    monkeypatch.setattr(bulk, "model_in_worker", lambda _: model)
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    for name, text in (("a", "I love NLP\nthe fox\nhello\n"), ("b", "one\ntwo\nthree\nfour\n")):
        (tmp_path / f"{name}.txt").write_text(text, "utf-8")

    def run(session: Any, meanwhile: Callable[[], object] = bool) -> Summary:
        work = bulk.engine(session)

        def begun(*how: Any) -> Any:
            meanwhile()
            return work(*how)

        return embed_files(model, [str(tmp_path / "*.txt")], str(out), Options(rows=2), begun)

    return run


def test_a_task_that_is_run_again_leaves_the_parts_that_are_there(
    embed: Embed, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def watched(unit: Unit, *more: Any) -> Done:
        made.append(unit.part)
        return do(unit, *more)

    monkeypatch.setattr(bulk, "do", watched)
    summary = embed(Standing(times=2))
    assert sorted(made) == sorted(path.name for path in out.glob("part-*"))
    assert (summary.parts, summary.rows, summary.failed) == (4, 7, ())


def test_a_file_that_changes_meanwhile_costs_no_other_its_vectors(embed: Embed, out: Path, tmp_path: Path) -> None:
    def meanwhile() -> None:
        with (tmp_path / "a.txt").open("a") as file:
            file.write("more\n")

    summary = embed(Standing(), meanwhile)
    (failed,) = summary.failed
    assert failed.file.endswith("a.txt") and "a.txt changed while it was being read" in failed.why
    assert (summary.parts, summary.rows) == (2, 4)
    assert not (out / "_SUCCESS").exists()


def test_parts_that_went_to_another_folder_are_told(
    embed: Embed, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = open_output(str(tmp_path / "elsewhere"))
    monkeypatch.setattr(bulk, "open_output", lambda _: elsewhere)
    with pytest.raises(
        WellreadError, match=r"part-0.*parquet and 3 other parts were written and are not in .*out here"
    ):
        embed(Standing())
    assert len(list((tmp_path / "elsewhere").glob("part-*"))) == 4
    assert not (out / "_SUCCESS").exists()


def test_the_tasks_run_in_the_drivers_python(embed: Embed) -> None:
    session = Standing()
    embed(session)
    assert session.sparkContext.pythonExec == sys.executable
