"""``wellread embed`` over files; over texts it is in test_use."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.parquet
import pytest

import wellread
from tests.fixtures.command import Command
from tests.fixtures.running import running_hub


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_hub(tmp_path_factory.mktemp("running"))


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a.csv").write_text("id,text\n1,I love NLP\n2,\n3,hello\n")
    (tmp_path / "texts/b.txt").write_text("the fox\n")
    return tmp_path / "texts"


def test_files_become_parts(command: Command, running: Path, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("embed", "tiny", "--hub", running, "--input", texts, "--output", out, "--rows", 2)
    done = command(*asked)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{out}: 4 rows, 1 of them without a text, 3 parts made\n"
    table = pyarrow.parquet.read_table(out / "part-00000-00000.parquet")
    assert table.column_names == ["id", "text", "embeddings"]
    assert table["embeddings"][0].as_py() == pytest.approx(
        wellread.pretrained("tiny", hub=running).encode("I love NLP").tolist(), abs=2e-6
    )
    assert command(*asked).out == f"{out}: 4 rows, 0 parts made (3 parts were there)\n"
    answer = command(*asked, "--json").json
    assert (answer["rows"], answer["parts"], answer["parts_before"], answer["failed"]) == (4, 0, 3, [])


def test_what_a_shell_makes_of_a_pattern_is_inputs(
    command: Command, running: Path, texts: Path, tmp_path: Path
) -> None:
    expanded = sorted(texts.iterdir())
    done = command(
        "embed", "tiny", "--hub", running, "--output", tmp_path / "out", "--id", "text", "--input", *expanded, "--json"
    )
    assert (done.json["files"], done.json["rows"]) == (2, 4)
    schema = pyarrow.parquet.read_schema(tmp_path / "out/part-00000-00000.parquet")
    assert schema.names == ["text", "embeddings"]


def test_a_bad_file_is_said_and_the_others_are_done(
    command: Command, running: Path, texts: Path, tmp_path: Path
) -> None:
    (texts / "bad.csv").write_text("id,text\n1\n")
    asked = ("embed", "tiny", "--hub", running, "--input", texts, "--output", tmp_path / "out")
    done = command(*asked)
    assert done.code == 1
    assert done.err.startswith(f"wellread: {texts}/bad.csv cannot be read: ") and "Expected 2 columns" in done.err
    assert "4 rows" in done.out and "1 of 3 files could not be read" in done.out
    refused = command(*asked, "--json")
    assert (refused.code, [each["file"] for each in refused.json["failed"]]) == (1, [f"{texts}/bad.csv"])
    assert "Traceback" not in done.err + refused.err


def test_who_interrupts_is_told_how_to_go_on(
    command: Command, running: Path, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    asked = ("embed", "tiny", "--hub", running, "--input", texts, "--output", tmp_path / "out")
    with monkeypatch.context() as stopping:
        stopping.setattr("wellread.bulk.local.do", stop)
        stopped = command(*asked)
    assert (stopped.code, stopped.out) == (130, "")
    assert "the same command goes on" in stopped.err
    assert command(*asked).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give a TEXT"),
        (("--input", "a.txt"), "--input needs --output"),
        (("hello", "--output", "out"), "--output goes with --input"),
        (("hello", "--id", "a"), "--id goes with --input"),
        (("--input", "a.txt", "--output", "out", "--rows", "0"), "--rows"),
        (("--input", "a.txt", "--output", "out", "--master", "local[1]"), "--master goes with --engine spark"),
    ],
)
def test_what_contradicts_itself_is_used_wrongly(words: tuple[str, ...], said: str, command: Command) -> None:
    refused = command("embed", "tiny", *words)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err


def test_without_pyarrow_the_extra_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    refused = command("embed", "tiny", "--input", "a.txt", "--output", "out")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "wellread: pyarrow is not installed: pip install 'wellread[files]'\n"


def test_without_pyspark_the_extra_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    refused = command("embed", "tiny", "--input", "a.txt", "--output", "out", "--engine", "spark")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "wellread: pyspark is not installed: pip install 'wellread[spark]'\n"
