"""The vectors of tokens: Spark NLP's BertEmbeddings to the letter, and a better way beside it.

    mode         what is read                        whose vector a token gets
    sparknlp     the first part of each token        its first piece's; none past the limit or where nothing is left
    aligned      the sentence as it is written       that of the first piece in it, however long the sentence

In both, the last hidden layer is taken, each sentence is read by itself, and the sentences of all rows that are given
run in batches of like length. ``reading`` tells the two apart in detail.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from wellread.annotators.annotation import Annotation
from wellread.annotators.limits import MAX_LENGTH, allowed_batch, allowed_length
from wellread.annotators.pieces import Ids, pieces_of
from wellread.annotators.reading import Reading, Sentence, Token, aligned, first_parts, take
from wellread.errors import BadInput, near_misses
from wellread.runtime.model import Model

__all__ = ["Kept", "Sentence", "Token", "TokenMode", "WordEmbedder", "sentences_of"]

TokenMode = Literal["sparknlp", "aligned"]
Array = NDArray[np.float32]
_begin = attrgetter("begin")


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What came out of a sentence, n of whose tokens have a vector.

    ``index`` (n,) int64 says which tokens of the sentence, ``vectors`` is (n, hidden) float32, and ``pieces`` (n,)
    int64 has the id of the piece that each vector is of.
    """

    index: Ids
    vectors: Array
    pieces: Ids


class WordEmbedder:
    """Gives tokens the vectors of ``model``. Any number of threads may share it, and it pickles with the model.

    ``case_sensitive`` None is the model's own way. ``max_length`` counts the pieces that mode ``sparknlp`` reads of a
    sentence, ``[CLS]`` and ``[SEP]`` included; mode ``aligned`` reads all. ``batch_size`` bounds the sentences that
    run together. Raises BadInput for options that cannot be.
    """

    def __init__(
        self,
        model: Model,
        *,
        case_sensitive: bool | None = None,
        max_length: int = MAX_LENGTH,
        batch_size: int | None = None,
        mode: TokenMode = "sparknlp",
    ) -> None:
        if mode not in get_args(TokenMode):
            hint = near_misses(str(mode), get_args(TokenMode))
            raise BadInput(f"mode={mode!r} is not one of {', '.join(get_args(TokenMode))}.{hint}")
        self.model = model
        self.mode: TokenMode = mode
        self.case_sensitive = model.manifest.architecture.cased if case_sensitive is None else case_sensitive
        self.max_length = allowed_length(model, max_length)
        self.batch_size = allowed_batch(batch_size)
        self._pieces = pieces_of(model, self.case_sensitive, accents=mode == "aligned")

    @property
    def dimension(self) -> int:
        """The length of every vector."""
        return self.model.dimension

    def result(self, token: str) -> str:
        """A token as its annotation spells it: in lower case, unless case is kept."""
        return token if self.case_sensitive else token.lower()

    def embed(self, sentences: Sequence[Sentence]) -> list[Kept]:
        """The vectors of each sentence's tokens. All run together, so give many sentences at once."""
        readings = [self._read(sentence) for sentence in sentences]
        vectors = [np.empty((len(reading.index), self.dimension), np.float32) for reading in readings]
        windows = [(number, window) for number, reading in enumerate(readings) for window in reading.windows]
        for at, states in self.model.states([window.ids for _, window in windows], self.batch_size):
            number, window = windows[at]
            take(readings[number], window, states, vectors[number])
        return [
            Kept(reading.index, found, reading.ids[reading.positions])
            for reading, found in zip(readings, vectors, strict=True)
        ]

    def annotations(
        self, sentences: Sequence[Sentence], kept: Sequence[Kept], numbers: Iterable[int] | None = None
    ) -> list[Annotation]:
        """What ``embed`` found as annotations; ``numbers`` are those of the sentences, from 0 on by default."""
        numbers = range(len(sentences)) if numbers is None else numbers
        found = zip(numbers, sentences, kept, strict=True)
        return [one for number, sentence, those in found for one in self._annotated(number, sentence, those)]

    def __call__(self, rows: Sequence[Sequence[Sentence]]) -> list[list[Annotation]]:
        """The annotations of rows of sentences, a list a row."""
        kept = iter(self.embed([sentence for row in rows for sentence in row]))
        return [self.annotations(row, [next(kept) for _ in row]) for row in rows]

    def __reduce__(self) -> tuple[Any, ...]:
        return _embedder, (self.model, self.case_sensitive, self.max_length, self.batch_size, self.mode)

    def _read(self, sentence: Sentence) -> Reading:
        if self.mode == "aligned":
            return aligned(sentence, self._pieces, self.model.manifest.max_length)
        return first_parts(sentence, self._pieces, self.result, self.max_length)

    def _annotated(self, number: int, sentence: Sentence, kept: Kept) -> Iterator[Annotation]:
        for at, vector, piece in zip(kept.index.tolist(), kept.vectors, kept.pieces.tolist(), strict=True):
            token: Token = sentence.tokens[at]
            result = self.result(token.result)
            metadata = {
                "sentence": str(number),
                "token": result,
                "pieceId": str(piece),
                "isWordStart": "true",
                "isOOV": "false",
            }
            yield Annotation("word_embeddings", token.begin, token.end, result, metadata, vector)


def sentences_of(sentences: Sequence[Annotation], tokens: Iterable[Annotation]) -> list[Sentence]:
    """The annotations of one row, each token put to the sentence that it lies in, as Spark NLP does; else left out.

    Sentences of several documents may share places: there it is the one whose number the token bears.
    """
    places = [_Place(one.begin, one.end, []) for one in sentences]
    numbers = (one.metadata.get("sentence", str(at)) for at, one in enumerate(sentences))
    numbered = dict(zip(numbers, places, strict=True))
    ordered = sorted(places, key=_begin)
    for _, begin, end, result, metadata, _ in tokens:
        place = numbered.get(metadata.get("sentence", "0"))
        if place is None or begin < place.begin or end > place.end:
            place = _place_of(begin, end, ordered)
        if place:
            place.tokens.append(Token(begin, end, result))
    return [Sentence(one.result, one.begin, place.tokens) for one, place in zip(sentences, places, strict=True)]


class _Place(NamedTuple):
    """Where a sentence lies, the end inclusive, and the tokens that are found there."""

    begin: int
    end: int
    tokens: list[Token]


def _place_of(begin: int, end: int, ordered: Sequence[_Place]) -> _Place | None:
    """The last place that begins before a token, if the token lies in it."""
    before = bisect_right(ordered, begin, key=_begin)
    return ordered[before - 1] if before and end <= ordered[before - 1].end else None


def _embedder(
    model: Model, case_sensitive: bool, max_length: int, batch_size: int | None, mode: TokenMode
) -> WordEmbedder:
    return WordEmbedder(model, case_sensitive=case_sensitive, max_length=max_length, batch_size=batch_size, mode=mode)
