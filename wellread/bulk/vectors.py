"""Vectors beside the rows that they are of.

sentence    embeddings   fixed_size_list<float>, null where there is no text
token       token        list<string>      the words, as they are spelt in the text
            begin, end   list<int32>       where they lie in it, in characters, end exclusive
            embeddings   list<fixed_size_list<float>>, empty where there is no text
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wellread.bulk.plan import Options
from wellread.runtime.model import Model
from wellread.runtime.token_vectors import TokenVectors

_CHARACTERS = {"sentence": 2**22, "token": 2**17}
"""Characters whose vectors are made at once, by level: a word's vector takes some 300 times the memory of the word."""

Array = NDArray[np.float32]


class Embedded(NamedTuple):
    """Rows with their vectors; how many had no text; and whether some were too long for the model, and cut off."""

    rows: pa.RecordBatch
    nulls: int
    cut: bool


def added(options: Options) -> tuple[str, ...]:
    """The names of the columns that vectors take."""
    words = ("token", "begin", "end") if options.output_level == "token" else ()
    return (*words, options.into)


def embedded(model: Model, rows: pa.RecordBatch, options: Options) -> Iterator[Embedded]:
    """The rows with their vectors, in their order, as many at once as memory is bounded to."""
    texts = rows.column(options.column).cast(pa.string()).to_pylist()
    for begin, end in _parts(texts, _CHARACTERS[options.output_level]):
        yield _embedded(model, rows.slice(begin, end - begin), texts[begin:end], options)


def _embedded(model: Model, rows: pa.RecordBatch, texts: Sequence[str | None], options: Options) -> Embedded:
    present = [text for text in texts if text is not None]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        columns = _COLUMNS[options.output_level](model, texts, present, options)
    kept = [name for name in rows.schema.names if options.keep is None or name in options.keep]
    whole = pa.RecordBatch.from_arrays(
        [*(rows.column(name) for name in kept), *columns.values()],
        schema=pa.schema([*(rows.schema.field(name) for name in kept), *_fields(columns)]),
    )
    return Embedded(whole, len(texts) - len(present), any(each.category is UserWarning for each in said))


def _fields(columns: Mapping[str, pa.Array]) -> Iterator[pa.Field]:
    return (pa.field(name, column.type) for name, column in columns.items())


def _sentences(
    model: Model, texts: Sequence[str | None], present: Sequence[str], options: Options
) -> dict[str, pa.Array]:
    found = model.encode(present, normalize=options.normalize, long=options.long, progress=False)
    missing = np.array([text is None for text in texts], bool)
    vectors = np.zeros((len(texts), model.dimension), np.float32)
    vectors[~missing] = found
    return {options.into: _vectors(vectors, pa.array(missing))}


def _tokens(model: Model, texts: Sequence[str | None], present: Sequence[str], options: Options) -> dict[str, pa.Array]:
    found = model.encode(present, output_level="token", normalize=options.normalize, long=options.long, progress=False)
    words = iter(found)
    counts = [0 if text is None else len(next(words)) for text in texts]
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int32))
    columns = {
        "token": pa.array(list(chain.from_iterable(one.words for one in found)), pa.string()),
        "begin": _joined(found, lambda one: one.begin),
        "end": _joined(found, lambda one: one.end),
        options.into: _vectors(
            np.concatenate([np.empty((0, model.dimension), np.float32), *(o.vectors for o in found)])
        ),
    }
    return {name: pa.ListArray.from_arrays(offsets, values) for name, values in columns.items()}


def _joined(found: Sequence[TokenVectors], part: Callable[[TokenVectors], NDArray[np.int64]]) -> pa.Array:
    return pa.array(np.concatenate([np.empty(0, np.int64), *map(part, found)]).astype(np.int32))


def _vectors(vectors: Array, missing: pa.Array | None = None) -> pa.Array:
    """(n, hidden) as a column of n vectors; no number becomes an object of Python."""
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1], mask=missing)


_COLUMNS = {"sentence": _sentences, "token": _tokens}


def _parts(texts: Sequence[str | None], characters: int) -> Iterator[tuple[int, int]]:
    """From where to where texts are taken together: as many as have that many characters, one at least."""
    begin, size = 0, 0
    for at, text in enumerate(texts):
        size += len(text or "")
        if size > characters and at > begin:
            yield begin, at
            begin, size = at, len(text or "")
    if texts:
        yield begin, len(texts)
