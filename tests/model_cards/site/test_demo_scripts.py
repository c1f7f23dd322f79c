"""What scripts compute is what Python does: pooling, words and sizes, run by node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from wellread.model_cards.site.pages.page_templates import size
from wellread.model_cards.site.pages.vendored import FOLDER
from wellread.registry.records import Pooling
from wellread.runtime.pooling import POOLINGS

HIDDEN = 7
ASK = """
import { pooled, cosine, POOLINGS } from "%s";
const said = JSON.parse(process.argv[1]);
const found = said.map(([pooling, states, pieces]) => Array.from(pooled(pooling, states, %d, pieces)));
const cosines = [cosine([0, 0], [1, 2]), cosine([3, 4], [6, 8])];
console.log(JSON.stringify({ found, known: Object.keys(POOLINGS), cosines }));
"""


def node(script: str, argument: object) -> Any:
    """What a script prints. Skips where node is not installed."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")
    command = [program, "--input-type=module", "--eval", script, "--", json.dumps(argument)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_each_pooling_gives_what_pythons_gives() -> None:
    random = np.random.default_rng(0)
    cases, expected = [], []
    for pooling in get_args(Pooling):
        pool = POOLINGS[pooling]
        for pieces in (2, 3, 9):
            shape = (pieces, HIDDEN) if pool.output == "last_hidden_state" else (HIDDEN,)
            states = random.normal(size=shape).astype(np.float32)
            edge = 0 if pool.specials or pieces == 2 else 1
            expected.append(pool.reduce(states[None], np.array([edge]), np.array([pieces - edge]))[0])
            cases.append([pooling, states.ravel().tolist(), pieces])
    said = node(ASK % ((FOLDER / "pooling.js").as_uri(), HIDDEN), cases)
    assert said["known"] == list(POOLINGS)
    assert said["cosines"] == [0, pytest.approx(1)]
    for found, right in zip(said["found"], expected, strict=True):
        np.testing.assert_allclose(found, right, atol=1e-6)


WORDS = """
import { truncated, wordsOf } from "%s";
const [tokens, limit] = JSON.parse(process.argv[1]);
console.log(JSON.stringify({ words: wordsOf(tokens), cut: truncated(tokens, limit) }));
"""


@pytest.fixture
def tokeniser(tmp_path: Path) -> str:
    """The script beside a stand-in for what npm brings: words are made without it."""
    shutil.copy(FOLDER / "tokeniser.js", tmp_path / "tokeniser.mjs")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/package.json").write_text('{"type": "module"}')
    (tmp_path / "vendor/tokenizers.js").write_text("export class Tokenizer {}")
    return (tmp_path / "tokeniser.mjs").as_uri()


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["[CLS]", "un", "##able", "fox", ".", "[SEP]"], [("unable", 1), ("fox", 3), (".", 4)]),
        (["[CLS]", "#", "##", "[UNK]", "[SEP]"], [("#", 1), ("##", 2), ("[UNK]", 3)]),
        (["[CLS]", "[SEP]"], []),
    ],
)
def test_pieces_become_words(tokeniser: str, tokens: list[str], words: list[tuple[str, int]]) -> None:
    said = node(WORDS % tokeniser, [tokens, 4])
    assert [(word["text"], word["at"]) for word in said["words"]] == words
    assert said["cut"] == (tokens if len(tokens) <= 4 else [*tokens[:3], tokens[-1]])


SIZES = """
import { sizeInWords } from "%s";
console.log(JSON.stringify(JSON.parse(process.argv[1]).map(sizeInWords)));
"""


def test_sizes_are_called_what_the_pages_call_them() -> None:
    sizes = [-1, 0, 1, 999, 1000, 8_149, 999_999, 40_851_457, 7_300_000_000, 2_000_000_000_000]
    assert node(SIZES % (FOLDER.parent / "sizes.js").as_uri(), sizes) == [size(amount) for amount in sizes]
