"""DocumentAssembler, which Spark computes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wellread.annotators.documents import CleanupMode, document

pytest.importorskip("pyspark", reason="pyspark is not installed")

from wellread.spark import DocumentAssembler

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TEXTS = [" a\t b\\n\n🎉 c ", "", None]


def test_documents_are_those_of_the_annotators(spark: SparkSession) -> None:
    modes: tuple[CleanupMode, ...] = ("disabled", "shrink_full")  # each but the first is a Python worker more
    texts = spark.createDataFrame([[text] for text in TEXTS], "text string").coalesce(1)
    for mode in modes:
        texts = DocumentAssembler().setCleanupMode(mode).setOutputCol(mode).transform(texts)
    for text, row in zip(TEXTS, texts.collect(), strict=True):
        for mode in modes:
            made = document(text, mode)
            assert [(one.begin, one.end, one.result, one.metadata) for one in row[mode]] == [
                (one.begin, one.end, one.result, one.metadata) for one in made
            ]
            assert all((one.annotatorType, one.embeddings) == ("document", []) for one in row[mode])


def test_ids_metadata_and_arrays_of_texts(spark: SparkSession) -> None:
    rows = [[7, {"from": "a", "sentence": "9"}, ["one", None, "two"]], [8, None, None]]
    frame = spark.createDataFrame(rows, "id int, `more.facts` map<string,string>, `a.text` array<string>").coalesce(1)
    stage = DocumentAssembler().setInputCol("a.text").setIdCol("id").setMetadataCol("more.facts")
    first, second = stage.transform(frame).select("document").collect()
    assert [(one.result, one.end, one.metadata) for one in first.document] == [
        ("one", 2, {"from": "a", "id": "7", "sentence": "0"}),
        ("two", 2, {"from": "a", "id": "7", "sentence": "2"}),
    ]
    assert second.document == []
