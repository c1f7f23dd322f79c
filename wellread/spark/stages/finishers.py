"""Finisher and EmbeddingsFinisher: columns of annotations become columns of plain strings and vectors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pyspark.ml import Transformer
from pyspark.ml.functions import array_to_vector
from pyspark.ml.param import TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wellread.errors import BadInput
from wellread.spark.columns.annotation_columns import check_output, check_present, field, kind_of
from wellread.spark.stages.params import HasInputCols, parameter


class _Finishing(Transformer, HasInputCols, DefaultParamsReadable[Any], DefaultParamsWritable):
    """``inputCols`` to ``outputCols``, by default ``finished_`` and their names; then ``cleanAnnotations``."""

    finishes: ClassVar[tuple[str, ...]]
    outputCols = parameter("outputCols", "the columns to add, one an input column", TypeConverters.toListString)
    cleanAnnotations = parameter("cleanAnnotations", "whether annotations are dropped", TypeConverters.toBoolean)

    def __init__(self, **defaults: Any) -> None:
        super().__init__()
        self._setDefault(cleanAnnotations=True, **defaults)

    def getOutputCols(self) -> list[str]:
        if self.isDefined("outputCols"):
            return list(self.getOrDefault("outputCols"))
        return [f"finished_{name}" for name in self.getInputCols() or ()]

    @abstractmethod
    def finished(self, column: Column, output: str) -> Mapping[str, Column]:
        """The columns that become of one of annotations, by their names."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        if not self.isDefined("inputCols"):
            raise BadInput(f"{type(self).__name__} has no columns to finish: name them by setInputCols")
        names, outputs = self.getOrDefault("inputCols"), self.getOutputCols()
        if len(names) != len(outputs):
            raise BadInput(f"{len(names)} inputCols and {len(outputs)} outputCols: give one for each")
        for name in names:
            self._check(dataset, name)
        made = self._made(dataset, names, outputs)
        found = dataset.withColumns(made)
        ours = [name for name in dataset.columns if kind_of(dataset, name) and name not in made]
        return found.drop(*ours) if self.getOrDefault("cleanAnnotations") else found

    def _made(self, dataset: DataFrame, names: Sequence[str], outputs: Sequence[str]) -> dict[str, Column]:
        """All columns that are added, by their names. Raises BadInput where Spark would take one for another."""
        pairs = [
            pair
            for name, output in zip(names, outputs, strict=True)
            for pair in self.finished(field(name), output).items()
        ]
        for name, _ in pairs:
            check_output(dataset, name, type(self).__name__)
        added = [name.lower() for name, _ in pairs]
        if twice := sorted({name for name in added if added.count(name) > 1}):
            raise BadInput(f"{type(self).__name__} adds {', '.join(map(repr, twice))} twice: give each another name")
        return dict(pairs)

    def _check(self, dataset: DataFrame, name: str) -> None:
        stage = type(self).__name__
        check_present(dataset, name, stage)
        if kind_of(dataset, name) not in self.finishes:
            raise BadInput(f"{stage} finishes {' and '.join(self.finishes)} annotations, and {name!r} holds others")


class EmbeddingsFinisher(_Finishing):
    """Vectors as ``array<array<float>>``, or with ``outputAsVector`` as an array of pyspark.ml's vectors."""

    finishes = ("word_embeddings", "sentence_embeddings")
    outputAsVector = parameter("outputAsVector", "whether pyspark.ml's vectors are given", TypeConverters.toBoolean)

    def __init__(self) -> None:
        super().__init__(outputAsVector=False)

    def finished(self, column: Column, output: str) -> Mapping[str, Column]:
        vectors = column["embeddings"]
        return {output: F.transform(vectors, array_to_vector) if self.getOutputAsVector() else vectors}


class Finisher(_Finishing):
    """Results as an array of strings, or with ``outputAsArray`` off as one string, joined by ``annotationSplitSymbol``.

    ``includeMetadata`` adds the annotations' metadata as ``<output>_metadata``, an array of maps.
    """

    finishes = ("document", "token", "chunk", "word_embeddings", "sentence_embeddings")
    outputAsArray = parameter("outputAsArray", "an array, or one string", TypeConverters.toBoolean)
    annotationSplitSymbol = parameter("annotationSplitSymbol", "what joins the results", TypeConverters.toString)
    includeMetadata = parameter("includeMetadata", "whether metadata is added", TypeConverters.toBoolean)

    def __init__(self) -> None:
        super().__init__(outputAsArray=True, annotationSplitSymbol="@", includeMetadata=False)

    def finished(self, column: Column, output: str) -> Mapping[str, Column]:
        results = column["result"]
        text = results if self.getOutputAsArray() else F.concat_ws(self.getAnnotationSplitSymbol(), results)
        more = {f"{output}_metadata": column["metadata"]} if self.getIncludeMetadata() else {}
        return {output: text} | more
