"""Arrow arrays of annotations, built a column at a time: no Python object for a component of a vector.

list<struct<annotatorType, begin, end, result, metadata: map<string, string>, embeddings: list<float>>>
one list a row, whose annotations lie end to end in the struct's arrays; ``counts`` says how many each row has
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql.pandas.types import to_arrow_type

from wellread.annotators.annotation import Annotation
from wellread.spark.columns.annotation_columns import ANNOTATIONS

TYPE: pa.ListType = to_arrow_type(ANNOTATIONS)
_STRUCT: pa.StructType = TYPE.value_type
_METADATA: pa.MapType = _STRUCT.field("metadata").type
_VECTOR: pa.ListType = _STRUCT.field("embeddings").type

Ints = NDArray[np.int64]


def of_annotations(rows: Sequence[Sequence[Annotation]]) -> pa.Array:
    """Rows of annotations as an array."""
    flat = list(chain.from_iterable(rows))
    return _rows(
        [len(row) for row in rows],
        pa.array([one.kind for one in flat], pa.string()),
        [one.begin for one in flat],
        [one.end for one in flat],
        pa.array([one.result for one in flat], pa.string()),
        _metadata_of(flat),
        _vectors_of(flat),
    )


def of_vectors(
    kind: str,
    counts: Sequence[int],
    begin: Sequence[int] | Ints,
    end: Sequence[int] | Ints,
    result: pa.Array,
    metadata: Mapping[str, pa.Array],
    vectors: NDArray[np.float32],
) -> pa.Array:
    """Annotations of one kind, of which row ``i`` has the next ``counts[i]``; ``vectors`` is (annotations, hidden).

    ``metadata`` has a column of texts for each key, and ``result`` is such a column.
    """
    kinds = pa.repeat(kind, len(result))
    return _rows(counts, kinds, begin, end, result, _maps(metadata, len(result)), _lists(vectors))


def empty(rows: int) -> pa.Array:
    """Rows without an annotation."""
    return of_annotations([()] * rows)


def _rows(
    counts: Iterable[int],
    kinds: pa.Array,
    begin: Sequence[int] | Ints,
    end: Sequence[int] | Ints,
    result: pa.Array,
    metadata: pa.Array,
    vectors: pa.Array,
) -> pa.Array:
    parts = [kinds, pa.array(begin, pa.int32()), pa.array(end, pa.int32()), result, metadata, vectors]
    struct = pa.StructArray.from_arrays(parts, fields=list(_STRUCT))
    return pa.ListArray.from_arrays(_offsets(counts), struct, type=TYPE)


def _offsets(counts: Iterable[int]) -> pa.Array:
    return pa.array(list(accumulate(counts, initial=0)), pa.int32())


def _vectors_of(annotations: Sequence[Annotation]) -> pa.Array:
    vectors = [one.embeddings for one in annotations]
    values = np.concatenate([np.empty(0, np.float32), *(one for one in vectors if one.size)])
    return pa.ListArray.from_arrays(_offsets(one.size for one in vectors), pa.array(values), type=_VECTOR)


def _lists(vectors: NDArray[np.float32]) -> pa.Array:
    size, hidden = vectors.shape
    offsets = pa.array(np.arange(size + 1) * hidden, pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(vectors.reshape(-1)), type=_VECTOR)


def _metadata_of(annotations: Sequence[Annotation]) -> pa.Array:
    maps = [one.metadata for one in annotations]
    keys, values = chain.from_iterable(maps), chain.from_iterable(one.values() for one in maps)
    return _map_array(_offsets(map(len, maps)), pa.array(keys, pa.string()), pa.array(values, pa.string()))


def _maps(columns: Mapping[str, pa.Array], size: int) -> pa.Array:
    """One map an annotation, of the values that each key's column has there."""
    width = len(columns)
    keys = pa.array(list(columns), pa.string()).take(pa.array(np.tile(np.arange(width), size)))
    across = np.arange(size * width).reshape(width, size).T.ravel()
    values = pa.concat_arrays(list(columns.values())).take(pa.array(across))
    return _map_array(pa.array(np.arange(size + 1) * width, pa.int32()), keys, values)


def _map_array(offsets: pa.Array, keys: pa.Array, values: pa.Array) -> pa.Array:
    return pa.MapArray.from_arrays(offsets, keys, values).cast(_METADATA)
