"""How the models of a pipeline read, at every call."""

from __future__ import annotations

from dataclasses import dataclass

from wellread.annotators.limits import MAX_LENGTH
from wellread.annotators.words import TokenMode
from wellread.nlu.levels import Embedder
from wellread.runtime.model import Model

AS_SPARK_NLP: TokenMode = "sparknlp"


@dataclass(frozen=True, slots=True)
class Options:
    """``load`` says what mode and length mean, ``predict`` the size; it travels with a pipeline and to workers."""

    mode: TokenMode = AS_SPARK_NLP
    max_length: int = MAX_LENGTH
    batch_size: int | None = None

    def embedder(self, model: Model) -> Embedder:
        """A model that reads so. Raises BadInput for options that cannot be."""
        return Embedder.of(model, self.mode, self.max_length, self.batch_size)

    def most(self, model: Model) -> int:
        """The pieces that are read of a sentence, special ones included."""
        return min(self.max_length, model.manifest.max_length)
