"""What lies in a part: each row as its file has it, beside the vector of its own text."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bulk.conftest import TEXTS, Run, Write
from wellread.bulk import local, work
from wellread.bulk.inputs import opened
from wellread.bulk.plan import Unit
from wellread.bulk.rows import BadFile
from wellread.errors import BadInput
from wellread.registry.artifact.manifest import MANIFEST
from wellread.runtime.model import Model


@pytest.mark.parametrize("level", ["sentence", "token"])
def test_rows_that_are_taken_a_few_at_a_time_are_those_that_are_taken_at_once(
    level: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.out, out = run.out.with_name("at-once"), run.out
    at_once = run(output_level=level, rows=100)
    expected = run.rows
    monkeypatch.setattr("wellread.bulk.vectors._CHARACTERS", {level: 20})
    run.out = out
    summary = run(output_level=level, rows=100)
    assert (summary.rows, summary.nulls) == (at_once.rows, at_once.nulls) == (11, TEXTS.count(None))
    for row, whole in zip(run.rows, expected, strict=True):
        vectors, same = row.pop("embeddings"), whole.pop("embeddings")
        assert row == whole
        assert (vectors is None) == (same is None)
        np.testing.assert_allclose(vectors or [], same or [], atol=2e-6)


def test_a_text_that_is_cut_off_is_told_wherever_in_its_part_it_is(
    run: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.bulk.vectors._CHARACTERS", {"sentence": 600})
    write("texts/c.txt", "word " * 100 + "\n" + "word\n" * 200)
    with pytest.warns(UserWarning, match="cut off"):
        run(rows=1000)


def test_sentences_are_scaled_where_asked(run: Run) -> None:
    run(normalize=True)
    vectors = [row["embeddings"] for row in run.rows if row["embeddings"] is not None]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_all_words_of_a_long_text_are_read_where_asked(run: Run, write: Write) -> None:
    write("texts/c.txt", "word " * 100)
    run(output_level="token", long="window")
    assert run.rows[-1]["token"] == ["word"] * 100


def test_parts_of_two_models_of_one_name_and_release_never_lie_together(run: Run, tmp_path: Path) -> None:
    run()
    twin = shutil.copytree(run.model.path, tmp_path / "twin")
    (twin / MANIFEST).write_bytes((twin / MANIFEST).read_bytes() + b"\n")
    run.model = Model(twin, run.model.manifest, run.model.form)
    with pytest.raises(BadInput, match=r"is of another run: manifest was [0-9a-f]{64}, not [0-9a-f]{64}"):
        run()


def test_a_file_is_opened_once_to_be_surveyed_and_once_for_all_its_parts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []

    def counted(path: str, *how: Any) -> Any:
        paths.append(Path(path).name)
        return opened(path, *how)

    monkeypatch.setattr("wellread.bulk.rows.opened", counted)
    assert run().parts == 4
    assert sorted(paths) == ["a.parquet", "a.parquet", "b.txt", "b.txt"]


def test_of_a_file_that_cannot_be_read_no_other_part_is_tried(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def fails(unit: Unit, *how: Any) -> work.Done:
        tried.append(unit.part)
        if unit.file == 0:
            raise BadFile("a.parquet cannot be read: the disk is broken")
        return work.do(unit, *how)

    monkeypatch.setattr(local, "do", fails)
    assert [failed.why for failed in run().failed] == ["a.parquet cannot be read: the disk is broken"]
    assert tried == ["part-00000-00000.parquet", "part-00001-00000.parquet"]
