"""``predict`` from end to end: the card's table, every level, what goes beside, and nulls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import wellread
from tests.nlu.conftest import OTHER, SENTENCES, WORDS
from wellread.annotators.pieces import Pieces
from wellread.errors import BadInput
from wellread.nlu.pipeline import Pipeline

pytestmark = pytest.mark.press

VECTORS = "en_embed_bert_tiny_embeddings"
TWO = "I love NLP. The quick fox jumps over New York."


def test_the_cards_one_liner_gives_the_cards_table(pipeline: Pipeline) -> None:
    table = pipeline.predict(["I love NLP"], output_level="token")
    assert list(table.columns) == ["token", VECTORS]
    assert list(table.token) == ["I", "love", "NLP"]
    assert (table.index.name, list(table.index)) == ("origin_index", [0, 0, 0])
    expected = pipeline.models[0].encode("I love NLP", output_level="token").vectors
    np.testing.assert_allclose(np.stack(table[VECTORS]), expected, atol=1e-6)
    today = pipeline.predict(["I love NLP"], output_level="token", naming="nlu5")
    assert list(today.columns) == ["token", "word_embedding_bert"]


def test_every_vector_is_its_texts_own_whatever_its_company(pipeline: Pipeline) -> None:
    texts = ["The lazy dog", "I love NLP", "New York is good", "what"]
    table = pipeline.predict(texts)
    for number, text in enumerate(texts):
        own = pipeline.models[0].encode(text, output_level="token")
        rows = table.loc[[number]]
        assert tuple(rows.token) == own.words
        np.testing.assert_allclose(np.stack(rows[VECTORS]), own.vectors, atol=1e-5)


def test_sentences_and_documents_have_the_vectors_that_encode_gives(pipeline: Pipeline) -> None:
    encode = pipeline.models[0].encode
    sentences = pipeline.predict(TWO, "sentence")
    assert list(sentences.sentence) == ["I love NLP.", "The quick fox jumps over New York."]
    np.testing.assert_allclose(np.stack(sentences[VECTORS]), encode(list(sentences.sentence)), atol=1e-5)
    document = pipeline.predict([TWO, ""], "document")
    assert list(document.document) == [TWO, ""]
    np.testing.assert_allclose(np.stack(document[VECTORS]), encode([TWO, ""]), atol=1e-5)


def test_a_chunk_has_the_mean_of_its_words(pipeline: Pipeline) -> None:
    tokens = pipeline.predict(TWO, positions=True).reset_index().set_index("token_begin")
    chunks = pipeline.predict(
        [TWO, "York", None], "chunk", chunks=["New York", "NLP. The"], positions=True, metadata=True
    )
    assert list(chunks.chunk) == ["NLP. The", "New York"]
    assert list(chunks.chunk_origin_sentence) == [0, 1]
    for row in chunks.itertuples():
        assert TWO[row.chunk_begin : row.chunk_end + 1] == row.chunk
        inside = np.stack(tokens.loc[row.chunk_begin : row.chunk_end, VECTORS])
        np.testing.assert_allclose(row[-1], inside.mean(axis=0), atol=1e-6)


def test_a_column_names_the_chunks_of_each_row(pipeline: Pipeline) -> None:
    frame = pd.DataFrame({"text": [TWO, TWO, "what"], "chunk": ["New York", ["fox", "love"], None], "id": [1, 2, 3]})
    table = pipeline.predict(frame, "chunk")
    assert list(table.columns) == ["id", "chunk", VECTORS]
    assert table.drop(columns=VECTORS).reset_index().values.tolist() == [
        [0, 1, "New York"],
        [1, 2, "love"],
        [1, 2, "fox"],
    ]
    arrow = pl.DataFrame({"text": [TWO], "chunk": [["fox", "love"]]}).to_arrow()
    assert list(pipeline.predict(arrow, "chunk").chunk) == ["love", "fox"]


@pytest.mark.parametrize(
    ("data", "chunks", "said"),
    [
        (["a"], None, "output_level='chunk' needs phrases"),
        (["a"], "New York", "a list of str is expected"),
        (["a"], [3], "'3' of type int is no phrase"),
        (pd.DataFrame({"text": ["a"], "chunk": [3]}), None, "'3' of type int is no phrase"),
        (pd.DataFrame({"text": ["a"], "chunk": [{"a": 1}]}), None, "of type dict is no phrase"),
        (pd.DataFrame([["a", "a", "b"]], columns=["text", "chunk", "chunk"]), None, "2 columns 'chunk': leave one"),
    ],
)
def test_chunks_that_nobody_names_are_asked_for(pipeline: Pipeline, data: Any, chunks: Any, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        pipeline.predict(data, "chunk", chunks=chunks)
    assert said in str(caught.value)


def test_without_a_level_it_is_what_the_models_are_made_for(hub: Path) -> None:
    assert list(wellread.load(SENTENCES, hub=hub).predict("I love NLP").columns) == [
        "sentence",
        "en_embed_sentence_tiny_embeddings",
    ]
    both = wellread.load(f"{WORDS} {SENTENCES}", hub=hub)
    with pytest.raises(BadInput, match="made for different levels: say output_level="):
        both.predict("I love NLP")
    table = both.predict("I love NLP", "token")
    np.testing.assert_allclose(np.stack(table.iloc[:, 1]), np.stack(table.iloc[:, 2]), atol=1e-6)


def test_several_models_stand_side_by_side(hub: Path) -> None:
    both = wellread.load(f"{WORDS} {OTHER}", hub=hub)
    assert list(both.predict("I love NLP").columns) == ["token", VECTORS, "en_embed_bert_tiny_b_embeddings"]
    assert list(both.predict("I love NLP", naming="nlu5").columns) == [
        "token",
        "word_embedding_bert_from_en_embed_bert_tiny",
        "word_embedding_bert_from_en_embed_bert_tiny_b",
    ]


def test_positions_and_metadata_say_where_a_token_stands(pipeline: Pipeline) -> None:
    table = pipeline.predict(TWO, positions=True, metadata=True)
    spans = zip(table.token_begin, table.token_end, strict=True)
    assert [TWO[begin : end + 1] for begin, end in spans] == list(table.token)
    assert list(table.token_origin_sentence) == [0] * 4 + [1] * 8
    ids = pipeline.models[0].tokeniser(["fox"])[0].ids
    assert table.set_index("token").loc["fox", f"{VECTORS}_piece_id"] == ids[1]
    assert table[f"{VECTORS}_is_word_start"].all()
    assert not table[f"{VECTORS}_is_OOV"].any()
    assert table.columns[-1] == VECTORS


def test_the_rows_of_a_frame_keep_their_labels_and_columns(pipeline: Pipeline) -> None:
    frame = pd.DataFrame(
        {"id": [1, 2, 3], "text": ["I love", "", "NLP"], "when": pd.to_datetime(["2020-08-25"] * 3)},
        index=["a", "b", "a"],
    )
    table = pipeline.predict(frame)
    assert list(table.columns) == ["id", "when", "token", VECTORS]
    assert table.drop(columns=[VECTORS, "when"]).reset_index().values.tolist() == [
        ["a", 1, "I"],
        ["a", 1, "love"],
        ["a", 3, "NLP"],
    ]
    assert table.dtypes["when"] == frame.dtypes["when"]
    assert list(frame.columns) == ["id", "text", "when"]
    with pytest.raises(BadInput, match="column 'token' already"):
        pipeline.predict(frame.rename(columns={"id": "token"}))


def test_a_result_given_back_keeps_its_ties(pipeline: Pipeline) -> None:
    first = pipeline.predict(["I love NLP. The fox jumps.", "New York"], "sentence").reset_index()
    again = pipeline.predict(first.drop(columns=VECTORS).rename(columns={"sentence": "text"}))
    assert list(again.columns) == ["token", VECTORS]
    assert again.groupby("origin_index").size().to_dict() == {0: 8, 1: 2}
    assert list(again.reset_index().origin_index) == [0] * 8 + [1] * 2


@pytest.mark.parametrize("level", ["token", "sentence", "document"])
def test_a_null_has_an_empty_result(pipeline: Pipeline, level: str) -> None:
    table = pipeline.predict([None, "I love NLP", float("nan"), pd.NA], level, positions=True, metadata=True)
    if level == "document":
        assert list(table.index) == [0, 1, 2, 3]
        assert [value is None for value in table[VECTORS]] == [True, False, True, True]
        assert [value is None for value in table.document] == [True, False, True, True]
        assert list(table.document_end) == [-1, 9, -1, -1]
    else:
        assert set(table.index) == {1}


@pytest.mark.parametrize("level", ["token", "sentence", "document", "chunk"])
def test_a_table_without_rows_has_the_columns_and_types_of_any(pipeline: Pipeline, level: str) -> None:
    options: dict[str, Any] = {"output_level": level, "positions": True, "metadata": True}
    options |= {"chunks": ["love"]} if level == "chunk" else {}
    full, empty = (pipeline.predict(texts, **options) for texts in (["I love NLP"], []))
    assert len(empty) == 0 and len(full) > 0
    assert dict(empty.dtypes) == dict(full.dtypes)
    assert empty.index.name == "origin_index"


def test_tokens_past_the_limit_keep_their_rows_and_are_told(hub: Path) -> None:
    text = "the fox " * 40
    pipeline = wellread.load(WORDS, hub=hub, max_length=10)
    with pytest.warns(UserWarning, match=r"72 of 80 tokens have no vector of tiny.*\n.*token_mode='aligned'") as warned:
        table = pipeline.predict(text, metadata=True)
    assert warned[0].filename == __file__
    assert list(table.token) == ["the", "fox"] * 40
    assert [value is None for value in table[VECTORS]] == [False] * 8 + [True] * 72
    assert table[f"{VECTORS}_piece_id"].isna().sum() == table[f"{VECTORS}_is_OOV"].isna().sum() == 72
    aligned = wellread.load(WORDS, hub=hub, token_mode="aligned").predict(text)
    expected = pipeline.models[0].encode(text, output_level="token", long="window").vectors
    np.testing.assert_allclose(np.stack(aligned[VECTORS]), expected, atol=1e-5)


def test_a_token_of_which_nothing_is_left_is_told_as_that(pipeline: Pipeline) -> None:
    with pytest.warns(UserWarning, match="1 of 2 tokens have no vector of tiny: .* what is left of its first part"):
        table = pipeline.predict("fox \u200b")
    assert list(table[VECTORS].isna()) == [False, True]


@pytest.mark.parametrize("level", ["token", "document"])
def test_a_tokenizer_is_read_once_however_many_calls_there_are(
    hub: Path, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = wellread.load(WORDS, hub=hub)
    pipeline.predict("fox", level)
    monkeypatch.setattr(Pieces, "__init__", lambda *_: pytest.fail("read once more"))
    pipeline.predict("fox", level)


def test_a_text_that_is_cut_off_is_told(hub: Path) -> None:
    pipeline = wellread.load(WORDS, hub=hub, max_length=10)
    texts = ["the fox " * 4, "the fox " * 5, None, "the fox jumps over the lazy dog"]
    with pytest.warns(UserWarning, match=r"1 of 4 documents are longer than the 10 pieces.*\n.*max_length=64") as told:
        pipeline.predict(texts, "document")
    assert told[0].filename == __file__
    pipeline.predict(texts[2:], "document")
    with pytest.warns(UserWarning, match=r"the 64 pieces .*\nIt takes no more: .*long='window'"):
        wellread.load(WORDS, hub=hub).predict("the fox " * 40, "document")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"output_level": "tokens"}, "Did you mean 'token'"),
        ({"output_level": "relation"}, "is not one of 'token', 'sentence', 'document', 'chunk'"),
        ({"output_level": None}, "output_level=None is not one of"),
        ({"naming": "nlu"}, "Did you mean 'nlu5'"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"chunks": ["love"]}, "is for output_level='chunk', and this is 'token'"),
    ],
)
def test_what_is_no_option_is_refused(pipeline: Pipeline, options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        pipeline.predict(["I love NLP"], **options)
    assert said in str(caught.value)
