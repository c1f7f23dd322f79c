"""DocumentAssembler: a column of texts becomes one of documents, where every pipeline begins.

Spark computes it by itself: no text goes through Python, unless ``cleanupMode`` asks for a text to be cleaned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import get_args

import pyarrow as pa
from pyspark.ml.param import TypeConverters
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType

from wellread.annotators.documents import CleanupMode, clean
from wellread.errors import BadInput
from wellread.spark.cluster.session import prepare
from wellread.spark.columns.annotation_columns import ANNOTATIONS, check_present, field
from wellread.spark.columns.arrow_columns import Batch, computed
from wellread.spark.stages.params import one_of, parameter
from wellread.spark.stages.stage import Stage

NAME = "DocumentAssembler"
MODES = get_args(CleanupMode)
TEXTS = ArrayType(StringType())


class DocumentAssembler(Stage):
    """Texts (``inputCol``, strings or arrays of them) to documents; a null gives none.

    ``idCol`` and ``metadataCol`` name columns, a map of strings the latter, that go into the documents' metadata.
    """

    gives = "document"
    inputCol = parameter("inputCol", "the column of texts", TypeConverters.toString)
    idCol = parameter("idCol", "a column that tells rows apart", TypeConverters.toString)
    metadataCol = parameter("metadataCol", "a column of map<string, string>", TypeConverters.toString)
    cleanupMode = parameter("cleanupMode", f"how texts are cleaned: {', '.join(MODES)}", one_of(MODES))

    def __init__(self) -> None:
        super().__init__(inputCol="text", outputCol="document", cleanupMode="disabled")

    def column(self, dataset: DataFrame) -> Column:
        texts = self._cleaned(self._texts(dataset), dataset)
        more = self._metadata(dataset)
        documents = F.transform(texts, lambda text, number: _document(text, number, more))
        return F.filter(documents, lambda one: one["result"].isNotNull()).cast(ANNOTATIONS)

    def _texts(self, dataset: DataFrame) -> Column:
        """The texts of a row: one, or as many as an array holds."""
        name = str(self.getOrDefault("inputCol"))
        check_present(dataset, name, NAME)
        kind = dataset.schema[name].dataType
        if isinstance(kind, StringType):
            return F.array(field(name).cast("string"))  # one that was of another collation
        if isinstance(kind, ArrayType) and isinstance(kind.elementType, StringType):
            return F.coalesce(field(name).cast(TEXTS), F.array().cast(TEXTS))
        raise BadInput(f"{NAME} reads texts, and the column {name!r} holds {kind.simpleString()}: cast it to string")

    def _cleaned(self, texts: Column, dataset: DataFrame) -> Column:
        mode = self.getOrDefault("cleanupMode")
        if mode == "disabled":
            return texts
        prepare(dataset.sparkSession)
        return computed(lambda batches: _cleaned_batches(batches, mode), [texts], [TEXTS], TEXTS)

    def _metadata(self, dataset: DataFrame) -> list[Column]:
        """Maps that come before the sentence's number in a document's metadata."""
        return [made(self._named(param, dataset)) for param, made in _EXTRAS.items() if self.isDefined(param)]

    def _named(self, param: str, dataset: DataFrame) -> Column:
        name = str(self.getOrDefault(param))
        check_present(dataset, name, NAME)
        return field(name)


def _own(metadata: Column) -> Column:
    """A map without the keys that are ours."""
    return F.map_filter(F.coalesce(metadata, F.create_map()), lambda key, _: ~key.isin("id", "sentence"))


def _id(column: Column) -> Column:
    return F.create_map(F.lit("id"), column.cast("string"))


_EXTRAS: Mapping[str, Callable[[Column], Column]] = {"metadataCol": _own, "idCol": _id}


def _document(text: Column, number: Column, more: list[Column]) -> Column:
    named: dict[str, Column] = {
        "annotatorType": F.lit("document"),
        "begin": F.lit(0),
        "end": F.coalesce(F.length(text), F.lit(0)) - 1,
        "result": text,
        "metadata": F.map_concat(*more, F.create_map(F.lit("sentence"), number.cast("string"))),
        "embeddings": F.array_repeat(F.lit(0.0).cast("float"), 0),
    }
    return F.struct(*(column.alias(name) for name, column in named.items()))


def _cleaned_batches(batches: Iterator[Batch], mode: CleanupMode) -> Iterator[pa.Array]:
    kind = pa.list_(pa.string())
    for (texts,) in batches:
        yield pa.array([[text and clean(text, mode) for text in row] for row in texts.to_pylist()], kind)
