"""What the press keeps and when it makes it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BuildModule
from wellread import press as door
from wellread.converters.recipe import Recipe
from wellread.converters.sources import Source
from wellread.converters.workbench import Workbench
from wellread.press import Pressed, press
from wellread.registry.names import Lang, ModelName

pytestmark = pytest.mark.press


def pressed(folder: Path, root: Path, said: list[tuple[str, str]], **fields: Any) -> Pressed:
    source = Source(kind="folder", location=str(folder))
    facts: dict[str, Any] = {"forms": ("onnx",), "time": 1598344705269, "sources": (source,)} | fields
    recipe = Recipe(name=ModelName("tiny"), language=Lang("en"), title="Tiny", license="MIT", **facts)

    def report(title: str, news: str, ended: bool) -> None:
        if ended:
            said.append((title, news))

    return press(recipe, root / "dist", Workbench(root / "work", report))


def kept(said: list[tuple[str, str]]) -> list[str]:
    return [title for title, news in said if news == "kept"]


def test_every_step_is_told_and_nothing_is_left_on_the_way(module: BuildModule, tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    first = pressed(module("huggingface"), tmp_path, said)
    assert [title for title, _ in said] == ["pull and read", "forms", "parity", "pack"]
    assert not list((tmp_path / "work/scratch").iterdir())
    assert pressed(module("huggingface"), tmp_path, said).packed.sha256 == first.packed.sha256
    assert kept(said) == ["forms", "parity"]


def test_results_that_were_cut_short_are_made_again(module: BuildModule, tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    first = pressed(module("huggingface"), tmp_path, said)
    for name in ("forms.json", "parity.json"):
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
