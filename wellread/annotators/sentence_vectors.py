"""The vectors of sentences, as Spark NLP's BertSentenceEmbeddings gives them: one for each sentence.

How a sentence's pieces become its vector is the manifest's ``pooling``, as in ``Model.encode``: where case is the
model's own and the sentence is within the limit, the two are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellread.annotators.annotation import Annotation
from wellread.annotators.limits import MAX_LENGTH, allowed_batch, allowed_length
from wellread.annotators.pieces import pieces_of
from wellread.runtime.model import Model

Array = NDArray[np.float32]


class SentenceEmbedder:
    """Gives sentences the vectors of ``model``. Any number of threads may share it, and it pickles with the model.

    ``case_sensitive`` None is the model's own way. Of a sentence the first ``max_length`` pieces are read, ``[CLS]``
    and ``[SEP]`` included. ``batch_size`` bounds the sentences that run together. Raises BadInput.
    """

    def __init__(
        self,
        model: Model,
        *,
        case_sensitive: bool | None = None,
        max_length: int = MAX_LENGTH,
        batch_size: int | None = None,
    ) -> None:
        self.model = model
        self.case_sensitive = model.manifest.architecture.cased if case_sensitive is None else case_sensitive
        self.max_length = allowed_length(model, max_length)
        self.batch_size = allowed_batch(batch_size)
        self._pieces = pieces_of(model, self.case_sensitive)

    @property
    def dimension(self) -> int:
        """The length of every vector."""
        return self.model.dimension

    def embed(self, texts: Sequence[str]) -> Array:
        """(texts, hidden) float32. All run together, so give many at once; an empty text has a vector too."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[Array, int]:
        """What ``embed`` gives, and how many of the texts were cut off."""
        encoder = self.model.encoder(self._pieces, self.max_length, self.batch_size)
        return encoder.sentences(texts), len(encoder.shortened)

    def annotations(self, sentences: Sequence[Annotation], vectors: Array) -> list[Annotation]:
        """What ``embed`` found of these sentences as annotations."""
        return [
            Annotation("sentence_embeddings", one.begin, one.end, one.result, _metadata(number, one), vector)
            for number, (one, vector) in enumerate(zip(sentences, vectors, strict=True))
        ]

    def __call__(self, rows: Sequence[Sequence[Annotation]]) -> list[list[Annotation]]:
        """The annotations of rows of sentences, a list a row."""
        vectors = self.embed([sentence.result for row in rows for sentence in row])
        ends = np.cumsum([len(row) for row in rows], dtype=np.int64).tolist()
        return [self.annotations(row, vectors[end - len(row) : end]) for row, end in zip(rows, ends, strict=True)]

    def __reduce__(self) -> tuple[Any, ...]:
        return _embedder, (self.model, self.case_sensitive, self.max_length, self.batch_size)


def _metadata(number: int, sentence: Annotation) -> dict[str, str]:
    own = {"sentence": str(number)} | dict(sentence.metadata)
    return own | {"token": sentence.result, "pieceId": "-1", "isWordStart": "true"}


def _embedder(model: Model, case_sensitive: bool, max_length: int, batch_size: int | None) -> SentenceEmbedder:
    return SentenceEmbedder(model, case_sensitive=case_sensitive, max_length=max_length, batch_size=batch_size)
