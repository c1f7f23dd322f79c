"""The pipeline over a DataFrame: what the annotators give, row for row, saved and loaded too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wellread.annotators.annotation import Annotation
from wellread.annotators.documents import document
from wellread.annotators.sentences import SentenceSplitter
from wellread.annotators.tokens import split_tokens
from wellread.annotators.words import WordEmbedder, sentences_of
from wellread.runtime.model import Model

pytest.importorskip("pyspark", reason="pyspark is not installed")

from wellread.spark import (
    BertEmbeddings,
    BertSentenceEmbeddings,
    ChunkEmbeddings,
    DocumentAssembler,
    EmbeddingsFinisher,
    Finisher,
    Pipeline,
    PipelineModel,
    SentenceDetector,
    Tokenizer,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TEXTS = ["I love NLP. You don't!", None, "", " ", "Zoë’s 🎉 cats, " * 30, "the quick brown fox"]


@pytest.fixture(scope="module")
def texts(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(list(enumerate(TEXTS)), "id int, text string").coalesce(1)


@pytest.fixture(scope="module")
def pipeline(spark: SparkSession, model: Model) -> PipelineModel:
    words, aligned = BertEmbeddings.of(model), BertEmbeddings.of(model).setTokenMode("aligned").setOutputCol("aligned")
    sentences = BertSentenceEmbeddings.of(model)
    stages = [DocumentAssembler(), SentenceDetector(), Tokenizer(), words, aligned, sentences]
    return Pipeline(stages=stages).fit(spark.createDataFrame([[""]], "text string"))


@pytest.fixture(scope="module")
def rows(texts: DataFrame, pipeline: PipelineModel) -> list[Any]:
    return pipeline.transform(texts).orderBy("id").collect()


def _told(found: list[Any]) -> list[tuple[Any, ...]]:
    return [(one.annotatorType, one.begin, one.end, one.result, one.metadata) for one in found]


def _expected(made: list[Annotation]) -> list[tuple[Any, ...]]:
    return [(one.kind, one.begin, one.end, one.result, dict(one.metadata)) for one in made]


def test_a_row_has_what_the_annotators_give(rows: list[Any], model: Model) -> None:
    split, embedder = SentenceSplitter(), WordEmbedder(model, max_length=model.manifest.max_length)
    for text, row in zip(TEXTS, rows, strict=True):
        documents = document(text)
        sentences = split(documents)
        tokens = split_tokens(sentences)
        (words,) = embedder([sentences_of(sentences, tokens)])
        assert _told(row.document) == _expected(documents)
        assert _told(row.sentence) == _expected(sentences)
        assert _told(row.token) == _expected(tokens)
        assert _told(row.embeddings) == _expected(words)
        for one, other in zip(row.embeddings, words, strict=True):
            np.testing.assert_allclose(one.embeddings, other.embeddings, atol=1e-5)


def test_offsets_are_the_texts(rows: list[Any]) -> None:
    for text, row in zip(TEXTS, rows, strict=True):
        for one in (*row.sentence, *row.token):
            assert text is not None
            assert text[one.begin : one.end + 1] == one.result


def test_aligned_gives_every_token_the_vector_that_encode_gives(rows: list[Any], model: Model) -> None:
    assert [len(row.aligned) for row in rows] == [len(row.token) for row in rows]
    assert len(rows[4].embeddings) < len(rows[4].token), "the long one is past the limit in the other mode"
    expected = model.encode(TEXTS[5] or "", output_level="token", long="window")
    np.testing.assert_allclose([one.embeddings for one in rows[5].aligned], expected.vectors, atol=1e-5)


def test_sentences_get_the_vectors_that_encode_gives(rows: list[Any], model: Model) -> None:
    texts = [one.result for one in rows[0].sentence]
    assert [one.result for one in rows[0].sentence_embeddings] == texts
    found = [one.embeddings for one in rows[0].sentence_embeddings]
    np.testing.assert_allclose(found, model.encode(texts), atol=1e-5)


def test_a_saved_pipeline_gives_the_same_vectors(
    texts: DataFrame, hub: Path, tmp_path: Path, rows: list[Any], pipeline: PipelineModel
) -> None:
    pipeline.save(str(tmp_path / "saved"))
    again = PipelineModel.load(str(tmp_path / "saved"))
    for loaded, saved in zip(again.stages, pipeline.stages, strict=True):
        assert loaded.explainParams() == saved.explainParams()
        assert loaded.uid == saved.uid
    column = again.transform(texts).filter("id = 0").selectExpr("explode(embeddings) as one").select("one.embeddings")
    assert [row[0] for row in column.collect()] == [one.embeddings for one in rows[0].embeddings]
    assert sum(path.stat().st_size for path in (tmp_path / "saved").rglob("*") if path.is_file()) < 2**17


def test_finishers_give_plain_columns(texts: DataFrame, pipeline: PipelineModel, rows: list[Any]) -> None:
    stages = [
        Finisher().setInputCols("token").setIncludeMetadata(True).setCleanAnnotations(False),
        Finisher().setInputCols("sentence").setOutputCols("one").setOutputAsArray(False).setCleanAnnotations(False),
        EmbeddingsFinisher().setInputCols("embeddings").setOutputCols("vectors").setOutputAsVector(True),
    ]
    found = PipelineModel(stages=[*pipeline.stages[:4], *stages]).transform(texts.limit(1))
    assert found.columns == ["id", "text", "finished_token", "finished_token_metadata", "one", "vectors"]
    row = found.first()
    assert row is not None
    assert row.finished_token == [one.result for one in rows[0].token]
    assert row.finished_token_metadata[0] == {"sentence": "0"}
    assert row.one == "I love NLP.@You don't!"
    assert row.vectors[0].toArray().tolist() == rows[0].embeddings[0].embeddings


def test_chunks_and_exploded_sentences(spark: SparkSession, model: Model, rows: list[Any]) -> None:
    from pyspark.sql import functions as F

    exploded = SentenceDetector().setExplodeSentences(True)
    text = spark.createDataFrame([[TEXTS[0]]], "text string")
    stages = [DocumentAssembler(), exploded, Tokenizer(), BertEmbeddings.of(model)]
    found = PipelineModel(stages=stages).transform(text)
    chunks = F.filter("token", lambda one: one["result"].isin("love", "You"))
    labelled = found.withColumn("chunk", chunks.alias("chunk", metadata={"annotatorType": "chunk"}))
    made = ChunkEmbeddings().transform(labelled).select("sentence", "chunk_embeddings").collect()
    assert [[one.result for one in row.sentence] for row in made] == [["I love NLP."], ["You don't!"]]
    assert [[one.result for one in row.chunk_embeddings] for row in made] == [["love"], ["You"]]
    np.testing.assert_allclose(made[0].chunk_embeddings[0].embeddings, rows[0].embeddings[1].embeddings, atol=1e-5)
