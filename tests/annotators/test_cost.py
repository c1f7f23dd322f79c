"""What long texts cost: no more than their length allows, which somebody else may have chosen."""

from __future__ import annotations

import pytest

from tests.annotators.conftest import tokenised
from tests.runtime.test_session import run_script
from wellread.annotators.pieces import Pieces
from wellread.annotators.words import WordEmbedder
from wellread.runtime.model import Model

_TOKENS = """
    import resource, sys
    from wellread.annotators.tokens import Splitter

    resource.setrlimit(resource.RLIMIT_CPU, (15, 15))
    splitters = (Splitter(), Splitter(split_chars=["-", "x"]), Splitter(exceptions=["a b", "x\\\\.x"]))
    for unit in (".", "x", "a.", "' ", "(x) ", "-", ".x"):
        for splitter in splitters:
            splitter.spans(unit * 50_000)
            splitter.spans(f"a{unit * 50_000}a")
    print("done")
"""
"""A second or two in all; with a rule that takes quadratic time, the system kills it."""
_WORD = """
    import resource, sys
    from pathlib import Path
    from wellread.annotators.pieces import Pieces

    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    pieces = Pieces(Path(sys.argv[1]))
    for unit in ("x", "中", "é", "'", "\\ud800"):
        pieces.first_part(unit * 100_000)
    print("done")
"""


def test_any_text_is_split_into_tokens_in_time() -> None:
    done = run_script(_TOKENS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_any_token_is_split_into_pieces_in_time(model: Model) -> None:
    done = run_script(_WORD, model.path / "tokenizer.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_of_a_long_sentence_no_tokens_are_looked_up_past_the_limit(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    first_part = Pieces.first_part

    def counted(self: Pieces, token: str) -> tuple[int, ...]:
        looked_up.append(token)
        return first_part(self, token)

    monkeypatch.setattr(Pieces, "first_part", counted)
    (kept,) = WordEmbedder(model).embed(tokenised("the fox " * 10_000))
    limit = model.manifest.max_length
    assert len(kept.index) == limit - 2
    assert len(looked_up) <= limit
