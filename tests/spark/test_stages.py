"""Stages as Spark NLP's: setters, getters, defaults and what they refuse. No job runs here."""

from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wellread.annotators.documents import document
from wellread.errors import BadInput, NotFound
from wellread.runtime.model import Model

pytest.importorskip("pyspark", reason="pyspark is not installed")

from wellread.spark import (
    BertEmbeddings,
    BertSentenceEmbeddings,
    ChunkEmbeddings,
    DocumentAssembler,
    EmbeddingsFinisher,
    Finisher,
    SentenceDetector,
    Tokenizer,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

STAGES = (
    BertEmbeddings,
    BertSentenceEmbeddings,
    ChunkEmbeddings,
    DocumentAssembler,
    EmbeddingsFinisher,
    Finisher,
    SentenceDetector,
    Tokenizer,
)


@pytest.fixture
def texts(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([["I love NLP"]], "text string")


@pytest.mark.parametrize("kind", STAGES)
def test_every_parameter_has_a_setter_and_a_getter(spark: SparkSession, kind: Any) -> None:
    stage = kind()
    for param in stage.params:
        name = param.name[0].upper() + param.name[1:]
        assert getattr(kind, f"set{name}").__doc__
        found = getattr(stage, f"get{name}")()
        if param.name != "outputCols":  # which follow from the inputCols
            assert found == (stage.getOrDefault(param) if stage.isDefined(param) else None)
    assert stage.explainParams()


def test_setters_chain_and_take_lists_or_names(spark: SparkSession) -> None:
    stage = Tokenizer().setInputCols("a").setOutputCol("b").setExceptions(["New York"]).addException("e.g.")
    assert (stage.getInputCols(), stage.getOutputCol(), stage.getExceptions()) == (["a"], "b", ["New York", "e.g."])
    assert Tokenizer().setInputCols(["a"]).getInputCols() == ["a"]
    assert stage.getMaxLength() is None
    assert stage.copy().setOutputCol("c").getOutputCol() == "c" != stage.getOutputCol()


def test_abbreviations_count_unless_they_shall_not(spark: SparkSession) -> None:
    for counts, parts in ((True, 1), (False, 2)):
        rule = SentenceDetector().setUseAbbreviations(counts).rule()
        assert len(rule(document("I saw Dr. Smith."))) == parts


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: DocumentAssembler().setCleanupMode("shrnk"), "Did you mean 'shrink'"),
        (lambda: Tokenizer().setMinLength("long"), "minLength"),
        (lambda: SentenceDetector().setUseAbbreviations("no"), "useAbbreviations"),
        (lambda: BertEmbeddings().setTokenMode("hugging face"), "sparknlp, aligned"),
        (lambda: ChunkEmbeddings().setPoolingStrategy("MAX"), "average, sum"),
        (lambda: BertEmbeddings().setBatchSize(0), "batchSize.*from 1 to"),
        (lambda: BertEmbeddings().setMaxSentenceLength(2), "maxSentenceLength"),
        (lambda: Tokenizer().setExceptionsPath("/nonexist"), "/nonexist"),
        (lambda: BertEmbeddings().getModel(), r"BertEmbeddings\.pretrained\("),
    ],
)
def test_what_cannot_be_is_refused(spark: SparkSession, call: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        call()


@pytest.mark.parametrize("kind", STAGES)
def test_no_setter_takes_what_is_of_another_kind(spark: SparkSession, kind: Any) -> None:
    stage = kind()
    for param in stage.params:
        for value in (None, 2.5, object()):
            with pytest.raises(BadInput):
                getattr(stage, f"set{param.name[0].upper()}{param.name[1:]}")(value)
    assert not stage._paramMap


def test_what_spark_nlp_sets_besides(spark: SparkSession, tmp_path: Path) -> None:
    stage = BertEmbeddings().setConfigProtoBytes(b"ab")
    assert (stage.getConfigProtoBytes(), stage.getEngine()) == ([97, 98], "onnx")
    (tmp_path / "words").write_text("New York\n\ne.g.\n", "utf-8")
    assert Tokenizer().setExceptionsPath(tmp_path / "words").getExceptions() == ["New York", "e.g."]


def test_a_model_pins_its_release_and_brings_its_settings(spark: SparkSession, hub: Path, model: Model) -> None:
    stage = BertEmbeddings.pretrained("small_bert_L8_512", "en", hub=hub)
    assert stage.getVersion() == str(model.manifest.artifact.release)
    assert (stage.getForm(), stage.getDimension(), stage.getStorageRef()) == ("onnx", 32, "small_bert_L8_512")
    assert stage.getCaseSensitive() is False
    assert stage.getMaxSentenceLength() == min(128, model.manifest.max_length)
    assert stage.setDimension(32).setStorageRef("mine").getStorageRef() == "mine"
    assert stage.setForm("onnx-int8").getModel().form == "onnx-int8"
    with pytest.raises(BadInput, match="32 components"):
        stage.setDimension(768)
    with pytest.raises(BadInput, match="at most"):
        stage.setMaxSentenceLength(4096)


def test_a_form_of_a_copy_is_pinned_too(spark: SparkSession, hub: Path) -> None:
    stage = BertEmbeddings.pretrained("small_bert_L8_512", "en", hub=hub)
    copied = stage.copy({stage.form: "auto"})
    assert copied.getModel() is copied.getModel()
    assert (copied.getForm(), stage.copy({stage.form: "onnx-int8"}).getModel().form) == ("onnx", "onnx-int8")


def test_a_hub_that_has_moved_is_told_to_the_stage(
    spark: SparkSession, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(hub, old)
    BertEmbeddings.pretrained("small_bert_L8_512", hub=old).save(str(tmp_path / "saved"))
    old.rename(new)
    monkeypatch.setenv("WELLREAD_HOME", str(tmp_path / "other"))
    loaded = BertEmbeddings.load(str(tmp_path / "saved"))
    with pytest.raises(NotFound, match=r"pinned to .* in .*old: .*setHub"):
        loaded.getModel()
    assert loaded.setHub(str(new)).getModel().dimension == 32


def test_spark_nlps_third_argument_is_a_folder_or_a_hub(spark: SparkSession, hub: Path) -> None:
    by_place = BertEmbeddings.pretrained("small_bert_L8_512", "en", str(hub))
    by_folder = BertEmbeddings.pretrained("small_bert_L8_512", "en", "public/models", hub=hub)
    assert by_place.getHub() == by_folder.getHub()
    with pytest.raises(NotFound):
        BertEmbeddings.pretrained("small_bert_L8_512", "en", "clinical/models", hub=hub)


def test_a_column_is_known_by_what_it_holds(texts: DataFrame, model: Model) -> None:
    words = BertEmbeddings.of(model).setInputCols("token", "document")
    document = DocumentAssembler().transform(texts)
    found = words.transform(Tokenizer().setInputCols("document").transform(document))
    assert document.schema["document"].metadata == {"annotatorType": "document"}
    facts = {"annotatorType": "word_embeddings", "dimension": 32, "ref": "small_bert_L8_512"}
    assert found.schema["embeddings"].metadata == facts
    assert {found.schema[name].dataType for name in found.columns[1:]} == {document.schema["document"].dataType}


def test_no_word_of_pandas_for_what_does_not_use_it(texts: DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        Tokenizer().setInputCols("document").transform(DocumentAssembler().transform(texts))


def test_a_missing_stage_is_named(texts: DataFrame, model: Model) -> None:
    document = DocumentAssembler().transform(texts)
    with pytest.raises(BadInput, match=r"'sentence'.*not there(.|\n)*DocumentAssembler or SentenceDetector give"):
        Tokenizer().transform(document)
    with pytest.raises(BadInput, match=r"token annotations.*\n.*Tokenizer"):
        BertEmbeddings.of(model).setInputCols("document", "text").transform(document)
    with pytest.raises(BadInput, match="'text' holds no annotations"):
        SentenceDetector().setInputCols("text").transform(texts)
    with pytest.raises(BadInput, match="bigint: cast it to string"):
        DocumentAssembler().setInputCol("id").transform(texts.sparkSession.range(1))
    with pytest.raises(BadInput, match="finishes word_embeddings"):
        EmbeddingsFinisher().setInputCols("document").transform(document)
    for finisher in (EmbeddingsFinisher(), Finisher()):
        assert finisher.getOutputCols() == []
        with pytest.raises(BadInput, match="by setInputCols"):
            finisher.transform(document)


def test_every_setter_that_the_guide_names_is_there() -> None:
    guide = Path(__file__).parents[2].joinpath("docs/spark.md").read_text("utf-8")
    table = re.findall(r"^\| (`[A-Z].*?) \| .* \| .* \| (.*) \|$", guide, re.MULTILINE)
    for stages, setters in table:
        of_these = [kind for kind in STAGES if f"`{kind.__name__}`" in stages]
        for setter in re.findall("`(.*?)`", setters):
            assert any(hasattr(kind, f"set{setter}") for kind in of_these), f"{stages} has no set{setter}"
    assert len(table) == 7


def test_a_filter_or_explode_does_not_compute_a_column_twice(
    texts: DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Tokenizer().setInputCols("document").transform(DocumentAssembler().transform(texts))
    found.selectExpr("explode(token) as one").filter("one.result = 'love'").explain()
    assert capsys.readouterr().out.count("ArrowEvalPython") == 1
