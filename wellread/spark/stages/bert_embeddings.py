"""BertEmbeddings: a vector for every token, in the sentence that it stands in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pyspark.sql import Column, SparkSession
from pyspark.sql.types import DataType

from wellread.spark.columns.annotate import Annotate
from wellread.spark.columns.annotation_rows import FIELDS, fields
from wellread.spark.columns.word_rows import Embedded, word_rows
from wellread.spark.stages.model_annotator import ModelAnnotator
from wellread.spark.stages.params import one_of, parameter


class BertEmbeddings(ModelAnnotator[Embedded]):
    """Sentences (or documents) and tokens to the tokens' vectors.

    ``tokenMode`` "sparknlp" reads every token as Spark NLP's annotator does: its first part only, and no row for what
    is past the limit. "aligned" reads the sentence as it is written, all of it, and gives every token a vector.
    """

    needs = ("document", "token")
    gives = "word_embeddings"
    tokenMode = parameter("tokenMode", "how a token is read: sparknlp or aligned", one_of(("sparknlp", "aligned")))

    def __init__(self) -> None:
        super().__init__(inputCols=["sentence", "token"], outputCol="embeddings", tokenMode="sparknlp")

    def reads(self, columns: Mapping[str, str]) -> tuple[Sequence[Column], Sequence[DataType]]:
        return [*fields(columns["document"]), *fields(columns["token"])], [*FIELDS, *FIELDS]

    def opened(self, session: SparkSession) -> Callable[[], Annotate[Embedded]]:
        return partial(word_rows, self.shipped(session), self.settings() | {"mode": self.getTokenMode()})
