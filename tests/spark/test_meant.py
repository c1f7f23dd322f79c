"""Setters that say which model is meant: that one runs from the next use on, or they are refused. No job runs here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import wellread
from tests.fixtures.running import running_hub, running_sample
from tests.spark.conftest import NAME
from wellread.errors import BadInput, MissingExtra, NotFound, WellreadError
from wellread.registry.hub.publish import publish

pytest.importorskip("pyspark", reason="pyspark is not installed")

from wellread.spark import BertEmbeddings, DocumentAssembler, Tokenizer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OTHER = "small_bert_L4_512"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with two models whose releases are called the same."""
    root = tmp_path_factory.mktemp("two")
    sample = running_sample(root / "other", seed=1, name=OTHER)
    running_hub(root, name=NAME)
    publish(sample.zip, sample.proof, root / "hub")
    return root / "hub"


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One cache for all of them."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WELLREAD_HOME", str(tmp_path_factory.mktemp("two-home")))
        yield


@pytest.fixture
def stage(spark: SparkSession, hub: Path) -> BertEmbeddings:
    stage = BertEmbeddings.pretrained(NAME, hub=hub)
    stage.setInputCols("document", "token")
    return stage


def test_another_name_runs_another_model_before_saving_and_after(
    spark: SparkSession, stage: BertEmbeddings, tmp_path: Path
) -> None:
    stage.setName(OTHER)
    assert stage.shipped(spark).name == OTHER
    tokens = (
        Tokenizer()
        .setInputCols("document")
        .transform(DocumentAssembler().transform(spark.createDataFrame([["I love NLP"]], "text string")))
    )
    assert stage.transform(tokens).schema["embeddings"].metadata["ref"] == OTHER
    stage.save(str(tmp_path / "saved"))
    assert BertEmbeddings.load(str(tmp_path / "saved")).shipped(spark) == stage.shipped(spark)


def test_what_is_meant_is_pinned_before_it_is_saved(
    spark: SparkSession, stage: BertEmbeddings, hub: Path, tmp_path: Path
) -> None:
    release = stage.getVersion()
    for number, again in enumerate((stage, BertEmbeddings().setName(NAME).setHub(hub))):
        again.setVersion(">=1").setForm("auto").save(str(tmp_path / str(number)))
        loaded = BertEmbeddings.load(str(tmp_path / str(number)))
        assert (loaded.getVersion(), loaded.getForm(), loaded.getHub()) == (release, "onnx", str(hub))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda stage: stage.setDevice("gpu"), "device='gpu'"),
        (lambda stage: stage.setForm("../onnx"), "is not a form's name"),
        (lambda stage: stage.setName("a/b"), "a model name"),
        (lambda stage: stage.setLang("English!"), "language code"),
        (lambda stage: stage.setVersion("9").getModel(), "no release '9'(.|\n)*pinned to 9"),
        (lambda stage: stage.setHub("/nonexist").getModel(), r"/nonexist(.|\n)*setHub"),
        (lambda stage: stage.setFolder("clinical/models").getModel(), "not in folder"),
        (lambda stage: stage.setPath("/nonexist.zip").getModel(), "/nonexist.zip"),
        (lambda stage: stage.setVersion("9").save("/nonexist"), "no release '9'"),
    ],
)
def test_what_cannot_be_had_is_refused(stage: BertEmbeddings, call: Any, told: str) -> None:
    with pytest.raises((BadInput, NotFound), match=told):
        call(stage)


def test_a_card_that_is_not_there_is_refused_and_not_replaced_by_the_processor(
    stage: BertEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellread.runtime.device.CUDA", "NoSuchProvider")
    with pytest.raises(MissingExtra, match="cuda"):
        stage.setDevice("cuda").getModel()
    assert stage.setDevice("cpu").getModel().info()["device"] == "cpu"


def test_a_form_that_is_missing_is_no_hub_that_has_moved(stage: BertEmbeddings) -> None:
    with pytest.raises(NotFound, match="has no form 'onyx'") as caught:
        stage.setForm("onyx").getModel()
    assert "setHub" not in str(caught.value)


def test_an_artifact_is_the_model_that_it_holds(spark: SparkSession, hub: Path) -> None:
    file = next(hub.glob(f"**/{NAME}*.zip"))
    stage = BertEmbeddings.of(wellread.open(file))
    for call in (stage.copy().setName, stage.copy().setHub):
        with pytest.raises(BadInput, match="means another model"):
            call(OTHER).getModel()
    other = next(hub.glob(f"**/{OTHER}*.zip"))
    assert BertEmbeddings().setPath(other).getModel().name == OTHER
    with pytest.raises(WellreadError, match="means another model"):
        BertEmbeddings.pretrained(NAME, hub=hub).setPath(other).getModel()
