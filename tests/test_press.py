"""What the press keeps and when it makes it anew."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BuildModule
from wellread import press as door
from wellread.converters.recipe import Recipe
from wellread.converters.sources import Source
from wellread.converters.workbench import Workbench
from wellread.errors import SnippetError, WellreadError
from wellread.model_cards import snippets as page
from wellread.press import Pressed, press
from wellread.registry.artifact.proof import read_proof
from wellread.registry.names import Lang, ModelName
from wellread.registry.records import Trial

pytestmark = pytest.mark.press


def pressed(
    folder: Path, root: Path, said: list[tuple[str, str]], *, benchmark: bool = False, **fields: Any
) -> Pressed:
    source = Source(kind="folder", location=str(folder))
    facts: dict[str, Any] = {"forms": ("onnx",), "time": 1598344705269, "sources": (source,)} | fields
    recipe = Recipe(name=ModelName("tiny"), language=Lang("en"), title="Tiny", license="MIT", **facts)

    def report(title: str, news: str, ended: bool) -> None:
        if ended:
            said.append((title, news))

    return press(recipe, root / "dist", Workbench(root / "work", report), benchmark=benchmark)


def kept(said: list[tuple[str, str]]) -> list[str]:
    return [title for title, news in said if news == "kept"]


def test_every_step_is_told_and_nothing_is_left_on_the_way(module: BuildModule, tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    first = pressed(module("huggingface"), tmp_path, said)
    assert [title for title, _ in said] == ["pull and read", "forms", "parity", "pack", "snippets"]
    assert not list((tmp_path / "work/scratch").iterdir())
    assert pressed(module("huggingface"), tmp_path, said).packed.sha256 == first.packed.sha256
    assert kept(said) == ["forms", "parity", "snippets"]


def test_results_that_were_cut_short_are_made_again(module: BuildModule, tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    first = pressed(module("huggingface"), tmp_path, said)
    for name in ("forms.json", "parity.json", "snippets.json"):
        (result,) = (tmp_path / "work").rglob(name)
        result.write_bytes(result.read_bytes()[:40])
    again = pressed(module("huggingface"), tmp_path, said)
    assert (kept(said), again.packed.sha256) == ([], first.packed.sha256)


def test_another_length_is_another_form_and_another_machine_another_parity(
    module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    pressed(module("huggingface"), tmp_path, said)
    pressed(module("huggingface"), tmp_path, said, max_length=20)
    assert kept(said) == []
    monkeypatch.setattr(door, "machine", lambda: {"processor": "another"})
    pressed(module("huggingface"), tmp_path, said)
    assert kept(said) == ["forms"]


def test_the_code_that_parity_runs_is_part_of_its_key() -> None:
    package = Path(door.__file__).parent
    hashed = {path for pattern in (*door._CONVERTERS, *door._RUNTIME) for path in package.glob(pattern)}
    assert {
        package / "runtime/session.py",
        package / "registry/records.py",
        package / "converters/weights.py",
    } <= hashed


def test_all_that_a_snippet_runs_through_is_part_of_its_key() -> None:
    package = Path(door.__file__).parent
    hashed = {path for pattern in door._CONSUMER for path in package.glob(pattern)}
    ran = ("loader.py", "registry/cache/entry.py", "runtime/model.py", "model_cards/stage.py", "model_cards/trials.py")
    assert {package / path for path in ran} <= hashed
    assert {path for part in ("annotators", "nlu", "spark") for path in (package / part).rglob("*.py")} <= hashed


# ---------------------------------------------------------------- what is tried and measured


def test_a_proof_tells_what_was_tried_and_what_came_of_it(module: BuildModule, tmp_path: Path) -> None:
    made = pressed(module("huggingface"), tmp_path, [], examples=("hello world",))
    proof = read_proof(made.proof)
    assert proof == made.statement
    *ran, spark = proof.trials
    assert ran == [Trial(tab="Python", outcome="passed"), Trial(tab="ONNX Runtime", outcome="passed")]
    assert (spark.tab, spark.outcome) == ("Spark", "not run")
    (result,) = proof.results
    assert (result.text, result.words) == ("hello world", ("hello", "world"))
    assert proof.benchmarks == ()


def test_a_snippet_that_fails_stops_everything_and_is_tried_again(
    module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    with monkeypatch.context() as patch:
        row = next(row for row in page._ROWS if row.title == "ONNX Runtime")
        patch.setattr(page, "_ROWS", (replace(row, template="\nimport numpy\nprint(numpy.nothing)\n"),))
        with pytest.raises(SnippetError) as caught:
            pressed(module("huggingface"), tmp_path, said)
    for told in ("tiny (en)", "nothing was written", "ONNX Runtime, line 2: print(numpy.nothing)", "AttributeError"):
        assert told in str(caught.value)
    assert said[-1] == ("snippets", "failed")
    assert not (tmp_path / "dist").exists() and not list((tmp_path / "work/scratch").iterdir())
    assert pressed(module("huggingface"), tmp_path, said).statement.trials[1].outcome == "passed"


def test_benchmarks_stand_in_the_proof_and_leave_the_artifact_as_it_is(module: BuildModule, tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    plain = pressed(module("huggingface"), tmp_path, said, forms=("onnx", "onnx-int8"))
    timed = pressed(module("huggingface"), tmp_path, said, benchmark=True, forms=("onnx", "onnx-int8"))
    assert timed.packed.sha256 == plain.packed.sha256
    assert [benchmark.form for benchmark in read_proof(timed.proof).benchmarks] == ["onnx", "onnx-int8"]
    assert said[-1][0] == "benchmark"


# ---------------------------------------------------------------- handing over


def test_an_artifact_gets_to_another_disk(module: BuildModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = pressed(module("huggingface"), tmp_path, [])
    here.artifact.rename(tmp_path / "here.zip")

    def elsewhere(path: Path, target: Path) -> Path:
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(path), None, str(target))

    monkeypatch.setattr(Path, "replace", elsewhere)
    again = pressed(module("huggingface"), tmp_path, [])
    assert again.artifact.read_bytes() == (tmp_path / "here.zip").read_bytes()
    assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == [again.proof.name, again.artifact.name]


def test_a_place_that_takes_nothing_is_named(module: BuildModule, tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("a file")
    with pytest.raises(WellreadError, match=r"cannot write .*dist.*choose a place"):
        pressed(module("huggingface"), tmp_path, [])
