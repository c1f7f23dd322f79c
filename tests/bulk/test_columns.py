"""Files of different columns: their parts are one table all the same, or none is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from pyarrow import dataset

from tests.bulk.conftest import Run, Write, files
from wellread.errors import BadInput
from wellread.runtime.model import Model

PAIRS: dict[str, tuple[Any, Any, list[Any]]] = {
    "absent": (None, '"pos"', [None, "pos"]),
    "null": ("null", '"yes"', [None, "yes"]),
    "float": ("1", "1.5", [1.0, 1.5]),
    "objects": ('{"a": 1}', '{"b": ["x"]}', [{"a": 1, "b": None}, {"a": None, "b": ["x"]}]),
    "empty lists": ("[]", '["a"]', [[], ["a"]]),
    "empty object": ("{}", '{"a": 1}', [None, {"a": 1}]),
}


@pytest.fixture
def run(model: Model, tmp_path: Path) -> Run:
    """Over files that a test writes."""
    return Run(model, tmp_path)


def line(text: str, x: str | None) -> str:
    return f'{{"text": "{text}"{"" if x is None else f", {chr(34)}x{chr(34)}: {x}"}}}\n'


def table(run: Run) -> pa.Table:
    """The parts as one; all have the same columns."""
    parts = [dataset.dataset(run.out / name).schema.remove_metadata() for name in run.parts]
    assert all(part == parts[0] for part in parts)
    return dataset.dataset(run.out).to_table()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_two_files_are_one_table(pair: str, turned: bool, run: Run, write: Write) -> None:
    one, other, values = PAIRS[pair]
    for name, x in zip("ba" if turned else "ab", (one, other), strict=True):
        write(f"texts/{name}.jsonl", line(name, x))
    run()
    assert table(run)["x"].to_pylist() == (values[::-1] if turned else values)


def test_files_of_all_kinds_are_one_table(run: Run, write: Write) -> None:
    write("texts/a.parquet", {"text": pa.array(["a"]).dictionary_encode(), "n": pa.array([1], pa.int32())})
    write("texts/b.csv", "text,label\nb,pos\n")
    write("texts/c.jsonl", '{"text": "c", "n": 5000000000}\n')
    write("texts/d.txt", "d\n")
    write(
        "texts/e.parquet", {"text": pa.array(["e"], pa.large_string()), "label": pa.array(["neg"], pa.large_string())}
    )
    run()
    found = table(run)
    assert found.column_names == ["text", "n", "label", "embeddings"]
    assert found["text"].to_pylist() == list("abcde")
    assert found["n"].to_pylist() == [1, None, 5_000_000_000, None, None]
    assert found["label"].to_pylist() == [None, "pos", None, None, "neg"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("b.jsonl", '{"text": "b", "id": 2}\n', r"'id' is string in .*a.csv and int64 in .*b.jsonl.*\n.*--id"),
        ("b.csv", "text,ID\nb,2\n", r"'id' of .*a.csv is 'ID' in .*b.csv, and Spark .*\n.*--id"),
    ],
)
def test_what_would_be_no_table_is_refused_before_any_work(
    name: str, content: str, said: str, run: Run, write: Write
) -> None:
    write("texts/a.csv", "text,id\na,1\n")
    write(f"texts/{name}", content)
    with pytest.raises(BadInput, match=said):
        run()
    assert not (run.out / "_plan.json").exists()
    run(keep=("text",))
    assert table(run)["text"].to_pylist() == ["a", "b"]


def test_a_number_that_would_be_another_is_told_with_its_file(run: Run, write: Write) -> None:
    write("texts/a.jsonl", '{"text": "a", "id": 9007199254740993}\n')
    write("texts/b.jsonl", '{"text": "b", "id": 1.5}\n')
    (failed,) = run().failed
    assert "a.jsonl cannot be read: its column 'id' is int64, and double with that of the other files" in failed.why
    write("texts/b.jsonl", '{"text": "b", "id": 9007199254740993}\n{"id": 1.5}\n')
    run.out = run.out.with_name("other")
    (failed,) = run().failed
    assert "b.jsonl: column 'id': the whole number 9007199254740993" in failed.why and "--id" in failed.why
    run.out = run.out.with_name("third")
    assert run(keep=("text",)).failed == ()


def test_a_file_that_is_mended_late_must_fit_the_parts_that_are_there(run: Run, write: Write) -> None:
    write("texts/a.jsonl", '{"text": "a", "n": 1.5}\n')
    write("texts/b.csv", 'text\n"b\n')
    assert len(run().failed) == 1
    before = files(run.out)
    for bad in ("text,label\nb,pos\n", "text,n\nb,1\n"):
        write("texts/b.csv", bad)
        (failed,) = run().failed
        assert "b.csv" in failed.why and "parts that are there" in failed.why
        assert files(run.out) == before
    (run.inputs / "b.csv").unlink()
    write("texts/b.csv", "text\nb\n")
    assert run().failed == ()
    assert table(run)["n"].to_pylist() == [1.5, None]


def test_the_plan_says_the_columns_and_they_stay(run: Run, write: Write) -> None:
    write("texts/a.jsonl", '{"text": "a"}\n')
    write("texts/b.jsonl", '{"text": "b", "label": "pos"}\n')
    run()
    plan = msgspec.json.decode((run.out / "_plan.json").read_bytes())
    before = table(run)
    (run.out / run.parts[0]).unlink()
    assert run().parts == 1
    assert table(run).equals(before)
    assert msgspec.json.decode((run.out / "_plan.json").read_bytes()) == plan
