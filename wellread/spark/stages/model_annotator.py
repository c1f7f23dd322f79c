"""Stages that run a model: what BertEmbeddings and BertSentenceEmbeddings have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pyspark.ml.param import TypeConverters
from pyspark.sql import DataFrame

from wellread.annotators.limits import MAX_LENGTH, allowed_length
from wellread.errors import BadInput
from wellread.runtime.model import Model
from wellread.spark.columns.annotate import Result
from wellread.spark.stages.params import at_least, parameter, set_of
from wellread.spark.stages.pinned_model import PinnedModel
from wellread.spark.stages.stage import Annotator

M = TypeVar("M", bound="ModelAnnotator[Any]")


def _bytes(value: Any) -> list[int]:
    return TypeConverters.toListInt(list(value) if isinstance(value, bytes) else value)


class ModelAnnotator(PinnedModel, Annotator[Result]):
    """A stage with a model, whose vectors it gives."""

    batchSize = parameter("batchSize", "most sentences run at once; unset: as many as is fast", at_least(1))
    maxSentenceLength = parameter("maxSentenceLength", "most pieces of a sentence that are read", at_least(3))
    caseSensitive = parameter("caseSensitive", "whether case counts; by default the model's", TypeConverters.toBoolean)
    configProtoBytes = parameter("configProtoBytes", "without effect: TensorFlow's, which does not run here", _bytes)

    def getEngine(self) -> str:
        """What runs the model, by Spark NLP's name for it."""
        return "onnx"

    def setMaxSentenceLength(self: M, value: int) -> M:
        """Read at most ``value`` pieces of a sentence, [CLS] and [SEP] among them. Raises BadInput."""
        if self.isDefined("dimension") and isinstance(value, int):
            most = self.getModel().manifest.max_length
            if value > most:
                raise BadInput(f"maxSentenceLength={value}: {self.getName()} takes at most {most} pieces")
        return set_of(self, maxSentenceLength=value)

    def facts(self, dataset: DataFrame) -> Mapping[str, Any]:
        return {"dimension": self.getModel().dimension, "ref": self.getStorageRef()}

    def settings(self) -> dict[str, Any]:
        """How the model is used, as the annotators call it. Raises BadInput for what the model cannot."""
        model = self.getModel()
        return {
            "case_sensitive": self.getCaseSensitive(),
            "max_length": allowed_length(model, self.getMaxSentenceLength()),
            "batch_size": self.getBatchSize(),
        }

    def _pin(self: M, model: Model) -> M:
        most, cased = model.manifest.max_length, model.manifest.architecture.cased
        self._setDefault(maxSentenceLength=min(MAX_LENGTH, most), caseSensitive=cased)
        return super()._pin(model)
