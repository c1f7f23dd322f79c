"""A run over files in a folder: what it makes, and what goes wrong."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import dataset, parquet

from tests.bulk.conftest import TEXTS, Run, Write, change_a_file
from wellread.bulk import local
from wellread.bulk.output import Output
from wellread.bulk.plan import Plan
from wellread.bulk.run import embed_files
from wellread.errors import BadInput, NotFound, WellreadError
from wellread.runtime.model import Model

# ---------------------------------------------------------------- what it makes


def test_every_row_gets_the_vector_of_its_text(run: Run) -> None:
    summary = run()
    assert (summary.files, summary.rows, summary.parts, summary.nulls, summary.failed) == (2, 11, 4, 2, ())
    assert run.parts == [f"part-{file:05}-{number:05}.parquet" for file, number in ((0, 0), (0, 1), (0, 2), (1, 0))]
    assert [row.get("id") for row in run.rows] == [*range(9), None, None]
    assert [row["other"] for row in run.rows[:9]] == [[n] for n in range(9)]
    assert [row["embeddings"] is None for row in run.rows] == [text is None for text in [*TEXTS, "", ""]]
    for row in run.rows:
        if row["text"] is not None:
            expected = run.model.encode(row["text"])
            np.testing.assert_allclose(np.array(row["embeddings"], np.float32), expected, atol=2e-6)


def test_parts_are_one_table_to_others(run: Run) -> None:
    run()
    table = dataset.dataset(run.out).to_table()
    assert table.num_rows == 11
    assert table.schema.field("embeddings").type == pa.list_(pa.float32(), run.model.dimension)
    stated = msgspec.json.decode(parquet.read_schema(run.out / run.parts[0]).metadata[b"wellread"])
    assert (stated["name"], stated["form"]) == ("tiny", "onnx")
    assert msgspec.json.decode((run.out / "_SUCCESS").read_bytes()) == {"rows": 11, "parts": 4}


def test_words_are_lists_beside_their_row(run: Run) -> None:
    assert run(output_level="token", normalize=True).rows == 11
    assert len(run.rows) == 11
    for row in run.rows:
        tokens = run.model.encode(row["text"] or " ", output_level="token", normalize=True)
        assert row["token"] == list(tokens.words)
        assert (row["begin"], row["end"]) == (tokens.begin.tolist(), tokens.end.tolist())
        found = np.array(row["embeddings"], np.float32).reshape(-1, run.model.dimension)
        np.testing.assert_allclose(found, tokens.vectors, atol=2e-6)


def test_long_batches_are_cut_by_their_characters(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run(output_level="token", rows=100)
    before = run.rows
    monkeypatch.setattr("wellread.bulk.vectors._CHARACTERS", {"token": 20})
    run.out = run.out.with_name("other")
    run(output_level="token", rows=100)
    assert [row["token"] for row in run.rows] == [row["token"] for row in before]
    assert parquet.ParquetFile(run.out / run.parts[0]).metadata.num_rows == 9


def test_columns_are_kept_by_name_and_vectors_called_as_one_likes(run: Run, write: Write) -> None:
    (run.inputs / "b.txt").unlink()
    run(keep=("other", "id"), into="vector", column="text")
    assert list(run.rows[0]) == ["id", "other", "vector"]
    run.out = run.out.with_name("other")
    write("texts/a.parquet", {"review": ["hello"], "text": [1]})
    run(column="review")
    assert list(run.rows[0]) == ["review", "text", "embeddings"]


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()), pa.null()],
    ids=str,
)
def test_texts_are_of_any_type_of_text(kind: pa.DataType, run: Run, write: Write) -> None:
    texts = [None, None] if kind == pa.null() else ["hello", None]
    stored = pa.string() if kind == pa.string_view() else kind  # older pyarrow cannot write views to parquet
    write("texts/a.parquet", {"text": pa.array(texts, stored)})
    run()
    assert [row["text"] for row in run.rows][:2] == texts


def test_empty_files_give_no_part(run: Run, write: Write) -> None:
    for name in ("a.csv", "a.jsonl", "a.txt"):
        write(f"texts/{name}", "")
    write("texts/e.parquet", {"other": pa.array([], pa.int8())})
    assert (run().rows, run().files) == (11, 6)
    run.inputs, run.out = run.inputs / "a.txt", run.out.with_name("nothing")
    assert (run().rows, run.parts) == (0, [])
    assert (run.out / "_SUCCESS").exists()


def test_texts_that_are_cut_off_are_told_once(run: Run, write: Write) -> None:
    write("texts/c.txt", "word " * 100 + "\n" + "word " * 100)
    with pytest.warns(UserWarning, match="longer than the .* --long window") as told:
        run(rows=1)
    assert len(told) == 1
    run.out = run.out.with_name("whole")
    run(long="window")
    expected = run.model.encode("word " * 100, long="window")
    np.testing.assert_allclose(run.rows[-1]["embeddings"], expected, atol=2e-6)


# ---------------------------------------------------------------- what goes wrong


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_done(run: Run, write: Write) -> None:
    write("texts/aa.csv", "text\na\nb,c\n")
    write("texts/bad.parquet", b"PAR1 and more")
    write("texts/c.csv", "review\na\n")
    write("texts/deep.jsonl", f'{{"text": "a", "nest": {"[" * 3000}{"]" * 3000}}}')
    summary = run()
    assert (summary.rows, summary.files, run.parts[-1]) == (11, 6, "part-00002-00000.parquet")
    assert [Path(failed.file).name for failed in summary.failed] == ["aa.csv", "bad.parquet", "c.csv", "deep.jsonl"]
    assert [failed.file in failed.why for failed in summary.failed] == [True] * 4
    assert "nested too deep" in summary.failed[3].why
    assert "Expected 1 columns, got 2" in summary.failed[0].why
    assert "no column 'text'. It has: review" in summary.failed[2].why and "--column" in summary.failed[2].why
    assert not (run.out / "_SUCCESS").exists()
    write("texts/aa.csv", "text\na\nb\n")
    (run.inputs / "bad.parquet").unlink()
    (run.inputs / "deep.jsonl").unlink()
    write("texts/c.csv", "text\na\n")
    again = run()
    assert (again.parts, again.parts_before, again.rows, again.failed) == (2, 4, 14, ())
    assert (run.out / "_SUCCESS").exists()
    assert run().parts_before == 6


def test_where_nothing_can_be_read_nothing_is_begun(run: Run) -> None:
    (run.inputs / "b.txt").unlink()
    with pytest.raises(BadInput, match=r"a.parquet has no column 'txt'. Did you mean 'text'"):
        run(column="txt")
    assert not (run.out / "_plan.json").exists()
    assert run().parts == 3


@pytest.mark.parametrize("content", [[1, 2], [b"a", b"b"], [["a"], ["b"]]], ids=str)
def test_what_is_no_text_is_refused_by_its_type(content: list[Any], run: Run, write: Write) -> None:
    write("texts/a.parquet", {"text": content})
    (failed,) = run().failed
    assert "column 'text' holds" in failed.why and "not texts" in failed.why


@pytest.mark.parametrize(
    ("column", "options", "said"),
    [
        ("embeddings", {}, "has a column 'embeddings' already: give the vectors another name by --into, or rename"),
        ("Embeddings", {}, "has a column 'Embeddings' already: give the vectors another name by --into, or rename"),
        ("token", {"output_level": "token"}, "has a column 'token' already: rename it there, or leave it out: --id"),
        ("end", {"output_level": "token", "into": "v"}, "has a column 'end' already: rename it there, or leave it"),
        ("Text", {}, "columns 'text' and 'Text', which Spark and DuckDB take for one: .* --id names those to keep"),
    ],
)
def test_a_name_that_is_taken_is_refused_with_the_way_out(
    column: str, options: dict[str, Any], said: str, run: Run, write: Write
) -> None:
    write("texts/a.parquet", {"text": ["a"], column: ["b"]})
    (failed,) = run(**options).failed
    assert re.search(said, failed.why)
    run.out = run.out.with_name("other")
    assert run(**options, keep=()).failed == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keep": ("id",), "into": "id"}, "two columns would be called 'id': give the vectors another name by --into"),
        ({"keep": ("token",), "output_level": "token"}, "two columns would be called 'token': rename it"),
        ({"into": "token", "output_level": "token"}, "the words have a column 'token': give another name by --into"),
        ({"keep": ("id", "text", "id")}, "--id names 'id' twice: name it once"),
        ({"keep": ("id", "ID")}, "--id names 'id' and 'ID', one name to Spark"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], said: str, run: Run) -> None:
    with pytest.raises(BadInput, match=said):
        run(**options)


def test_a_file_that_changes_meanwhile_is_found_out(run: Run) -> None:
    def meanwhile(model: Model, plan: Plan, output: Output, units: Any) -> Any:
        change_a_file(run)
        return local.work(model, plan, output, units)

    (failed,) = embed_files(run.model, [str(run.inputs)], str(run.out), engine=meanwhile).failed
    assert "b.txt changed while it was being read" in failed.why


def test_a_file_that_gives_fewer_rows_than_it_was_surveyed_with_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the size and time that it had, as a broken disk has it."""
    monkeypatch.setattr("wellread.bulk.formats.batches", lambda *_: (each for each in list[Any]()))
    failed = run().failed
    assert len(failed) == 2 and all("has fewer rows than it had" in each.why for each in failed)
    assert run.parts == []


def test_an_output_of_somebody_else_is_left_alone(run: Run) -> None:
    run.out.mkdir()
    (run.out / "thesis.docx").write_text("mine")
    with pytest.raises(BadInput, match=r"holds thesis.docx.*empty folder by --output"):
        run()
    assert {path.name for path in run.out.iterdir()} <= {"thesis.docx", "_lock"}
    run.out = run.out / "thesis.docx"
    with pytest.raises(BadInput, match="is a file"):
        run()
    with pytest.raises(BadInput, match="written to a folder, or to a bucket"):
        embed_files(run.model, [str(run.inputs)], "https://example.org/out")


def test_no_input_is_nothing_to_do(run: Run) -> None:
    with pytest.raises(BadInput, match="no input"):
        embed_files(run.model, [], str(run.out))
    run.inputs = run.inputs / "*.csv"
    with pytest.raises(NotFound, match=r"\*.csv: no such file"):
        run()
    assert not list(run.out.glob("[!_]*"))


class Full(io.FileIO):
    """A file on a disk on which there is no more room after some writes."""

    room = 0

    def write(self, data: Any, /) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("room", [0, 3, 100, 1000, 2000])
def test_a_full_disk_ends_a_run_and_leaves_no_part_of_a_part(
    room: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def full(path: Path, *how: Any, **more: Any) -> Any:
        if not path.name.startswith(".part-00000-00001"):
            return opened(path, *how, **more)
        file = Full(path, "xb")
        file.room = room
        return file

    with monkeypatch.context() as filling:
        filling.setattr(Path, "open", full)
        with pytest.raises(WellreadError, match=r"part-00000-00001.parquet: No space left on device.*free some space"):
            run()
    assert run.parts == ["part-00000-00000.parquet"]
    assert not list(run.out.glob(".part*"))
    assert run().parts == 3
