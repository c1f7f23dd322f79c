"""Names of columns: Spark ignores their case, and what it would take for another column is refused. One job runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from wellread.errors import BadInput
from wellread.runtime.model import Model

pytest.importorskip("pyspark", reason="pyspark is not installed")

from wellread.spark import (
    BertEmbeddings,
    ChunkEmbeddings,
    DocumentAssembler,
    EmbeddingsFinisher,
    Finisher,
    Tokenizer,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CASE = "spark.sql.caseSensitive"


@pytest.fixture
def tokens(spark: SparkSession) -> DataFrame:
    texts = spark.createDataFrame([["I love NLP"]], "text string")
    found: DataFrame = Tokenizer().setInputCols("document").transform(DocumentAssembler().transform(texts))
    return found


@pytest.fixture
def case(spark: SparkSession) -> Iterator[Any]:
    """A function that has Spark mind the case of names."""
    yield lambda: spark.conf.set(CASE, True)
    spark.conf.unset(CASE)


@pytest.mark.parametrize(
    ("names", "call", "told"),
    [
        ("text, text as Text", DocumentAssembler().transform, "reads the column 'text'.*'text' and 'Text'.*ignores"),
        ("text", DocumentAssembler().setOutputCol("TEXT").transform, "adds the column 'TEXT'.*'text'"),
        ("text", DocumentAssembler().setOutputCol("").transform, "no name"),
        ("*, token as Token", Finisher().setInputCols("token").transform, "'token' and 'Token'"),
        ("*", Finisher().setInputCols("token").setOutputCols("Document").transform, "'Document'.*'document'"),
        ("*", Finisher().setInputCols("token", "document").setOutputCols("a", "A").transform, "'a' twice"),
        ("*", Tokenizer().setInputCols([]).transform, "no inputCols are set"),
    ],
)
def test_a_name_that_could_be_another_columns_is_refused(tokens: DataFrame, names: str, call: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        call(tokens.selectExpr(*names.split(", ")))


def test_where_case_counts_they_are_two(tokens: DataFrame, case: Any) -> None:
    case()
    texts = tokens.selectExpr("text", "text as Text")
    assert DocumentAssembler().setOutputCol("TEXT").transform(texts).columns == ["text", "Text", "TEXT"]


def test_what_a_finisher_adds_is_not_dropped(tokens: DataFrame, model: Model) -> None:
    found = BertEmbeddings.of(model).setInputCols("document", "token").transform(tokens)
    finished = EmbeddingsFinisher().setInputCols("embeddings").setOutputCols("embeddings").transform(found)
    assert finished.dtypes == [("text", "string"), ("embeddings", "array<array<float>>")]
    swapped = Finisher().setInputCols("token", "document").setOutputCols("document", "token").transform(tokens)
    row = swapped.first()
    assert row is not None
    assert row.asDict() == {"text": "I love NLP", "document": ["I", "love", "NLP"], "token": ["I love NLP"]}


def test_vectors_of_chunks_say_whose_they_are(tokens: DataFrame, model: Model) -> None:
    words = BertEmbeddings.of(model).setInputCols("document", "token").transform(tokens)
    frame = words.withColumn("chunk", words.token.alias("chunk", metadata={"annotatorType": "chunk"}))
    told = {"annotatorType": "word_embeddings", "dimension": 32, "ref": str(model.name)}
    assert ChunkEmbeddings().transform(frame).schema["chunk_embeddings"].metadata == told
    named = ChunkEmbeddings().setStorageRef("mine").transform(frame)
    assert named.schema["chunk_embeddings"].metadata == told | {"ref": "mine"}


def test_texts_may_have_a_collation(spark: SparkSession) -> None:
    kind = "string collate UTF8_LCASE" if spark.version >= "4" else "string"
    texts = spark.sql(f"select cast('I love' as {kind}) as one, array(cast('NLP' as {kind})) as two")
    for name in texts.columns:
        texts = DocumentAssembler().setInputCol(name).setOutputCol(f"{name} document").transform(texts)
    row = texts.first()
    assert row is not None
    assert [row[name][0].result for name in texts.columns[2:]] == ["I love", "NLP"]
