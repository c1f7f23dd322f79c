"""The founding card's Python code as it is printed there, its import lines apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wellread.runtime.model import Model

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

IMPORTS = """\
import sparknlp
from sparknlp.base import *
from sparknlp.annotator import *
"""
CARD = """\
document_assembler = DocumentAssembler().setInputCol("text").setOutputCol("document")
sentence_detector = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")
tokenizer = Tokenizer().setInputCols(["sentence"]).setOutputCol("token")
embeddings = BertEmbeddings.pretrained("small_bert_L8_512", "en") \\
    .setInputCols("sentence", "token") \\
    .setOutputCol("embeddings")
nlp_pipeline = Pipeline(stages=[document_assembler, sentence_detector, tokenizer, embeddings])
pipeline_model = nlp_pipeline.fit(spark.createDataFrame([[""]]).toDF("text"))
result = pipeline_model.transform(spark.createDataFrame(pd.DataFrame({"text": ["I love NLP"]})))
"""
OURS = """\
import pandas as pd
from wellread.spark import *

spark = start()
"""


def test_the_cards_code_runs_with_its_import_lines_changed(
    spark: SparkSession, hub: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLREAD_HUB", str(hub))
    names: dict[str, Any] = {}
    exec(OURS + CARD, names)
    row = names["result"].selectExpr("embeddings.result", "embeddings.embeddings").first()
    expected = model.encode("I love NLP", output_level="token")
    assert row["result"] == ["i", "love", "nlp"] == [word.lower() for word in expected.words]
    np.testing.assert_allclose(np.array(row["embeddings"]), expected.vectors, atol=1e-6)


def test_every_name_that_the_card_uses_is_ours() -> None:
    import wellread.spark

    used = {"DocumentAssembler", "SentenceDetector", "Tokenizer", "BertEmbeddings", "Pipeline"}
    assert used <= set(wellread.spark.__all__) == set(dir(wellread.spark))
    with pytest.raises(AttributeError, match="no attribute 'BertEmbedding'"):
        wellread.spark.BertEmbedding  # noqa: B018
