"""In a worker: the vectors of a row's tokens, kept as arrays all the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from wellread.annotators.reading import Sentence
from wellread.annotators.words import Kept, WordEmbedder, sentences_of
from wellread.spark.cluster.shipping import Shipped
from wellread.spark.cluster.worker import model_in_worker
from wellread.spark.columns.annotate import Annotate
from wellread.spark.columns.annotation_arrays import of_vectors
from wellread.spark.columns.annotation_rows import rows_of
from wellread.spark.columns.arrow_columns import Batch, by_weight

WORDS = 8192
"""Tokens whose vectors are held at once: 25 MB of 768 components each."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A row's sentences with the numbers that they have in the row, and what is kept of their tokens."""

    sentences: Sequence[Sentence] = ()
    numbers: Sequence[str] = ()
    kept: Sequence[Kept] = ()


def word_rows(shipped: Shipped, settings: Mapping[str, Any]) -> Annotate[Embedded]:
    """What embeds words with a shipped model; ``settings`` are those of ``WordEmbedder``."""
    return _Words(WordEmbedder(model_in_worker(shipped), **settings))


@dataclass(frozen=True)
class _Words(Annotate[Embedded]):
    embedder: WordEmbedder

    def rows(self, batch: Batch) -> Sequence[Embedded]:
        sentences, tokens = rows_of("document", batch[:4]), rows_of("token", batch[4:])
        rows = [sentences_of(*row) for row in zip(sentences, tokens, strict=True)]
        kept = iter(self.embedder.embed(list(chain.from_iterable(rows))))
        return [
            Embedded(row, [one.metadata["sentence"] for one in own], [next(kept) for _ in row])
            for row, own in zip(rows, sentences, strict=True)
        ]

    def array(self, results: Sequence[Embedded]) -> pa.Array:
        kept = [one for result in results for one in result.kept]
        sentences = chain.from_iterable(result.sentences for result in results)
        numbers = chain.from_iterable(result.numbers for result in results)
        tokens = [own.tokens[at] for own, one in zip(sentences, kept, strict=True) for at in one.index.tolist()]
        words = pa.array([self.embedder.result(token.result) for token in tokens], pa.string())
        pieces = pa.array(np.concatenate([np.empty(0, np.int64), *(one.pieces for one in kept)]))
        metadata = {
            "sentence": pa.array(
                [number for number, one in zip(numbers, kept, strict=True) for _ in one.index], pa.string()
            ),
            "token": words,
            "pieceId": pieces.cast(pa.string()),
            "isWordStart": pa.repeat("true", len(words)),
            "isOOV": pa.repeat("false", len(words)),
        }
        return of_vectors(
            "word_embeddings",
            [sum(len(one.index) for one in result.kept) for result in results],
            [token.begin for token in tokens],
            [token.end for token in tokens],
            words,
            metadata,
            np.concatenate([np.empty((0, self.embedder.dimension), np.float32), *(one.vectors for one in kept)]),
        )

    def empty(self) -> Embedded:
        return Embedded()

    def parts(self, batch: Batch) -> Iterable[range]:
        return by_weight(batch[4], WORDS)
