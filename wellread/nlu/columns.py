"""The columns that ``predict`` adds to a table, by their names and kinds.

    naming    column of vectors                             of a level
    card      en_embed_bert_small_L8_512_embeddings         any: the reference, as the cards of 2020 have it
    nlu5      word_embedding_bert                           token
              sentence_embedding_bert                       sentence, document
              chunk_embedding_bert                          chunk

    token                                                   always: what the level's rows stand for
    token_begin  token_end                                  positions=True: characters of the text, the end inclusive
    token_origin_sentence                                   metadata=True: number of the sentence in its text
    …_piece_id  …_is_word_start  …_is_OOV                   metadata=True, of tokens, for each column of vectors
    …_embeddings                                            always and last, one a model

Where two models would have the same column, each has its reference added: ``word_embedding_bert_from_en_embed_…``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from wellread.annotators.annotation import Annotation
from wellread.errors import BadInput
from wellread.nlu.levels import Level, Rows

Naming = Literal["card", "nlu5"]
Kind = Literal["text", "number", "piece", "flag", "vector"]
"""What a column holds: str, int, int or nothing, bool or nothing, (hidden,) float32 or nothing."""
_TODAY: Mapping[Level, str] = {
    "token": "word_embedding",
    "sentence": "sentence_embedding",
    "document": "sentence_embedding",
    "chunk": "chunk_embedding",
}


class Source(NamedTuple):
    """Where a column of vectors comes from: a reference and its model's annotator, such as BertEmbeddings."""

    reference: str
    annotator: str


class Added(NamedTuple):
    """A column: its name, its kind, and how its values are had from the rows."""

    name: str
    kind: Kind
    values: Callable[[Rows], Sequence[Any]]


def added(
    sources: Sequence[Source], level: Level, naming: Naming, *, positions: bool = False, metadata: bool = False
) -> list[Added]:
    """The columns in their order. Raises BadInput where two models cannot be told apart."""
    names = vector_names(sources, level, naming)
    columns = [Added(level, "text", _results)]
    if positions:
        columns += [Added(f"{level}_begin", "number", _begins), Added(f"{level}_end", "number", _ends)]
    if metadata:
        columns += [Added(f"{level}_origin_sentence", "number", _sentences)]
    if metadata and level == "token":
        columns += [one for number, name in enumerate(names) for one in _of_tokens(number, name)]
    return columns + [Added(name, "vector", partial(_vectors, number)) for number, name in enumerate(names)]


def vector_names(sources: Sequence[Source], level: Level, naming: Naming) -> list[str]:
    """What the columns of vectors are called, no two alike. Raises BadInput where that cannot be."""
    names = [_NAMINGS[naming](source, level) for source in sources]
    often = Counter(names)
    apart = [f"{n}_from_{_flat(s)}" if often[n] > 1 else n for n, s in zip(names, sources, strict=True)]
    if len(set(apart)) < len(apart):
        told = ", ".join(source.reference for source in sources)
        raise BadInput(f"of {told} two would have the same column: load them one by one")
    return apart


def check_free(columns: Sequence[Added], beside: Sequence[str], folded: Callable[[str], str] = str) -> None:
    """Raises BadInput where a column of the caller's has the name of one that is added, both ``folded``."""
    added_names = {folded(column.name) for column in columns}
    if taken := [name for name in beside if folded(name) in added_names]:
        raise BadInput(
            f"the DataFrame has a column {taken[0]!r} already, and so has the result: rename yours, or leave it out"
        )


def _card(source: Source, _: Level) -> str:
    return f"{_flat(source)}_embeddings"


def _nlu5(source: Source, level: Level) -> str:
    family = source.annotator.removesuffix("Embeddings").removesuffix("Sentence")
    return f"{_TODAY[level]}_{family.lower()}"


_NAMINGS: Mapping[Naming, Callable[[Source, Level], str]] = {"card": _card, "nlu5": _nlu5}


def _flat(source: Source) -> str:
    return source.reference.replace(".", "_")


# ---------------------------------------------------------------- values


def _results(rows: Rows) -> list[str | None]:
    return [span.result if span else None for span in rows.spans]


def _begins(rows: Rows) -> list[int]:
    return [span.begin if span else 0 for span in rows.spans]


def _ends(rows: Rows) -> list[int]:
    """A text that is none has no character, as an empty one."""
    return [span.end if span else -1 for span in rows.spans]


def _sentences(rows: Rows) -> list[int]:
    return [_sentence(span) if span else 0 for span in rows.spans]


def _sentence(span: Annotation) -> int:
    return int(span.metadata.get("sentence", "0"))


def _of_tokens(number: int, name: str) -> Iterator[Added]:
    """What Spark NLP says of a vector's piece: it is always a word's first, and never out of the vocabulary."""
    yield Added(f"{name}_piece_id", "piece", partial(_pieces, number))
    yield Added(f"{name}_is_word_start", "flag", partial(_flags, number, True))
    yield Added(f"{name}_is_OOV", "flag", partial(_flags, number, False))


def _vectors(number: int, rows: Rows) -> Sequence[Any]:
    return rows.columns[number].vectors


def _pieces(number: int, rows: Rows) -> Sequence[Any]:
    return rows.columns[number].pieces


def _flags(number: int, flag: bool, rows: Rows) -> Sequence[Any]:
    return [None if vector is None else flag for vector in rows.columns[number].vectors]
