"""The table of docs/annotators.md: what is read and what gets a vector, as the code does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.annotators.conftest import Sequences, tokenised
from wellread.annotators.words import TokenMode, WordEmbedder
from wellread.runtime.model import Model

_PAGE = Path(__file__).parents[2] / "docs/annotators.md"
_TEXTS = ("I love NLP.", "Unable, loved!", "Hello world, it's good", "good/bad", "New-York", "日本", "the [SEP] dog")
_HEAD = "| text | tokens | `sparknlp` reads | `aligned` and `encode` read | vectors: `sparknlp`, `aligned`, `encode` |"


def test_the_table_says_what_the_code_does(model: Model, read: Sequences, pieces: Callable[[Any], list[str]]) -> None:
    rows = list(_rows(model, read, pieces))
    table = "\n".join([_HEAD, "|---|---|---|---|---|", *rows])
    assert table in _PAGE.read_text(encoding="utf-8"), f"docs/annotators.md wants this table:\n\n{table}\n"


def test_where_both_read_the_same_the_vectors_are_the_same(model: Model, read: Sequences) -> None:
    same = []
    for text in _TEXTS:
        sentence = tokenised(text)
        (ours,) = WordEmbedder(model).embed(sentence)
        words = model.encode(text, output_level="token")
        if read[-1].tolist() == model.tokeniser([text])[0].ids.tolist():
            same.append(text)
            np.testing.assert_allclose(ours.vectors, words.vectors, atol=1e-6)
    assert same == ["I love NLP.", "Unable, loved!"]


def _rows(model: Model, read: Sequences, pieces: Callable[[Any], list[str]]) -> Iterator[str]:
    for text in _TEXTS:
        sentences = tokenised(text)
        counts = []
        modes: tuple[TokenMode, ...] = ("sparknlp", "aligned")
        for mode in modes:
            (kept,) = WordEmbedder(model, mode=mode).embed(sentences)
            counts.append(len(kept.index))
        seen = [" ".join(pieces(ids[1:-1])) for ids in read[-2:]]
        assert read[-1].tolist() == model.tokeniser([text])[0].ids.tolist()
        words = len(model.encode(text, output_level="token"))
        cells = [text, " ".join(token.result for token in sentences[0].tokens), *seen]
        yield f"| {' | '.join(f'`{cell}`' for cell in cells)} | {counts[0]}, {counts[1]}, {words} |"
