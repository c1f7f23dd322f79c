"""What a card tells people to type runs as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.model_cards.conftest import Publish
from tests.registry.samples import FORMS, make_manifest
from wellread.model_cards.snippets import snippets
from wellread.registry.records import Form, Manifest

pytestmark = pytest.mark.press

ALL = ["Python", "Transformers", "Sentence Transformers", "ONNX Runtime"]


def with_forms(*names: str, modules: bool = True) -> Manifest:
    files = ("modules.json",) if modules else ()
    made = {n: Form(members=(*files, *FORMS[n].members), precision=FORMS[n].precision) for n in names}
    return make_manifest(forms=made)


def test_every_snippet_runs_as_it_is_printed(published: Publish, tmp_path: Path) -> None:
    """In one process after the other's names, as cells of a notebook; shapes are those that the comments promise."""
    release = published(examples=('it\'s a "quick" {fox}\nand a back\\slash',))
    shown = snippets(release.pressed.manifest)
    assert [snippet.title for snippet in shown] == ALL
    promised = {
        "Python": "vector.shape == (32,) and words.vectors.shape == (len(words.words), 32)",
        "Transformers": "hidden.shape[::2] == (1, 32)",
        "Sentence Transformers": "vector.shape == (32,)",
        "ONNX Runtime": "hidden.shape[::2] == (1, 32)",
    }
    cells = [f"{snippet.code}\nassert {promised[snippet.title]}, {snippet.title!r}\n" for snippet in shown]
    (tmp_path / "cells.py").write_text("\n".join(cells), encoding="utf-8")
    environment = os.environ | {"WELLREAD_HUB": str(release.hub), "WELLREAD_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "cells.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("forms", "modules", "shown"),
    [
        (("torch", "onnx", "onnx-int8"), True, ALL),
        (("onnx",), True, ["Python", "ONNX Runtime"]),
        (("torch",), True, ["Transformers", "Sentence Transformers"]),
        (("torch", "onnx"), False, ["Python", "Transformers", "ONNX Runtime"]),
        (("onnx-int8",), True, []),
    ],
)
def test_a_tab_is_shown_where_its_form_is_there(forms: tuple[str, ...], modules: bool, shown: list[str]) -> None:
    assert [snippet.title for snippet in snippets(with_forms(*forms, modules=modules))] == shown
