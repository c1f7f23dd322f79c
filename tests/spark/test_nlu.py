"""NLU's one-liner on a Spark DataFrame: the same rows and vectors as on any other, computed in Spark's workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from wellread.errors import BadInput
from wellread.nlu.pipeline import Part, Pipeline
from wellread.runtime.model import Model

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TEXTS = ["I love NLP. The quick fox jumps over New York.", None, "", "what is this"]
VECTORS = "en_tiny_embeddings"


@pytest.fixture(scope="module")
def pipeline(model: Model) -> Pipeline:
    return Pipeline([Part("en.tiny", model)])


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> DataFrame:
    rows = [(text, number, ["New York", None] if number == 0 else None) for number, text in enumerate(TEXTS)]
    return spark.createDataFrame(rows, "text string, id int, chunk array<string>")


@pytest.mark.parametrize("level", ["token", "document", "chunk"])
def test_rows_and_vectors_are_those_of_any_other_frame(pipeline: Pipeline, frame: DataFrame, level: str) -> None:
    kept = ["text", "id", *(["chunk"] if level == "chunk" else [])]
    found = pipeline.predict(frame.select(kept), level, positions=True, metadata=True)
    data = pd.DataFrame([row.asDict() for row in frame.select(kept).collect()])
    local = pipeline.predict(data, level, positions=True, metadata=True)
    assert found.columns == ["origin_index", *local.columns]
    rows = found.collect()
    assert len(rows) == len(local)
    for row, (_, other) in zip(rows, local.iterrows(), strict=True):
        own = row.asDict()
        one, two = (np.array(vectors, np.float32) for vectors in (own.pop(VECTORS), other.pop(VECTORS)))
        np.testing.assert_allclose(one, two, atol=1e-5)
        number = own.pop("origin_index")
        assert own == other.to_dict()
        assert {each.id for each in rows if each.origin_index == number} == {row.id}


def test_nothing_is_computed_and_only_the_text_goes_to_python(
    pipeline: Pipeline, frame: DataFrame, spark: SparkSession
) -> None:
    tracker = spark.sparkContext.statusTracker()
    before = tracker.getJobIdsForGroup(None)
    found = pipeline.predict(frame, "sentence")
    assert tracker.getJobIdsForGroup(None) == before
    plan = found._jdf.queryExecution().executedPlan().toString()
    assert [line for line in plan.splitlines() if "EvalPython" in line]
    assert plan.count("cast(text") + plan.count("(text#") == 1


def test_a_column_of_that_name_and_a_stream_need_no_number(
    pipeline: Pipeline, frame: DataFrame, spark: SparkSession
) -> None:
    own = frame.withColumnRenamed("id", "origin_index").drop("chunk")
    assert pipeline.predict(own, "token").columns == ["origin_index", "token", VECTORS]
    stream = spark.readStream.format("rate").load().selectExpr("cast(value as string) as text")
    found = pipeline.predict(stream, "token")
    assert (found.isStreaming, found.columns) == (True, ["token", VECTORS])


def test_columns_of_any_name_are_kept(pipeline: Pipeline, frame: DataFrame) -> None:
    from pyspark.sql import functions as F

    names = ["a`b", "c.d", "wellread_rows", "Wellread_Rows_", "Origin_Index"]
    odd = frame.where("id = 0").select("text", *(F.col("id").alias(name) for name in names))
    found = pipeline.predict(odd, "sentence")
    assert found.columns == [*names, "sentence", VECTORS]
    assert [tuple(row)[:6] for row in found.collect()] == [
        (0, 0, 0, 0, 0, "I love NLP."),
        (0, 0, 0, 0, 0, "The quick fox jumps over New York."),
    ]


def test_case_tells_columns_apart_where_spark_says_so(pipeline: Pipeline, spark: SparkSession) -> None:
    cased = spark.newSession()
    cased.conf.set("spark.sql.caseSensitive", "true")
    odd = cased.createDataFrame([("I love NLP", 1, 2)], "text string, Text int, Token int")
    found = pipeline.predict(odd, "token")
    assert found.columns == ["origin_index", "Text", "Token", "token", VECTORS]


def test_what_holds_no_texts_is_refused_before_anything_runs(
    pipeline: Pipeline, frame: DataFrame, spark: SparkSession
) -> None:
    from pyspark.sql import Row

    for data, level, said in (
        (frame.withColumnRenamed("text", "ptext"), "token", "no column 'text', but 'ptext', 'id', 'chunk'. Did you"),
        (frame.selectExpr("id as text"), "token", "the column 'text' is of type int"),
        (frame.select("text"), "chunk", "needs phrases"),
        (frame.selectExpr("text", "id as chunk"), "chunk", "the column 'chunk' is of type int"),
        (frame.selectExpr("text", "id as token"), "token", "column 'token' already"),
        (frame.selectExpr("text", "id as Token"), "token", "column 'Token' already"),
        (
            frame.selectExpr("text", "id as Text"),
            "token",
            "the columns 'text' and 'Text' are one and the same to Spark",
        ),
        (frame.selectExpr("text", "chunk", "chunk"), "chunk", "the columns 'chunk' and 'chunk' are one and the same"),
        (frame["text"], "token", "a Column of Spark is not texts: pass a Spark DataFrame with a column 'text'"),
        (Row(text="I love NLP"), "token", "a Row of Spark is not texts"),
        (frame.groupBy("id"), "token", "a GroupedData of Spark is not texts"),
        (spark, "token", "a SparkSession of Spark is not texts"),
    ):
        with pytest.raises(BadInput) as caught:
            pipeline.predict(data, level)
        assert said in str(caught.value)
