"""Where rows stand in their text, and how many of them run together."""

from __future__ import annotations

from typing import Any

import pytest

from wellread.nlu.pipeline import Pipeline
from wellread.runtime.session import Session

_TEXT = "I love NLP. The fox runs. New York"


def test_a_chunk_that_begins_a_sentence_is_of_that_sentence(pipeline: Pipeline) -> None:
    table = pipeline.predict(_TEXT, "chunk", chunks=["I", "The fox", "New York"], metadata=True)
    assert list(table.chunk) == ["I", "The fox", "New York"]
    assert list(table.chunk_origin_sentence) == [0, 1, 2]


def test_sentences_are_numbered_and_say_where_they_stand(pipeline: Pipeline) -> None:
    table = pipeline.predict([_TEXT, "NLP"], "sentence", positions=True, metadata=True)
    assert list(table.sentence_origin_sentence) == [0, 1, 2, 0]
    assert list(zip(table.sentence_begin, table.sentence_end, strict=True)) == [(0, 10), (12, 24), (26, 33), (0, 2)]


@pytest.mark.parametrize("level", ["token", "sentence", "document", "chunk"])
def test_as_many_run_together_as_were_allowed(pipeline: Pipeline, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    run = Session.run

    def watched(self: Session, ids: Any, *how: Any) -> Any:
        sizes.append(len(ids))
        return run(self, ids, *how)

    monkeypatch.setattr(Session, "run", watched)
    chunks = ["fox"] if level == "chunk" else None
    assert len(pipeline.predict(["fox"] * 7, level, chunks=chunks, batch_size=3)) == 7
    assert sorted(sizes) == [1, 3, 3]
    sizes.clear()
    pipeline.predict(["fox"] * 7, level, chunks=chunks)
    assert sizes == [7]
