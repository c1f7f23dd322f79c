"""NLU's one-liner in a Spark worker: as it was asked, by the models that it was asked for. No job runs here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

import pyarrow as pa

import wellread
from tests.spark.conftest import NAME
from tests.spark.here import Counted, watch_sizes
from wellread.annotators.documents import document
from wellread.annotators.tokens import split_tokens
from wellread.annotators.words import WordEmbedder, sentences_of
from wellread.nlu import spark_table
from wellread.nlu.levels import find
from wellread.nlu.options import Options
from wellread.nlu.pipeline import Part, Pipeline
from wellread.runtime.model import Model

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TEXTS = ["I love NLP", None, "", "the fox " * 5, "don't run over New-York", "x"]
LONG = "don't run, the quick fox jumps over New-York"

AtWork = Callable[..., list[list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def small(hub: Path, model: Model) -> Model:
    """The same model in another form, so that the vectors tell which one computed them."""
    return wellread.pretrained(NAME, hub=hub, form="onnx-int8")


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch) -> Counted:
    bad = Counted()
    monkeypatch.setattr(spark_table, "BadRows", lambda *_: bad)
    return bad


@pytest.fixture
def at_work(spark: SparkSession, model: Model, small: Model, bad: Counted, monkeypatch: pytest.MonkeyPatch) -> AtWork:
    """``at_work(pipeline, texts, "token")`` → the rows of each text that ``predict`` has a worker compute."""
    from pyspark.sql import functions as F

    asked: list[Any] = []

    def computed(work: Any, inputs: Any, kinds: Any, result: Any) -> Any:
        asked.append(work)
        return F.array().cast(result)

    models = {one.form: one for one in (model, small)}
    monkeypatch.setattr(spark_table, "computed", computed)
    monkeypatch.setattr(spark_table, "model_in_worker", lambda shipped: models[shipped.form])
    frame = spark.createDataFrame([["not of these"]], "text string")

    def rows(pipeline: Pipeline, texts: Sequence[str | None], *level: str, **how: Any) -> list[list[dict[str, Any]]]:
        pipeline.predict(frame, *level, **how)
        found = asked.pop()(iter([[pa.array(texts, pa.string())]]))
        return [row for part in found for row in part.to_pylist()]

    return rows


@pytest.mark.parametrize("options", [Options("aligned"), Options(max_length=6)])
def test_models_read_as_they_were_loaded_to(model: Model, at_work: AtWork, options: Options) -> None:
    found, plain = (at_work(Pipeline([Part("en.tiny", model)], how), [LONG], "token") for how in (options, Options()))
    reader = WordEmbedder(model, mode=options.mode, max_length=options.max_length)
    local = reader([sentences_of(document(LONG), split_tokens(document(LONG)))])[0]
    ((row,), (usual,)) = found, plain
    vectors = [one["en_tiny_embeddings"] for one in row]
    assert vectors != [one["en_tiny_embeddings"] for one in usual]
    there = [vector for vector in vectors if vector is not None]
    np.testing.assert_allclose(there, [one.embeddings for one in local], atol=2e-6)


def test_no_more_sentences_run_at_once_than_are_asked_for(
    model: Model, at_work: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = watch_sizes(monkeypatch)
    at_work(Pipeline([Part("en.tiny", model)]), ["I love NLP"] * 5, "token", batch_size=2)
    assert sorted(sizes) == [1, 2, 2]


def test_each_column_is_of_its_own_model(model: Model, small: Model, at_work: AtWork) -> None:
    pipeline = Pipeline([Part("en.tiny", model), Part("en.small", small)])
    ((row,),) = at_work(pipeline, [LONG], "document")
    for name, one, other in (("en_tiny_embeddings", model, small), ("en_small_embeddings", small, model)):
        np.testing.assert_allclose(row[name], one.encode(LONG), atol=2e-6)
        assert not np.allclose(row[name], other.encode(LONG), atol=1e-4)


@pytest.mark.parametrize("most", [1, 12, 40])
def test_texts_that_are_cut_into_parts_have_their_rows_once(
    model: Model, at_work: AtWork, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline([Part("en.tiny", model)])
    whole = at_work(pipeline, TEXTS, "token", positions=True)
    monkeypatch.setattr(spark_table, "_CHARACTERS", most)
    cut = at_work(pipeline, TEXTS, "token", positions=True)
    assert [len(row) for row in cut] == [3, 0, 0, 10, 4, 1]
    for row, other in zip(cut, whole, strict=True):
        for one, same in zip(row, other, strict=True):
            np.testing.assert_allclose(one.pop("en_tiny_embeddings"), same.pop("en_tiny_embeddings"), atol=2e-6)
        assert row == other


def test_a_text_on_which_a_model_fails_costs_no_other_its_rows(
    model: Model, at_work: AtWork, bad: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(level: Any, texts: Any, *more: Any) -> Any:
        if "bad" in texts:
            raise ValueError("cannot read it")
        return find(level, texts, *more)

    monkeypatch.setattr(spark_table, "find", fails)
    rows = at_work(Pipeline([Part("en.tiny", model)]), ["a fox", "bad", None, "dog"], "token")
    assert [len(row) for row in rows] == [2, 0, 0, 1]
    assert bad.said == ["ValueError: cannot read it"]
