"""What a row of the table stands for, and how it gets its vectors: level by level.

    token       a token of a sentence      the vector of its word
    sentence    a sentence of a text       one vector, by the pooling that the model's manifest names
    document    a text                     the same of all of it; of a null a row without a vector
    chunk       a phrase found in a text   the mean of the vectors of its words

A text is split once, whatever the number of models. All texts of a call run together, so that those of like length do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wellread.annotators.annotation import Annotation
from wellread.annotators.chunks import chunk_vectors, find_chunks
from wellread.annotators.documents import document
from wellread.annotators.reading import Sentence, Token
from wellread.annotators.sentence_vectors import SentenceEmbedder
from wellread.annotators.sentences import SentenceSplitter
from wellread.annotators.tokens import Splitter
from wellread.annotators.words import TokenMode, WordEmbedder
from wellread.runtime.model import Model

Level = Literal["token", "sentence", "document", "chunk"]
Vector = NDArray[np.float32]
Texts = Sequence[str | None]
Phrases = Sequence[Sequence[str]]
"""For each text the phrases that are its chunks."""


@dataclass(frozen=True)
class Embedder:
    """A model as the levels use it; it reads its tokenizer's file, so it is worth keeping."""

    words: WordEmbedder

    @classmethod
    def of(cls, model: Model, mode: TokenMode, max_length: int, batch_size: int | None) -> Embedder:
        """Raises BadInput for what is no mode, length or size."""
        return cls(WordEmbedder(model, mode=mode, max_length=max_length, batch_size=batch_size))

    @cached_property
    def sentences(self) -> SentenceEmbedder:
        words = self.words
        return SentenceEmbedder(words.model, max_length=words.max_length, batch_size=words.batch_size)


@dataclass(frozen=True, slots=True)
class Column:
    """What one model says of each row: None where it says nothing. ``pieces`` are ids of first pieces, of tokens;
    ``cut`` counts the sentences and documents that were not read to their end."""

    vectors: list[Vector | None]
    pieces: list[int | None]
    cut: int = 0

    @classmethod
    def empty(cls, size: int, cut: int = 0) -> Column:
        return cls([None] * size, [None] * size, cut)

    @property
    def missing(self) -> int:
        """Rows without a vector."""
        return sum(vector is None for vector in self.vectors)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a level: ``owners`` are the numbers of their texts, ``spans`` what they stand for in those.

    A span is None where the text is none. ``columns`` has one a model.
    """

    owners: list[int] = field(default_factory=list)
    spans: list[Annotation | None] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)

    def add(self, owner: int, spans: Sequence[Annotation | None]) -> None:
        """Rows of one text, whose vectors are to come."""
        self.owners.extend([owner] * len(spans))
        self.spans.extend(spans)

    def between(self, first: int, last: int) -> Rows:
        """Some of the rows."""
        columns = [Column(column.vectors[first:last], column.pieces[first:last]) for column in self.columns]
        return Rows(self.owners[first:last], self.spans[first:last], columns)

    def extend(self, others: Rows) -> None:
        """Rows of the same models."""
        self.owners.extend(others.owners)
        self.spans.extend(others.spans)
        for own, column in zip(self.columns, others.columns, strict=True):
            own.vectors.extend(column.vectors)
            own.pieces.extend(column.pieces)


def find(level: Level, texts: Texts, embedders: Sequence[Embedder], phrases: Phrases = ()) -> Rows:
    """The rows of a level, with the vectors of each model. Raises IntegrityError if a model's files are damaged."""
    return _LEVELS[level](texts, embedders, phrases)


# ---------------------------------------------------------------- the levels


def _tokens(texts: Texts, embedders: Sequence[Embedder], _: Phrases) -> Rows:
    rows, sentences, starts = Rows(), [], []
    for number, text in enumerate(texts):
        for sentence, tokens in _split(text):
            sentences.append(_sentence(sentence, tokens))
            starts.append(len(rows.spans))
            rows.add(number, tokens)
    rows.columns.extend(_words(embedder.words, sentences, starts, len(rows.spans)) for embedder in embedders)
    return rows


def _sentences(texts: Texts, embedders: Sequence[Embedder], _: Phrases) -> Rows:
    rows = Rows()
    for number, text in enumerate(texts):
        rows.add(number, _SENTENCES(document(text)))
    return _pooled(rows, embedders)


def _documents(texts: Texts, embedders: Sequence[Embedder], _: Phrases) -> Rows:
    rows = Rows()
    for number, text in enumerate(texts):
        rows.add(number, document(text) or [None])
    return _pooled(rows, embedders)


def _chunks(texts: Texts, embedders: Sequence[Embedder], phrases: Phrases) -> Rows:
    rows = Rows()
    sentences = [[_sentence(*one) for one in _split(text)] for text in texts]
    chunks = [find_chunks(text or "", wanted) for text, wanted in zip(texts, phrases, strict=True)]
    for number, (found, own) in enumerate(zip(chunks, sentences, strict=True)):
        begins = [sentence.begin for sentence in own]
        rows.add(number, [_numbered(chunk, begins) for chunk in found])
    rows.columns.extend(_means(embedder.words, sentences, chunks) for embedder in embedders)
    return rows


_LEVELS: Mapping[str, Callable[[Texts, Sequence[Embedder], Phrases], Rows]] = {
    "token": _tokens,
    "sentence": _sentences,
    "document": _documents,
    "chunk": _chunks,
}

# ---------------------------------------------------------------- splitting and embedding

_SENTENCES, _TOKENS = SentenceSplitter(), Splitter()


def _split(text: str | None) -> Iterator[tuple[Annotation, list[Annotation]]]:
    """The sentences of a text with their tokens."""
    return ((sentence, _TOKENS([sentence])) for sentence in _SENTENCES(document(text)))


def _sentence(sentence: Annotation, tokens: Iterable[Annotation]) -> Sentence:
    return Sentence(sentence.result, sentence.begin, [Token(token.begin, token.end, token.result) for token in tokens])


def _words(embedder: WordEmbedder, sentences: Sequence[Sentence], starts: Sequence[int], size: int) -> Column:
    """The vectors of ``size`` tokens, of which each sentence has those from its start on."""
    column = Column.empty(size)
    for start, kept in zip(starts, embedder.embed(sentences), strict=True):
        for at, vector, piece in zip(kept.index.tolist(), kept.vectors, kept.pieces.tolist(), strict=True):
            column.vectors[start + at], column.pieces[start + at] = vector, piece
    return column


def _pooled(rows: Rows, embedders: Sequence[Embedder]) -> Rows:
    """The rows with a vector for every span that there is."""
    there = [(number, span.result) for number, span in enumerate(rows.spans) if span is not None]
    for embedder in embedders:
        vectors, cut = embedder.sentences.read([text for _, text in there])
        column = Column.empty(len(rows.spans), cut)
        for (number, _), vector in zip(there, vectors, strict=True):
            column.vectors[number] = vector
        rows.columns.append(column)
    return rows


def _numbered(chunk: Annotation, begins: Sequence[int]) -> Annotation:
    """A chunk with the number of the sentence that it begins in; ``begins`` are where those of its text do."""
    number = bisect_right(begins, chunk.begin) - 1
    return chunk._replace(metadata={**chunk.metadata, "sentence": str(max(number, 0))})


def _means(
    embedder: WordEmbedder, sentences: Sequence[Sequence[Sentence]], chunks: Sequence[Sequence[Annotation]]
) -> Column:
    """The vectors of each text's chunks. A text counts as one sentence, for a chunk may reach over the end of one."""
    vectors: list[Vector | None] = []
    kept = iter(embedder.embed([sentence for text in sentences for sentence in text]))
    for text, wanted in zip(sentences, chunks, strict=True):
        words = embedder.annotations(text, [next(kept) for _ in text], [0] * len(text))
        found = {(one.begin, one.end): one.embeddings for one in chunk_vectors(wanted, words)}
        vectors.extend(found.get((chunk.begin, chunk.end)) for chunk in wanted)
    return Column(vectors, [None] * len(vectors))
