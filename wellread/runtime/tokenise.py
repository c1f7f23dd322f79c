"""Text to token ids, and from tokens back to the words of the text.

``Tokeniser`` reads the ``tokenizer.json`` of a model folder. Special tokens written in a text are plain text, as they
are to Google's ``FullTokenizer``; nothing is cut and nothing is padded.

A word is a span of Google's ``BasicTokenizer`` in its original spelling: ``don't`` is three words, a Chinese character
is one, and an accent belongs to the letter before it, whether it is written as a character of its own or not. What
the model never sees (control characters, a lone accent) is in no word.

A lone surrogate, which no valid text holds, is taken as a letter that no vocabulary has. So its word is ``[UNK]``, as
it is to ``FullTokenizer``.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from wellread.errors import BadInput, IntegrityError

_BATCH = 1024
"""Texts that are with the library at once: its encodings take some 20 times the memory of the ids."""
_PROCESS = os.getpid()
"""Rust's threads do not live on in a process forked from this one: a batch would wait there for ever."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_NONCHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Word:
    """A word: characters ``begin`` to ``end`` (exclusive) of the text, ids ``first`` to ``last`` (exclusive)."""

    begin: int
    end: int
    first: int
    last: int


class Tokenised:
    """A text as the model reads it. ``ids`` is (tokens,) int64, ``[CLS]`` first and ``[SEP]`` last, never cut."""

    def __init__(self, ids: NDArray[np.int64], text: str, encode: Callable[[str], Encoding]) -> None:
        self.ids = ids
        self._text = text
        self._encode = encode

    @property
    def words(self) -> tuple[Word, ...]:
        """The words in order. The text is tokenised once more for them, at every look."""
        return tuple(self._found())

    def words_before(self, piece: int) -> tuple[Word, ...]:
        """The words whose first piece comes before number ``piece``: of a long text that is cut off, a few of many."""
        return tuple(takewhile(lambda word: word.first < piece, self._found()))

    def _found(self) -> Iterator[Word]:
        encoding = self._encode(self._text)
        numbers, offsets = encoding.word_ids, encoding.offsets
        end = len(numbers) - 1
        firsts = (at for at in range(1, end) if numbers[at] != numbers[at - 1])
        starts = ((min(offsets[first:last])[0], first, last) for first, last in pairwise(chain(firsts, [end])))
        for (begin, first, last), (limit, *_) in pairwise(chain(starts, [(len(self._text), end, end)])):
            yield Word(begin, self._past_accents(max(end for _, end in offsets[first:last]), limit), first, last)

    def _past_accents(self, end: int, limit: int) -> int:
        """Where a word ends, the accents after its last letter counted in; the next one begins at ``limit``.

        An uncased tokenizer drops accents, so no piece reaches over them. Invisible characters may stand between.
        """
        for at in range(end, limit):
            category = unicodedata.category(self._text[at])
            if category == "Mn":
                end = at + 1
            elif category not in ("Cc", "Cf") or self._text[at] in "\t\n\r":
                break
        return end


class Tokeniser:
    """Tokenises batches of texts, in Rust's threads. Thread-safe, survives fork, and pickles as its path.

    ``cls``, ``sep`` and ``pad`` are the ids of ``[CLS]``, ``[SEP]`` and ``[PAD]``. Raises IntegrityError if
    ``tokenizer_json`` is no tokenizer of a BERT, OSError if it cannot be read.
    """

    def __init__(self, tokenizer_json: Path) -> None:
        self._path = tokenizer_json
        self._tokenizer = _read(tokenizer_json)
        self.cls, self.sep, self.pad = (self._id(token) for token in ("[CLS]", "[SEP]", "[PAD]"))

    def __call__(self, texts: Sequence[str]) -> list[Tokenised]:
        """A ``Tokenised`` for each text, in order. Raises BadInput for what is not a str, naming its place."""
        valid = _valid(texts)
        encodings = (e for at in range(0, len(valid), _BATCH) for e in self._encode(valid[at : at + _BATCH]))
        return [
            Tokenised(np.array(encoding.ids, np.int64), text, self._tokenizer.encode)
            for text, encoding in zip(valid, encodings, strict=True)
        ]

    def __reduce__(self) -> tuple[type[Tokeniser], tuple[Path]]:
        return Tokeniser, (self._path,)

    def _encode(self, texts: list[str]) -> Iterable[Encoding]:
        if os.getpid() != _PROCESS:
            return map(self._tokenizer.encode, texts)
        return self._tokenizer.encode_batch_fast(texts)

    def _id(self, token: str) -> int:
        found: int | None = self._tokenizer.token_to_id(token)
        if found is None:
            raise IntegrityError(f"{self._path} has no {token}: it is not the tokenizer of a BERT")
        return found


def _read(path: Path) -> Tokenizer:
    raw = path.read_bytes()
    try:
        tokenizer = Tokenizer.from_buffer(raw)
    except Exception as error:  # the library raises nothing narrower
        raise IntegrityError(f"{path} is not a tokenizer.json: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def _valid(texts: Sequence[str]) -> list[str]:
    """The texts as the library takes them: character for character, surrogates replaced."""
    if isinstance(texts, str):
        raise BadInput("texts is a single str: give a list of str")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise BadInput(f"texts[{index}] is of type {type(text).__name__}: every text must be a str")
    return [_SURROGATE.sub(_NONCHARACTER, text) for text in texts]
