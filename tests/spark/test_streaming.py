"""A stream of texts: each is embedded once, as in a table, and a stream that is stopped goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.running import running_hub
from wellread.spark import BertEmbeddings, DocumentAssembler, PipelineModel, Tokenizer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PATIENCE = 300
"""Seconds after which a stream that has little to do is taken to be stuck."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_hub(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def pipeline(spark: SparkSession, hub: Path) -> PipelineModel:
    """The card's, without what splits sentences."""
    stages = [
        DocumentAssembler().setInputCol("value").setOutputCol("document"),
        Tokenizer().setInputCols(["document"]).setOutputCol("token"),
        BertEmbeddings.pretrained("tiny", "en", hub=str(hub))
        .setInputCols(["document", "token"])
        .setOutputCol("embeddings"),
    ]
    return PipelineModel(stages)


def drain(stream: DataFrame, place: Path) -> None:
    """Do what there is to do of a stream, and stop."""
    query = (
        stream.selectExpr("value", "explode(embeddings) as word")
        .selectExpr("value", "word.result", "word.embeddings")
        .writeStream.format("parquet")
        .option("checkpointLocation", str(place / "checkpoint"))
        .trigger(availableNow=True)
        .start(str(place / "out"))
    )
    try:
        assert query.awaitTermination(PATIENCE), f"not within {PATIENCE} s"
    finally:
        query.stop()


def test_every_text_of_a_stream_comes_once(spark: SparkSession, pipeline: PipelineModel, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "1.txt").write_text("I love NLP\nthe quick brown fox\n", "utf-8")
    stream = pipeline.transform(spark.readStream.text(str(texts)))
    assert stream.isStreaming
    drain(stream, tmp_path)
    (texts / "2.txt").write_text("hello world\n\n", "utf-8")
    drain(stream, tmp_path)
    found = {(row.value, row.result): row.embeddings for row in spark.read.parquet(str(tmp_path / "out")).collect()}
    table = pipeline.transform(spark.read.text(str(texts))).selectExpr("value", "explode(embeddings) as word")
    expected = {(row.value, row.word.result): row.word.embeddings for row in table.collect()}
    assert len(found) == len(expected) == 9
    for key, vector in expected.items():
        assert found[key] == pytest.approx(vector, abs=2e-6)
