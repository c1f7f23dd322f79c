"""Annotations out of Arrow arrays: only the fields that a stage needs cross from the JVM, each as a list a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, get_args

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, IntegerType, StringType

from wellread.annotators.annotation import Annotation, Kind
from wellread.spark.columns.annotation_columns import field

FIELDS: tuple[DataType, ...] = (
    ArrayType(IntegerType()), ArrayType(IntegerType()), ArrayType(StringType()), ArrayType(StringType())
)  # fmt: skip
"""The types of what ``fields`` gives."""
KINDS = get_args(Kind)


def fields(name: str) -> list[Column]:
    """begin, end, result and number of the sentence of a column's annotations, each an array a row."""
    column = field(name)
    sentence = F.transform(column, lambda one: one["metadata"]["sentence"])
    return [column["begin"], column["end"], column["result"], sentence]


def lists(array: pa.Array) -> list[list[Any]]:
    """A list a row; an empty one for null."""
    flat = array.flatten().to_numpy(zero_copy_only=False).tolist()
    counts = array.value_lengths().fill_null(0).to_numpy().tolist()
    return [flat[first:last] for first, last in pairwise(accumulate(counts, initial=0))]


def rows_of(kind: Kind, arrays: Sequence[pa.Array]) -> list[list[Annotation]]:
    """The annotations whose ``fields`` these are."""
    rows = zip(*map(lists, arrays), strict=True)
    return [
        [Annotation(kind, b, e, text, {"sentence": s or "0"}) for b, e, text, s in zip(*row, strict=True)]
        for row in rows
    ]


def with_vectors(rows: Sequence[Sequence[Annotation]], vectors: pa.Array) -> list[list[Annotation]]:
    """The same annotations with the vectors that a column of lists of them has for each."""
    each = iter(vectors.flatten())
    return [[one._replace(embeddings=next(each).values.to_numpy()) for one in row] for row in rows]
