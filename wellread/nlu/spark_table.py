"""The rows of a level as a Spark DataFrame: nothing is computed before Spark needs it, and nothing comes to the driver.

    text, id                          the caller's
    origin_index, id, rows            rows: array<struct<token, …_embeddings>>, by one Python function over ``text``
    origin_index, id, token, …        a row a row

Spark has no index, so ``origin_index`` is a column here: a number of Spark's own, the same for all rows of a text. It
is left out of a stream, which has none, and where the caller has a column of that name. The workers run what
``predict`` runs on any other texts, so the vectors are the same. A text on which a model fails has no rows.

Spark takes names that differ in case alone for the same, unless ``spark.sql.caseSensitive`` is set; so do the checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_type

from wellread.errors import BadInput
from wellread.nlu.chunks import ADVICE, phrases_for_all, phrases_of
from wellread.nlu.columns import Added, Kind, check_free
from wellread.nlu.inputs import CHUNK, ORIGIN, TEXT, check_columns
from wellread.nlu.levels import Column, Embedder, Level, Rows, find
from wellread.nlu.options import Options
from wellread.runtime.model import Model
from wellread.spark.cluster.counters import BadRows
from wellread.spark.cluster.session import prepare
from wellread.spark.cluster.shipping import Shipped, ship
from wellread.spark.cluster.worker import model_in_worker
from wellread.spark.columns.annotation_columns import field, minds_case
from wellread.spark.columns.arrow_columns import Batch, computed

_CHARACTERS = 2**17
"""Of the texts whose vectors are held at once: some 100 MB of a model of 768 dimensions."""
_ROWS = "wellread_rows"
_TYPES: Mapping[Kind, T.DataType] = {
    "text": T.StringType(),
    "number": T.IntegerType(),
    "piece": T.IntegerType(),
    "flag": T.BooleanType(),
    "vector": T.ArrayType(T.FloatType()),
}
_PHRASES = T.ArrayType(T.StringType())


def predicted(
    frame: DataFrame,
    models: Sequence[Model],
    options: Options,
    level: Level,
    columns: Sequence[Added],
    chunks: Iterable[str] | None,
) -> DataFrame:
    """What ``predict`` gives of a Spark DataFrame. Raises BadInput, MissingExtra; over Spark Connect BadInput."""
    check_columns(frame.columns, f"df.withColumnRenamed(…, {TEXT!r})")
    folded = _folded(frame)
    _check_apart(frame.columns, folded)
    inputs = [_texts(frame)]
    if level == "chunk" and chunks is None:
        inputs.append(_chunks(frame))
    kept = [name for name in frame.columns if name not in (TEXT, CHUNK)[: len(inputs)]]
    check_free(columns, kept, folded)
    session, phrases = frame.sparkSession, phrases_for_all(chunks or ())
    prepare(session)
    shipped = [ship(model, session) for model in models]
    work = _Work(shipped, options, level, columns, phrases, BadRows(session, "predict"))
    rows = computed(work, inputs, [T.StringType(), _PHRASES][: len(inputs)], _type_of(columns))
    numbered = not frame.isStreaming and folded(ORIGIN) not in map(folded, kept)
    return _exploded(frame, kept, numbered, rows)


def _folded(frame: DataFrame) -> Callable[[str], str]:
    """What of a name tells columns apart."""
    return str if minds_case(frame) else str.lower


def _check_apart(names: Sequence[str], folded: Callable[[str], str]) -> None:
    """Raises BadInput for columns that Spark could not tell apart."""
    often = Counter(map(folded, names))
    if several := [name for name in names if often[folded(name)] > 1]:
        told = " and ".join(repr(name) for name in several if folded(name) == folded(several[0]))
        raise BadInput(f"the columns {told} are one and the same to Spark: rename or drop one")


def _texts(frame: DataFrame) -> SparkColumn:
    kind = frame.schema[TEXT].dataType
    if not isinstance(kind, T.StringType | T.VarcharType | T.CharType | T.NullType):
        raise BadInput(f"the column {TEXT!r} is of type {kind.simpleString()}: a column of strings is expected")
    return F.col(TEXT).cast("string")


def _chunks(frame: DataFrame) -> SparkColumn:
    """The column of phrases, several a row."""
    if CHUNK not in frame.columns:
        raise BadInput(f"output_level='chunk' needs phrases: {ADVICE}")
    kind = frame.schema[CHUNK].dataType
    if kind not in (T.StringType(), _PHRASES, T.ArrayType(T.StringType(), containsNull=False)):
        raise BadInput(
            f"the column {CHUNK!r} is of type {kind.simpleString()}: strings are expected, or arrays of them"
        )
    return F.col(CHUNK) if isinstance(kind, T.ArrayType) else F.array(F.col(CHUNK))


def _type_of(columns: Sequence[Added]) -> T.ArrayType:
    return T.ArrayType(T.StructType([T.StructField(column.name, _TYPES[column.kind]) for column in columns]))


def _exploded(frame: DataFrame, kept: Sequence[str], numbered: bool, rows: SparkColumn) -> DataFrame:
    """The columns of the caller's that are kept, and the rows one by one."""
    numbers = [F.monotonically_increasing_id().alias(ORIGIN)] if numbered else []
    held = [*([F.col(ORIGIN)] if numbered else []), *map(field, kept)]
    name = _free(kept)
    wide = frame.select(*numbers, *map(field, kept), rows.alias(name))
    return wide.select(*held, F.explode(name).alias(name)).select(*held, f"{name}.*")


def _free(kept: Sequence[str]) -> str:
    """A name for the rows that no column has, in any case."""
    taken, name = {one.lower() for one in kept}, _ROWS
    while name in taken:
        name += "_"
    return name


# ---------------------------------------------------------------- in the workers


@dataclass(frozen=True)
class _Work:
    """From batches of texts (and chunks) to arrays of rows; it travels to the workers."""

    shipped: Sequence[Shipped]
    options: Options
    level: Level
    columns: Sequence[Added]
    phrases: Sequence[str]
    bad: BadRows

    def __call__(self, batches: Iterator[Batch]) -> Iterator[pa.Array]:
        embedders = [self.options.embedder(model_in_worker(one)) for one in self.shipped]
        for batch in batches:
            texts = batch[0].to_pylist()
            chunks = map(phrases_of, batch[1].to_pylist()) if len(batch) > 1 else [self.phrases] * len(texts)
            pairs = list(zip(texts, chunks, strict=True))
            for part in _parts(texts):
                found = self.bad.spare(self._on(embedders), pairs[part], self._nothing)
                yield self._array(found)

    def _on(self, embedders: Sequence[Embedder]) -> Callable[[Sequence[Any]], list[Rows]]:
        def rows_of(pairs: Sequence[tuple[str | None, Sequence[str]]]) -> list[Rows]:
            texts, phrases = zip(*pairs, strict=True) if pairs else ((), ())
            return _apart(find(self.level, texts, embedders, phrases), len(texts))

        return rows_of

    def _nothing(self) -> Rows:
        return Rows([], [], [Column.empty(0) for _ in self.shipped])

    def _array(self, found: Sequence[Rows]) -> pa.Array:
        """A list of structs a text."""
        rows = self._nothing()
        for one in found:
            rows.extend(one)
        kind = to_arrow_type(_type_of(self.columns))
        fields = [kind.value_type.field(number) for number in range(len(self.columns))]
        arrays = [_arrow(column, rows, field) for column, field in zip(self.columns, fields, strict=True)]
        struct = pa.StructArray.from_arrays(arrays, fields=fields)
        return pa.ListArray.from_arrays(_offsets(len(one.spans) for one in found), struct, type=kind)


def _arrow(column: Added, rows: Rows, field: pa.Field) -> pa.Array:
    values = column.values(rows)
    return _vectors(values, field.type) if column.kind == "vector" else pa.array(values, field.type)


def _vectors(vectors: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A list of components a vector, without a Python object for each."""
    there = [vector for vector in vectors if vector is not None]
    flat = np.concatenate(there) if there else np.empty(0, np.float32)
    offsets = _offsets(0 if vector is None else len(vector) for vector in vectors)
    missing = pa.array([vector is None for vector in vectors], pa.bool_())
    return pa.ListArray.from_arrays(offsets, pa.array(flat, pa.float32()), type=kind, mask=missing)


def _offsets(lengths: Iterable[int]) -> pa.Array:
    return pa.array(np.cumsum([0, *lengths]), pa.int32())


def _parts(texts: Sequence[str | None]) -> Iterator[slice]:
    """The texts that run together: consecutive ones of so many characters, or one that has more."""
    first, size = 0, 0
    for at, text in enumerate(texts):
        size += len(text or "") + 1
        if size > _CHARACTERS and at > first:
            yield slice(first, at)
            first, size = at, len(text or "") + 1
    yield slice(first, len(texts))


def _apart(rows: Rows, count: int) -> list[Rows]:
    """The rows of each of ``count`` texts."""
    bounds = np.searchsorted(rows.owners, np.arange(count + 1)).tolist()
    return [rows.between(bounds[number], bounds[number + 1]) for number in range(count)]
