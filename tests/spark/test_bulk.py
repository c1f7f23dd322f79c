"""Files embedded by Spark's workers: the same parts as in one process."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.fixtures.s3 import s3_server
from tests.spark.conftest import NAME
from wellread.bulk.plan import Options
from wellread.bulk.run import embed_files
from wellread.errors import WellreadError
from wellread.runtime.model import Model

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TEXTS = ["I love NLP", None, "", "the quick brown fox", "hello", "jumps over the lazy dog", "a good model"]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    table = pa.table({"id": range(len(TEXTS)), "text": TEXTS})
    parquet.write_table(table, tmp_path / "texts/a.parquet", row_group_size=3)
    (tmp_path / "texts/b.txt").write_text("one\ntwo\nthree\n")
    (tmp_path / "texts/bad.csv").write_text("id,text\n1\n")
    (tmp_path / "texts/c.jsonl").write_text('{"text": "four", "label": "pos", "nothing": {}}\n')
    return tmp_path / "texts"


def parts(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {path.name: parquet.read_table(path).to_pylist() for path in sorted(folder.glob("part-*"))}


def test_the_parts_are_those_of_one_process(spark: SparkSession, model: Model, texts: Path, tmp_path: Path) -> None:
    from wellread.spark.bulk import engine

    options = Options(rows=2)
    alone = embed_files(model, [str(texts)], str(tmp_path / "alone"), options)
    spread = embed_files(model, [str(texts)], str(tmp_path / "spread"), options, engine(spark))
    assert (spread.rows, spread.parts, spread.nulls) == (alone.rows, alone.parts, alone.nulls) == (11, 7, 1)
    assert [failed.why for failed in spread.failed] == [failed.why for failed in alone.failed]
    ours, theirs = parts(tmp_path / "alone"), parts(tmp_path / "spread")
    assert list(ours) == list(theirs)
    for name, rows in ours.items():
        for row, other in zip(rows, theirs[name], strict=True):
            vector, same = row.pop("embeddings"), other.pop("embeddings")
            assert row == other
            assert (vector is None) == (same is None)
            if vector is not None:
                np.testing.assert_allclose(vector, same, atol=2e-6)
    table = spark.read.parquet(str(tmp_path / "spread"))
    assert table.columns == ["id", "text", "label", "embeddings"]
    assert [row["label"] for row in table.collect()].count("pos") == 1
    (texts / "bad.csv").unlink()
    again = embed_files(model, [str(texts)], str(tmp_path / "spread"), options, engine(spark))
    assert (again.parts, again.parts_before, again.failed) == (0, 7, ())


def test_a_disk_that_fails_a_worker_ends_the_run_in_our_words(
    spark: SparkSession, model: Model, texts: Path, tmp_path: Path
) -> None:
    from wellread.spark.bulk import engine

    def in_the_way(*how: Any) -> Any:
        (tmp_path / "out/part-00001-00000.parquet").mkdir()
        (tmp_path / "out/part-00001-00000.parquet/file").touch()
        return engine(spark)(*how)

    with pytest.raises(WellreadError, match=r"cannot write .*part-00001-00000.parquet: "):
        embed_files(model, [str(texts)], str(tmp_path / "out"), engine=in_the_way)


def test_of_a_long_trace_the_last_word_of_the_worker_is_told() -> None:
    from wellread.spark.bulk import _cause

    trace = "calling z:org.Python.\n: org.SparkException: aborted: Traceback (most recent call last):\n"
    said = "RuntimeError: no wellread on this machine.\npip install it there\n\n\tat org.Runner(Runner.scala:1)\n"
    assert _cause(f'{trace}  File "worker.py", line 1\n{said}') == "no wellread on this machine.\npip install it there"
    assert _cause("the  cluster is\n gone") == "the cluster is gone"
    lost = "Job aborted: Lost task 0.0 (host): org.SparkException: Python worker exited unexpectedly (crashed)"
    trace = f"calling z:org.Python.\n: org.SparkException: {lost}\n\tat org.Runner(Runner.scala:1)\n"
    assert _cause(f"{trace}Caused by: java.io.EOFException\n") == "Python worker exited unexpectedly (crashed)"


@pytest.mark.heavy
def test_the_program_reads_and_writes_buckets_with_no_library_of_hadoop(
    with_java: Path, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_server() as s3:
        s3.lead(monkeypatch)
        bucket, client = s3.bucket(), s3.client
        name = bucket.removeprefix("s3://")
        for number in range(3):
            client.put_object(Bucket=name, Key=f"texts/day={number}/a.txt", Body=b"hello\nworld\nthe fox\n")
        asked = ("--input", f"{bucket}/texts/day=*/*.txt", "--output", f"{bucket}/vectors", "--rows", "2", "--json")
        command = [
            sys.executable,
            "-m",
            "wellread",
            "embed",
            NAME,
            "--hub",
            str(hub),
            "--engine",
            "spark",
            *asked,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "pandas" not in done.stderr
        keys = [each["Key"] for each in client.list_objects_v2(Bucket=name, Prefix="vectors/")["Contents"]]
        read = (client.get_object(Bucket=name, Key=key)["Body"].read() for key in keys if "/part-" in key)
        texts = [row["text"] for part in read for row in parquet.read_table(io.BytesIO(part)).to_pylist()]
    assert texts == ["hello", "world", "the fox"] * 3
    assert json.loads(done.stdout)["parts"] == 6
    assert "vectors/_SUCCESS" in keys
