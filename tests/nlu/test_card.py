"""The founding card's NLU snippet as it is printed there, its import line apart."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import wellread
from tests.fixtures.running import running_hub
from tests.model_cards import posts
from wellread.model_cards.reading import read_card

NAME, REFERENCE = "small_bert_L8_512", "en.embed.bert.small_L8_512"
CARD = """\
import nlu

text = ["I love NLP"]
embeddings_df = nlu.load('en.embed.bert.small_L8_512').predict(text, output_level='token')
embeddings_df
"""
POST = next(tab.code for tab in read_card(posts.post(), "founding.md").tabs if tab.title == "NLU")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_hub(tmp_path_factory.mktemp("founding"), name=NAME, aliases=(REFERENCE,))


def shown(code: str) -> Any:
    """What a notebook shows below a cell: the value of its last line."""
    cell = ast.parse(code.replace("import nlu", "import wellread as nlu"))
    last = cell.body.pop()
    assert isinstance(last, ast.Expr)
    names: dict[str, Any] = {}
    exec(compile(cell, "<card>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<card>", "eval"), names)


@pytest.mark.parametrize("code", [CARD, POST], ids=["a list", "as in the post"])
def test_the_cards_snippet_runs_with_its_import_line_changed(
    hub: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setenv("WELLREAD_HUB", str(hub))
    table = shown(code)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["token", "en_embed_bert_small_L8_512_embeddings"]
    assert list(table["token"]) == ["I", "love", "NLP"] and list(table.index) == [0, 0, 0]
    encoded = wellread.pretrained(NAME, "en").encode("I love NLP", output_level="token")
    np.testing.assert_allclose(
        np.array([*table["en_embed_bert_small_L8_512_embeddings"]], np.float32), encoded.vectors, atol=1e-6
    )
