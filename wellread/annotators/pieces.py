"""The word pieces of tokens and sentences, beyond what the runtime's tokeniser tells.

    first part    "don't"      →  the ids of "don": all that Spark NLP's BertEmbeddings reads of a token
    located       "I love it"  →  the ids of a sentence, and where in the sentence each piece lies

Spark NLP lets its users keep the case for a model that was trained without, and the other way round; so can these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, normalizers

from wellread.runtime.folder import TOKENIZER
from wellread.runtime.model import Model
from wellread.runtime.tokenise import Tokeniser

Ids = NDArray[np.int64]
Case = Literal["own", "lower", "keep", "keep, no accents"]

_REMEMBERED = 2**14
"""Tokens whose ids are kept: text repeats itself, and looking them up takes a hundredth of the time."""
_SHORT = 32
"""Characters of the longest token whose ids are kept: so the memory is bounded, to 25 MB of the worst tokens."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_NONCHARACTER = "\U0010ffff"

_NO_ACCENTS = [normalizers.NFD(), normalizers.Replace(Regex("[\\p{Mn}\U0001171e]"), "")]
"""As a model's own file says it: the library's ``StripAccents`` knows 260 marks fewer."""

_STEPS: dict[Case, list[Any]] = {
    "lower": [normalizers.Lowercase(), *_NO_ACCENTS],
    "keep": [],
    "keep, no accents": _NO_ACCENTS,
}
"""What comes after the first step of every model's normaliser, which drops control and format characters."""


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """``ids`` (pieces + 2,) with ``[CLS]`` and ``[SEP]``; ``begin`` and ``end`` (pieces,), exclusive, in characters."""

    ids: Ids
    begin: Ids
    end: Ids


class Pieces(Tokeniser):
    """The tokeniser of a model, with the case and the accents treated as ``case`` says. Raises as ``Tokeniser``."""

    def __init__(self, tokenizer_json: Path, case: Case = "own") -> None:
        super().__init__(tokenizer_json)
        self._case: Case = case
        if case != "own":
            first = self._tokenizer.normalizer[0]
            self._tokenizer.normalizer = normalizers.Sequence([first, *_STEPS[case]])
        self._remembered = lru_cache(_REMEMBERED)(self._first_part)

    def first_part(self, token: str) -> tuple[int, ...]:
        """The ids of the first of BasicTokenizer's parts of ``token``; none where nothing of it is left."""
        return self._remembered(token) if len(token) <= _SHORT else self._first_part(token)

    def located(self, text: str) -> Located:
        """The pieces of a text and their places."""
        encoding = self._tokenizer.encode(_valid(text))
        offsets = np.array(encoding.offsets[1:-1], np.int64).reshape(-1, 2)
        return Located(np.array(encoding.ids, np.int64), offsets[:, 0], offsets[:, 1])

    def _first_part(self, token: str) -> tuple[int, ...]:
        encoding = self._tokenizer.encode(_valid(token), add_special_tokens=False)
        parts = encoding.word_ids
        return tuple(encoding.ids[: parts.count(parts[0])]) if parts else ()

    def __reduce__(self) -> tuple[type[Pieces], tuple[Any, ...]]:
        return Pieces, (self._path, self._case)


def pieces_of(model: Model, case_sensitive: bool | None = None, accents: bool = True) -> Pieces:
    """The pieces of ``model``; ``case_sensitive`` None is its own way, and ``accents=False`` strips them in any case.

    Lower-casing strips accents as well, as it does in every BERT.
    """
    cased = model.manifest.architecture.cased
    keep = cased if case_sensitive is None else case_sensitive
    wanted: Case = "lower" if not keep else "keep" if accents else "keep, no accents"
    own: Case = "keep" if cased else "lower"
    return Pieces(model.path / TOKENIZER, "own" if wanted == own else wanted)


def _valid(text: str) -> str:
    """``text`` as the library takes it, character for character: a lone surrogate is a letter no vocabulary has."""
    return _SURROGATE.sub(_NONCHARACTER, text)
