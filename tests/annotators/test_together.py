"""Sentences that run together: as many as were allowed, and from any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.annotators.conftest import tokenised
from wellread.annotators.sentence_vectors import SentenceEmbedder
from wellread.annotators.words import TokenMode, WordEmbedder
from wellread.runtime.model import Model
from wellread.runtime.session import Session

_TEXTS = [f"the fox {'jumps ' * (number % 5)}{number}" for number in range(40)]


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sentences were in each batch, largest first."""
    seen: list[int] = []
    run = Session.run

    def watched(self: Session, ids: Any, *how: Any) -> Any:
        seen.append(len(ids))
        seen.sort(reverse=True)  # batches run side by side
        return run(self, ids, *how)

    monkeypatch.setattr(Session, "run", watched)
    return seen


@pytest.mark.parametrize(
    "embed",
    [
        lambda model, size: WordEmbedder(model, batch_size=size)([tokenised("fox")] * 7),
        lambda model, size: WordEmbedder(model, batch_size=size, mode="aligned")([tokenised("fox")] * 7),
        lambda model, size: SentenceEmbedder(model, batch_size=size).embed(["fox"] * 7),
    ],
    ids=["words", "aligned", "sentences"],
)
def test_a_batch_has_as_many_sentences_as_were_allowed(
    model: Model, embed: Callable[[Model, int | None], object], sizes: list[int]
) -> None:
    embed(model, 3)
    assert sizes == [3, 3, 1]
    sizes.clear()
    embed(model, None)
    assert sizes == [7]


@pytest.mark.parametrize("mode", ["sparknlp", "aligned"])
def test_threads_that_share_an_embedder_get_the_vectors_of_one_thread(model: Model, mode: TokenMode) -> None:
    embedder = WordEmbedder(model, mode=mode)
    rows = [tokenised(text) for text in _TEXTS]
    parts = [rows[first::8] for first in range(8)]
    alone = [embedder(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        for number, found in enumerate(pool.map(lambda number: embedder(parts[number % 8]), range(32))):
            for row, expected in zip(found, alone[number % 8], strict=True):
                assert [one[:5] for one in row] == [one[:5] for one in expected]
                np.testing.assert_array_equal(
                    [one.embeddings for one in row], [one.embeddings for one in expected], strict=True
                )
