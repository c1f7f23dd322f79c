"""What a setter sets is what a stage does with texts. One Spark job runs, for the rows that are counted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

import wellread
from tests.spark.conftest import NAME
from tests.spark.here import Context, Standing, watch_sizes
from tests.spark.test_annotate import VECTORS, arrays, batch
from wellread.annotators.annotation import Annotation
from wellread.annotators.documents import document
from wellread.errors import BadInput
from wellread.nlu.pipeline import Part
from wellread.nlu.pipeline import Pipeline as Reading
from wellread.runtime.model import Model
from wellread.spark import (
    BertEmbeddings,
    BertSentenceEmbeddings,
    ChunkEmbeddings,
    DocumentAssembler,
    EmbeddingsFinisher,
    SentenceDetector,
    Tokenizer,
)
from wellread.spark.cluster.session import start
from wellread.spark.columns import sentence_rows, word_rows
from wellread.spark.columns.annotate import Annotate

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

HERE: Any = Standing()


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("sets", "text", "tokens"),
    [
        ({"ContextChars": ["!"]}, "(hi)!", ["(hi)", "!"]),
        ({"SplitChars": ["-"]}, "new-york", ["new", "york"]),
        ({"SplitPattern": "[0-9]+"}, "a1b", ["a", "b"]),
        ({"Exceptions": ["new york"]}, "a new york cat", ["a", "new york", "cat"]),
        ({"Exceptions": ["new york"], "CaseSensitiveExceptions": False}, "a New York cat", ["a", "New York", "cat"]),
        ({"MinLength": 3}, "an old cat", ["old", "cat"]),
        ({"MaxLength": 2}, "an old cat", ["an"]),
        ({"TargetPattern": "a-z"}, "x1y", ["x", "y"]),
    ],
)
def test_a_tokenizer_does_as_it_is_set(spark: SparkSession, sets: Any, text: str, tokens: list[str]) -> None:
    assert [one.result for one in _set(Tokenizer(), sets).rule()(document(text))] == tokens
    assert [one.result for one in Tokenizer().rule()(document(text))] != tokens


@pytest.mark.parametrize(
    ("sets", "text", "sentences"),
    [
        ({"Language": "de"}, "Vgl. Goethe hier.", ["Vgl. Goethe hier."]),
        ({"CustomBounds": [";"]}, "One; two. Three.", ["One", "two.", "Three."]),
        ({"CustomBounds": [";"], "UseCustomBoundsOnly": True}, "One; two. Three.", ["One", "two. Three."]),
        ({"MinLength": 5}, "Yes. Good day to you.", ["Good day to you."]),
        ({"MaxLength": 5}, "Yes. Good day to you.", ["Yes."]),
        ({"SplitLength": 8}, "The quick fox jumps.", ["The", "quick", "fox", "jumps."]),
    ],
)
def test_a_sentence_detector_does_as_it_is_set(spark: SparkSession, sets: Any, text: str, sentences: list[str]) -> None:
    assert [one.result for one in _set(SentenceDetector(), sets).rule()(document(text))] == sentences
    assert [one.result for one in SentenceDetector().rule()(document(text))] != sentences


def _set(stage: Any, sets: dict[str, Any]) -> Any:
    for name, value in sets.items():
        getattr(stage, f"set{name}")(value)
    return stage


# ---------------------------------------------------------------- models


@pytest.fixture
def at_work(model: Model, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, list[Any]], list[Any]]:
    """``at_work(stage, batch)`` → the annotations of the batch's rows, as a worker makes them."""
    for module in (word_rows, sentence_rows):
        monkeypatch.setattr(module, "model_in_worker", lambda _: model)

    def rows(stage: Any, batch: list[pa.Array]) -> list[Any]:
        annotate: Annotate[Any] = stage.opened(HERE)()
        found: list[Any] = annotate.array(annotate.rows(batch)).to_pylist()
        return found

    return rows


def test_what_is_set_of_a_model_is_how_it_reads(spark: SparkSession, model: Model, at_work: Any) -> None:
    given = batch(["NLP " * 20])

    def vectors(stage: Any) -> Any:
        (row,) = at_work(stage.setBatchSize(3), given[: 4 * len(stage.needs)])
        return [one["result"] for one in row], np.array([one["embeddings"] for one in row])

    results, plain = vectors(BertEmbeddings.of(model))
    assert results == ["nlp"] * 20
    assert vectors(BertEmbeddings.of(model).setCaseSensitive(True))[0] == ["NLP"] * 20
    assert vectors(BertEmbeddings.of(model).setMaxSentenceLength(7))[0] == ["nlp"] * 5
    assert vectors(BertEmbeddings.of(model).setTokenMode("aligned").setMaxSentenceLength(7))[0] == ["nlp"] * 20
    _, plain = vectors(BertSentenceEmbeddings.of(model))
    np.testing.assert_allclose(plain[0], model.encode("NLP " * 20), atol=2e-6)
    for other in ({"CaseSensitive": True}, {"MaxSentenceLength": 7}):
        assert not np.allclose(vectors(_set(BertSentenceEmbeddings.of(model), other))[1], plain, atol=1e-3)


@pytest.mark.parametrize("kind", [BertEmbeddings, BertSentenceEmbeddings])
def test_no_more_sentences_run_at_once_than_are_set(
    spark: SparkSession, model: Model, at_work: Any, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = watch_sizes(monkeypatch)
    stage = kind.of(model).setBatchSize(2)
    at_work(stage, batch(["I love NLP"] * 5)[: 4 * len(stage.needs)])
    assert sorted(sizes) == [1, 2, 2]


def test_a_sentence_of_less_than_one_piece_is_none(spark: SparkSession, model: Model) -> None:
    for stage in (BertEmbeddings(), BertSentenceEmbeddings.of(model)):
        with pytest.raises(BadInput, match="A number from 3 to"):
            stage.setMaxSentenceLength(2)


def test_chunks_are_means_or_sums(spark: SparkSession, at_work: Any) -> None:
    import pyarrow as pa

    chunk = Annotation("chunk", 0, 7, "new york", {"sentence": "0"})
    tokens = [Annotation("token", 0, 2, "new", {"sentence": "0"}), Annotation("token", 4, 7, "york", {"sentence": "0"})]
    given = [*arrays([[chunk]]), *arrays([tokens]), pa.array([[[1.0, 2.0], [3.0, 6.0]]], VECTORS)]
    for pooling, vector in (("AVERAGE", [2.0, 4.0]), ("sum", [4.0, 8.0])):
        ((found,),) = at_work(ChunkEmbeddings().setPoolingStrategy(pooling), given)
        assert found["embeddings"] == vector


def test_the_fastest_form_is_pinned_as_the_one_that_it_was(
    spark: SparkSession, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.runtime.fastest.int8_instruction", lambda: "AVX VNNI")
    stage = BertEmbeddings.pretrained(NAME, hub=hub, form="fastest")
    assert stage.getForm() == "onnx-int8"
    stage.save(str(tmp_path / "saved"))
    monkeypatch.setattr("wellread.runtime.fastest.int8_instruction", lambda: None)
    assert BertEmbeddings.load(str(tmp_path / "saved")).getModel().form == "onnx-int8"


def test_a_model_of_an_artifact_is_opened_from_it_again(spark: SparkSession, hub: Path, tmp_path: Path) -> None:
    stage = BertEmbeddings.of(wellread.open(next(hub.glob(f"**/{NAME}*.zip")), "onnx-int8"))
    stage.save(str(tmp_path / "saved"))
    loaded = BertEmbeddings.load(str(tmp_path / "saved"))
    assert (loaded.getPath(), loaded.getForm()) == (stage.getPath(), "onnx-int8")
    assert loaded.shipped(HERE) == stage.shipped(HERE)


# ---------------------------------------------------------------- sessions


@pytest.fixture
def theirs(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The context of a session that its user started: nobody has said which Python its workers are."""
    context = spark.sparkContext
    own = context.pythonExec
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    context.pythonExec = "python3"
    yield context
    context.pythonExec = own


def test_workers_of_a_users_session_are_the_drivers_python(spark: SparkSession, theirs: Any, model: Model) -> None:
    texts = spark.createDataFrame([["I love NLP"]], "text string")
    documents = DocumentAssembler().transform(texts)
    assert theirs.pythonExec == "python3"
    calls: list[Callable[[], Any]] = [
        lambda: DocumentAssembler().setCleanupMode("shrink").transform(texts),
        lambda: Tokenizer().setInputCols("document").transform(documents),
        lambda: Reading([Part("en.tiny", model)]).predict(texts, "token"),
    ]
    for call in calls:
        call()
        assert theirs.pythonExec == sys.executable
        theirs.pythonExec = "python3"


def test_memory_is_the_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, str] = {}

    class Builder:
        def appName(self, name: str) -> Builder:
            return self

        def config(self, key: str, value: str) -> Builder:
            settings[key] = value
            return self

        def getOrCreate(self) -> Any:
            return Standing()

    class Kind:
        builder = Builder()

    monkeypatch.setattr("wellread.spark.cluster.session.load_session", lambda: Kind)
    monkeypatch.setattr("wellread.spark.cluster.session.check_spark", lambda: None)
    assert isinstance(start(memory="3G", params={"spark.ui.enabled": False}).sparkContext, Context)
    assert settings == {"spark.driver.memory": "3G", "spark.ui.enabled": "false"}


# ---------------------------------------------------------------- columns


def test_vectors_are_finished_as_vectors(spark: SparkSession) -> None:
    texts = spark.createDataFrame([["I love NLP"]], "text string")
    frame = _words(DocumentAssembler().transform(texts))
    finished = EmbeddingsFinisher().setInputCols("document").transform(frame)
    assert dict(finished.dtypes)["finished_document"] == "array<array<float>>"


def _words(documents: DataFrame) -> DataFrame:
    """The same annotations, called vectors of words."""
    from pyspark.sql import functions as F

    return documents.withColumn("document", F.col("document").alias("", metadata={"annotatorType": "word_embeddings"}))


def test_rows_on_which_a_stage_fails_are_counted(spark: SparkSession, model: Model) -> None:
    from pyspark.sql import functions as F

    texts = spark.createDataFrame([["I love NLP"], ["bad"], ["hello"]], "text string").coalesce(1)
    documents = DocumentAssembler().transform(texts)
    broken = F.transform("document", lambda one: one.withField("result", F.nullif(one["result"], F.lit("bad"))))
    frame = documents.withColumn("document", broken.alias("", metadata={"annotatorType": "document"}))
    stages = [
        Tokenizer().setInputCols("document"),
        BertSentenceEmbeddings.of(model).setInputCols("document"),
    ]
    for stage in stages:
        assert stage.badRows() == 0
        frame = stage.transform(frame)
    rows = frame.selectExpr("size(token)", "size(sentence_embeddings)").collect()
    assert [tuple(row) for row in rows] == [(3, 1), (0, 0), (1, 1)]
    assert [stage.badRows() for stage in stages] == [1, 1]
