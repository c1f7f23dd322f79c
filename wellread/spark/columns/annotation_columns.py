"""A column of annotations, laid out as Spark NLP's.

    type       array<struct<annotatorType, begin, end, result, metadata, embeddings>>
    metadata   {"annotatorType": "token"}; of a column with vectors "dimension" and "ref" (whose they are) too

What a column holds is known by its metadata alone, so every stage checks that of its inputs before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, FloatType, IntegerType, MapType, StringType, StructField, StructType

from wellread.errors import BadInput, near_misses

ANNOTATION = StructType(
    [
        StructField("annotatorType", StringType(), True),
        StructField("begin", IntegerType(), False),
        StructField("end", IntegerType(), False),
        StructField("result", StringType(), True),
        StructField("metadata", MapType(StringType(), StringType(), True), True),
        StructField("embeddings", ArrayType(FloatType(), False), True),
    ]
)
ANNOTATIONS = ArrayType(ANNOTATION, True)

MAKERS: Mapping[str, str] = {
    "document": "DocumentAssembler or SentenceDetector",
    "token": "Tokenizer",
    "chunk": "Spark NLP's chunkers, or any column of that kind",
    "word_embeddings": "BertEmbeddings",
    "sentence_embeddings": "BertSentenceEmbeddings",
}
"""Kind of annotation → the stages that give it."""


def labelled(column: Column, name: str, kind: str, **facts: Any) -> Column:
    """``column`` under ``name``, with the metadata that says what it holds."""
    return column.alias(name, metadata={"annotatorType": kind} | facts)


def field(name: str) -> Column:
    """The column of that very name, dots in it included."""
    return F.col(f"`{name.replace('`', '``')}`")


def check_output(frame: DataFrame, name: str, stage: str) -> None:
    """Raises BadInput where a column ``name`` would put itself in the place of one that is called otherwise."""
    if not name:
        raise BadInput(f"{stage} has no name for the column that it adds")
    if (same := _alike(frame, name)) not in ([], [name]):
        raise BadInput(f"{stage} adds the column {name!r}, and {_told_alike(frame, same)}")


def check_present(frame: DataFrame, name: str, stage: str, advice: str = "") -> None:
    """Raises BadInput where ``frame`` has no column ``name``, with ``advice``, or several that Spark takes for it."""
    if name in frame.columns and len(same := _alike(frame, name)) > 1:
        raise BadInput(f"{stage} reads the column {name!r}, and {_told_alike(frame, same)}")
    if name not in frame.columns:
        raise BadInput(
            f"{stage} reads the column {name!r}, which is not there.{near_misses(name, frame.columns)} "
            f"Columns: {', '.join(frame.columns)}{advice}"
        )


def kind_of(frame: DataFrame, name: str) -> str | None:
    """Which annotations a column holds; None for a column of something else."""
    known = frame.schema[name]
    of_ours = isinstance(known.dataType, ArrayType) and isinstance(known.dataType.elementType, StructType)
    return known.metadata.get("annotatorType") if of_ours else None


def _alike(frame: DataFrame, name: str) -> list[str]:
    """The columns that Spark takes for one of that name: it ignores case unless it is told not to."""
    if minds_case(frame):
        return [one for one in frame.columns if one == name]
    return [one for one in frame.columns if one.lower() == name.lower()]


def minds_case(frame: DataFrame) -> bool:
    """Whether Spark takes names that differ in case alone for two."""
    return str(frame.sparkSession.conf.get("spark.sql.caseSensitive", "false")).lower() == "true"


def _told_alike(frame: DataFrame, same: Sequence[str]) -> str:
    case = "" if minds_case(frame) else ", which ignores case"
    there = "is one" if len(same) == 1 else "are columns"
    return f"there {there} called {' and '.join(map(repr, same))}: the same to Spark{case}. Rename either of them"


def inputs_by_kind(frame: DataFrame, names: Sequence[str], kinds: Sequence[str], stage: str) -> dict[str, str]:
    """Kind → the input column that holds it, in whatever order they were given.

    Raises BadInput for a column that is missing and for a kind that no column holds.
    """
    makers = " and ".join(MAKERS[kind] for kind in kinds)
    for name in names:
        check_present(frame, name, stage, f"\nIt reads what {makers} give: put what is missing before it")
    held = {kind_of(frame, name): name for name in reversed(names)}
    for kind in kinds:
        if kind not in held:
            raise BadInput(_lacking(frame, names, kind, stage))
    return {kind: held[kind] for kind in kinds}


def _lacking(frame: DataFrame, names: Sequence[str], kind: str, stage: str) -> str:
    held = ", ".join(f"{name!r} holds {kind_of(frame, name) or 'no annotations'}" for name in names)
    found = f"of its input columns {held}" if names else "no inputCols are set"
    others = [name for name in frame.columns if kind_of(frame, name) == kind]
    advice = f"setInputCols with {others[-1]!r}" if others else f"put a stage before it: {MAKERS[kind]}"
    return (
        f"{stage} needs a column of {kind} annotations, and {found}.\n"
        f"What to do: {advice}. A column that lost its metadata gets it back by "
        f'.alias(name, metadata={{"annotatorType": "{kind}"}})'
    )
