"""BertSentenceEmbeddings: a vector for every sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pyspark.sql import Column, SparkSession
from pyspark.sql.types import DataType

from wellread.spark.columns.annotate import Annotate
from wellread.spark.columns.annotation_rows import FIELDS, fields
from wellread.spark.columns.sentence_rows import Vectors, sentence_rows
from wellread.spark.stages.model_annotator import ModelAnnotator


class BertSentenceEmbeddings(ModelAnnotator[Vectors]):
    """Sentences, or whole documents, to a vector each, by the pooling that the model's manifest names."""

    DEFAULT_NAME = "sent_small_bert_L2_768"
    needs = ("document",)
    gives = "sentence_embeddings"

    def __init__(self) -> None:
        super().__init__(inputCols=["sentence"], outputCol="sentence_embeddings")

    def reads(self, columns: Mapping[str, str]) -> tuple[Sequence[Column], Sequence[DataType]]:
        return fields(columns["document"]), FIELDS

    def opened(self, session: SparkSession) -> Callable[[], Annotate[Vectors]]:
        return partial(sentence_rows, self.shipped(session), self.settings())
