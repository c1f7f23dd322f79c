"""ChunkEmbeddings: a vector for every chunk, out of those of the tokens in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pyspark.ml.param import TypeConverters
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.types import ArrayType, DataType, FloatType

from wellread.spark.columns.annotate import Annotate
from wellread.spark.columns.annotation_columns import field
from wellread.spark.columns.annotation_rows import FIELDS, fields
from wellread.spark.columns.chunk_rows import ChunkRows, Vectors
from wellread.spark.stages.params import one_of, parameter
from wellread.spark.stages.stage import Annotator


def _pooling(value: Any) -> str:
    return one_of(("average", "sum"))(value).upper()


class ChunkEmbeddings(Annotator[Vectors]):
    """Chunks and the vectors of tokens to the chunks' vectors: the mean (AVERAGE) or the sum (SUM) of their tokens'."""

    needs = ("chunk", "word_embeddings")
    gives = "word_embeddings"
    poolingStrategy = parameter("poolingStrategy", "AVERAGE or SUM", _pooling)
    skipOOV = parameter("skipOOV", "without effect: no word is out of the vocabulary", TypeConverters.toBoolean)
    storageRef = parameter("storageRef", "what the vectors are called; unset: as the words'", TypeConverters.toString)

    def __init__(self) -> None:
        super().__init__(
            inputCols=["chunk", "embeddings"], outputCol="chunk_embeddings", poolingStrategy="AVERAGE", skipOOV=True
        )

    def facts(self, dataset: DataFrame) -> Mapping[str, Any]:
        words = dataset.schema[self.inputs(dataset)["word_embeddings"]].metadata
        told = {name: words[name] for name in ("dimension", "ref") if name in words}
        return told | ({"ref": self.getStorageRef()} if self.isSet("storageRef") else {})

    def reads(self, columns: Mapping[str, str]) -> tuple[Sequence[Column], Sequence[DataType]]:
        words = columns["word_embeddings"]
        inputs = [*fields(columns["chunk"]), *fields(words), field(words)["embeddings"]]
        return inputs, [*FIELDS, *FIELDS, ArrayType(ArrayType(FloatType()))]

    def opened(self, session: SparkSession) -> Callable[[], Annotate[Vectors]]:
        return partial(ChunkRows, self.getPoolingStrategy())
