"""Models behind references, and what they say of texts as one table.

    load ─▶ Pipeline ─ predict ─▶ inputs ─▶ levels ─▶ columns ─▶ table
                                  texts     rows      names      DataFrame

A Spark DataFrame goes another way (``spark_table``), on which the same levels and columns are met in the workers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from wellread.errors import BadInput
from wellread.nlu.chunks import chunked
from wellread.nlu.columns import Added, Naming, Source, added, check_free
from wellread.nlu.inputs import check_choice, read
from wellread.nlu.levels import Column, Embedder, Level, Phrases, Rows, find
from wellread.nlu.options import AS_SPARK_NLP, Options
from wellread.nlu.table import table
from wellread.runtime.model import Model

if TYPE_CHECKING:
    import pandas as pd

_OWN_LEVEL = {"BertSentenceEmbeddings": "sentence"}
"""What the models of an annotator are made for, where that is not tokens."""


class Part(NamedTuple):
    """A model and the reference that it is known by here."""

    reference: str
    model: Model


class Pipeline:
    """What ``wellread.load`` gives. Any number of threads may share it; it pickles as the releases of its models."""

    def __init__(self, parts: Sequence[Part], options: Options | None = None) -> None:
        self._parts = tuple(parts)
        self._options = options or Options()
        self._embedders = self._reading(self._options)  # what cannot be is said now

    @property
    def models(self) -> tuple[Model, ...]:
        """The models, in the order of their references."""
        return tuple(part.model for part in self._parts)

    @property
    def references(self) -> tuple[str, ...]:
        """What the models are known by here, as their hubs have it."""
        return tuple(part.reference for part in self._parts)

    def predict(
        self,
        data: Any,
        output_level: str = "",
        *,
        positions: bool = False,
        metadata: bool = False,
        naming: Naming = "card",
        chunks: Iterable[str] | None = None,
        batch_size: int | None = None,
    ) -> Any:
        """The vectors of texts as a DataFrame: a row a token, sentence, document or chunk, a column of vectors a model.

        ``data`` is a str, a list, tuple, Series or 1-D array of str, or a DataFrame with a column ``text``, whose other
        columns are kept; polars' and Arrow's do as well. The index, ``origin_index``, has the labels of the texts. Of
        a Spark DataFrame the result is one too, nothing of which is computed yet, with a column ``origin_index``.

        ``output_level`` is "token", "sentence", "document" or "chunk"; "" is what the models are made for. A null is
        no text: it has no tokens, sentences and chunks, and as a document no vector.
        ``positions`` adds where in the text that is (the end inclusive), ``metadata`` the number of the sentence and
        of tokens what Spark NLP says of their pieces.
        ``naming`` "card" calls the columns of vectors as the cards of 2020 do, "nlu5" as NLU does today.
        ``chunks`` are the phrases that are looked for at that level, unless a column ``chunk`` has them.
        ``batch_size`` bounds the sentences that run together.

        Raises BadInput for what holds no texts or is no option, MissingExtra without pandas (or what Spark needs).
        """
        level = self._level(output_level)
        check_choice("naming", naming, get_args(Naming))
        if chunks is not None and level != "chunk":
            raise BadInput(f"chunks={chunks!r} is for output_level='chunk', and this is {level!r}")
        sources = [Source(part.reference, part.model.manifest.annotator) for part in self._parts]
        columns = added(sources, level, naming, positions=positions, metadata=metadata)
        if _is_spark(data):
            from wellread.nlu.spark_table import predicted  # who has a Spark DataFrame has pyspark

            return predicted(data, self.models, self._sized(batch_size), level, columns, chunks)
        embedders = self._embedders if batch_size is None else self._reading(self._sized(batch_size))
        return self._on_texts(data, embedders, level, columns, chunks)

    def _sized(self, batch_size: int | None) -> Options:
        return replace(self._options, batch_size=batch_size)

    def _reading(self, options: Options) -> list[Embedder]:
        return [options.embedder(model) for model in self.models]

    def _on_texts(
        self,
        data: Any,
        embedders: Sequence[Embedder],
        level: Level,
        columns: Sequence[Added],
        chunks: Iterable[str] | None,
    ) -> pd.DataFrame:
        given = read(data)
        phrases: Phrases = ()
        if level == "chunk":
            given, phrases = chunked(given, chunks)
        check_free(columns, list(map(str, given.beside.columns)))
        rows = find(level, given.texts, embedders, phrases)
        self._warn(level, rows)
        return table(given, rows, columns)

    def _level(self, asked: str) -> Level:
        if asked != "":
            check_choice("output_level", asked, get_args(Level))
        own = {_OWN_LEVEL.get(model.manifest.annotator, "token") for model in self.models}
        if not asked and len(own) > 1:
            raise BadInput(
                f"{', '.join(self.references)} are made for different levels: say output_level='token' or 'sentence'"
            )
        wanted = asked or own.pop()
        return next(level for level in get_args(Level) if level == wanted)

    def _warn(self, level: Level, rows: Rows) -> None:
        """What got no vector or was cut off: one warning a model, attributed to the line that called ``predict``."""
        told = _missing if level in ("token", "chunk") else _cut_off
        for model, column in zip(self.models, rows.columns, strict=True):
            if said := told(level, rows, column, model, self._options):
                warnings.warn(said, stacklevel=4)

    def __repr__(self) -> str:
        return f"<Pipeline {' '.join(self.references)}: {', '.join(map(repr, self.models))}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Pipeline, (self._parts, self._options)


def _missing(level: Level, rows: Rows, column: Column, model: Model, options: Options) -> str:
    if not column.missing:
        return ""
    told = f"{column.missing} of {len(rows.spans)} {level}s have no vector of {model.name}: "
    if level == "chunk":
        return f"{told}none of the tokens that lie wholly in them has one"
    if options.mode != AS_SPARK_NLP:
        return f"{told}they hold nothing that it reads"
    return (
        f"{told}as in Spark NLP, of a sentence the first {options.most(model)} pieces are read, and of a token what is "
        "left of its first part.\nwellread.load(…, token_mode='aligned') reads all"
    )


def _cut_off(level: Level, rows: Rows, column: Column, model: Model, options: Options) -> str:
    if not column.cut:
        return ""
    given, most = options.most(model), model.manifest.max_length
    advice = f"wellread.load(…, max_length={most}) gives it the most that it takes"
    if given == most:
        advice = "It takes no more: shorter texts are read whole, and Model.encode(…, long='window') reads any length"
    return (
        f"{column.cut} of {len(rows.spans)} {level}s are longer than the {given} pieces of each that "
        f"{model.name} is given, and cut off there.\n{advice}"
    )


def _is_spark(data: Any) -> bool:
    """Whether it is a DataFrame of Spark or Spark Connect; pyspark is not imported to find out.

    Raises BadInput for anything else of Spark's: a Row is a tuple and a Column has every attribute that is asked for.
    """
    names = [base.__name__ for base in type(data).__mro__ if base.__module__.startswith("pyspark.sql.")]
    if names and "DataFrame" not in names:
        raise BadInput(
            f"a {type(data).__name__} of Spark is not texts: pass a Spark DataFrame with a column 'text', "
            "such as df.select('text')"
        )
    return bool(names)
