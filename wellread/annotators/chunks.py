"""The vectors of chunks: of the words inside a stretch of text the mean, as Spark NLP's ChunkEmbeddings takes it.

    words     I  love  New  York
    chunk              New  York        the mean of two vectors

A chunk that holds no word with a vector gives nothing.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wellread.annotators.annotation import Annotation
from wellread.errors import BadInput

ChunkPooling = Literal["AVERAGE", "SUM"]
Array = NDArray[np.float32]


_REDUCE: Mapping[ChunkPooling, Callable[[Array], Array]] = {
    "AVERAGE": lambda vectors: vectors.mean(axis=0),
    "SUM": lambda vectors: vectors.sum(axis=0),
}


def chunk_vectors(
    chunks: Iterable[Annotation], words: Sequence[Annotation], pooling: ChunkPooling = "AVERAGE"
) -> list[Annotation]:
    """The vectors of ``chunks`` out of those of ``words``, both of one row, as ``word_embeddings``.

    A word counts that lies wholly in the chunk and in its sentence. Raises BadInput for another ``pooling``.
    """
    if pooling not in _REDUCE:
        raise BadInput(f"pooling={pooling!r} is not one of {', '.join(_REDUCE)}")
    ordered = sorted(words, key=_begin)
    found: list[Annotation] = []
    for chunk in chunks:
        first, last = (bisect_left(ordered, at, key=_begin) for at in (chunk.begin, chunk.end + 1))
        within = [one for one in ordered[first:last] if one.end <= chunk.end and _number(one) == _number(chunk)]
        if within:
            vectors = np.stack([word.embeddings for word in within])
            found.append(_annotation(chunk, _REDUCE[pooling](vectors)))
    return found


def find_chunks(text: str, phrases: Iterable[str]) -> list[Annotation]:
    """Every place of each phrase in a document of one sentence, in the order of the text; what is empty is nowhere.

    Places may overlap, and one within a longer word is none: there is no ``New York`` in ``New Yorker``.
    """
    places = sorted({span for phrase in phrases if phrase for span in _places(text, phrase)})
    return [
        Annotation("chunk", begin, end - 1, text[begin:end], {"sentence": "0", "chunk": str(number)})
        for number, (begin, end) in enumerate(places)
    ]


def _places(text: str, phrase: str) -> Iterator[tuple[int, int]]:
    begin = text.find(phrase)
    while begin >= 0:
        end = begin + len(phrase)
        if not (_cuts(text, begin) or _cuts(text, end)):
            yield begin, end
        begin = text.find(phrase, _border(text, begin + 1) if _cuts(text, begin) else begin + 1)


def _border(text: str, at: int) -> int:
    """The first character from ``at`` on that no word goes across: so a text of one long word is gone through once."""
    return next((one for one in range(at, len(text)) if not _cuts(text, one)), len(text))


def _cuts(text: str, at: int) -> bool:
    """Whether the border before the character ``at`` goes through a word, in a script that parts words by spaces."""
    beside = text[at - 1 : at + 1] if at else ""
    return len(beside) == 2 and beside.isalnum() and all(unicodedata.category(one) != "Lo" for one in beside)


def _begin(one: Annotation) -> int:
    return one.begin


def _number(one: Annotation) -> str:
    return one.metadata.get("sentence", "0")


def _annotation(chunk: Annotation, vector: Array) -> Annotation:
    metadata = {
        "sentence": _number(chunk),
        "chunk": chunk.metadata.get("chunk", "0"),
        "token": chunk.result,
        "pieceId": "-1",
        "isWordStart": "true",
    }
    return Annotation("word_embeddings", chunk.begin, chunk.end, chunk.result, metadata, vector)
