"""In a worker: the vectors of a row's sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from wellread.annotators.annotation import Annotation
from wellread.annotators.sentence_vectors import SentenceEmbedder
from wellread.spark.cluster.shipping import Shipped
from wellread.spark.cluster.worker import model_in_worker
from wellread.spark.columns.annotate import Annotate
from wellread.spark.columns.annotation_arrays import of_annotations
from wellread.spark.columns.annotation_rows import rows_of
from wellread.spark.columns.arrow_columns import Batch, by_weight

Vectors = list[Annotation]
SENTENCES = 8192
"""Sentences whose vectors are held at once."""


def sentence_rows(shipped: Shipped, settings: Mapping[str, Any]) -> Annotate[Vectors]:
    """What embeds sentences with a shipped model; ``settings`` are those of ``SentenceEmbedder``."""
    return _Sentences(SentenceEmbedder(model_in_worker(shipped), **settings))


@dataclass(frozen=True)
class _Sentences(Annotate[Vectors]):
    embedder: SentenceEmbedder

    def rows(self, batch: Batch) -> Sequence[Vectors]:
        return self.embedder(rows_of("document", batch))

    def array(self, results: Sequence[Vectors]) -> pa.Array:
        return of_annotations(results)

    def empty(self) -> Vectors:
        return []

    def parts(self, batch: Batch) -> Iterable[range]:
        return by_weight(batch[0], SENTENCES)
