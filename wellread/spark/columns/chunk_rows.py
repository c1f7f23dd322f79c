"""In a worker: the vectors of a row's chunks, out of those of its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from wellread.annotators.annotation import Annotation
from wellread.annotators.chunks import ChunkPooling, chunk_vectors
from wellread.spark.columns.annotate import Annotate
from wellread.spark.columns.annotation_arrays import of_annotations
from wellread.spark.columns.annotation_rows import rows_of, with_vectors
from wellread.spark.columns.arrow_columns import Batch

Vectors = list[Annotation]


@dataclass(frozen=True)
class ChunkRows(Annotate[Vectors]):
    """Batches of the fields of chunks, those of words, and the words' vectors."""

    pooling: ChunkPooling

    def rows(self, batch: Batch) -> Sequence[Vectors]:
        words = with_vectors(rows_of("word_embeddings", batch[4:8]), batch[8])
        chunks = rows_of("chunk", batch[:4])
        return [chunk_vectors(*row, self.pooling) for row in zip(chunks, words, strict=True)]

    def array(self, results: Sequence[Vectors]) -> pa.Array:
        return of_annotations(results)

    def empty(self) -> Vectors:
        return []
