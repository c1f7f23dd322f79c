"""Stages that run a model: what BertEmbeddings and BertSentenceEmbeddings have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pyspark.ml.param import TypeConverters

from wellread.annotators.limits import MAX_LENGTH, allowed_batch
from wellread.errors import BadInput
from wellread.runtime.model import Model
from wellread.spark.columns.annotate import Result
from wellread.spark.stages.params import parameter, set_of
from wellread.spark.stages.pinned_model import PinnedModel
from wellread.spark.stages.stage import Annotator

M = TypeVar("M", bound="ModelAnnotator[Any]")


class ModelAnnotator(Annotator[Result], PinnedModel):
    """A stage with a model, whose vectors it gives."""

    batchSize = parameter("batchSize", "most sentences run at once; unset: as many as is fast", TypeConverters.toInt)
    maxSentenceLength = parameter("maxSentenceLength", "most pieces of a sentence that are read", TypeConverters.toInt)
    caseSensitive = parameter("caseSensitive", "whether case counts; by default the model's", TypeConverters.toBoolean)

    def setMaxSentenceLength(self: M, value: int) -> M:
        """Read at most ``value`` pieces of a sentence, [CLS] and [SEP] among them. Raises BadInput."""
        if self.isDefined("dimension") and value > (most := self.getModel().manifest.max_length):
            raise BadInput(f"maxSentenceLength={value!r}: {self.getName()} takes at most {most} pieces")
        if value < 3:
            raise BadInput(f"maxSentenceLength={value!r}: at least 3, for [CLS], a piece and [SEP]")
        return set_of(self, maxSentenceLength=value)

    def setBatchSize(self: M, value: int) -> M:
        """Run at most ``value`` sentences at once. Raises BadInput."""
        return set_of(self, batchSize=allowed_batch(value))

    def facts(self) -> Mapping[str, Any]:
        return {"dimension": self.getDimension(), "ref": self.getStorageRef()}

    def settings(self) -> dict[str, Any]:
        """How the model is used, as the annotators call it."""
        return {
            "case_sensitive": self.getCaseSensitive(),
            "max_length": self.getMaxSentenceLength(),
            "batch_size": self.getBatchSize(),
        }

    def _pin(self: M, model: Model) -> M:
        most, cased = model.manifest.max_length, model.manifest.architecture.cased
        self._setDefault(maxSentenceLength=min(MAX_LENGTH, most), caseSensitive=cased)
        return super()._pin(model)
