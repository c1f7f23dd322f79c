"""What the columns are called, under both namings and for several models."""

from __future__ import annotations

from typing import get_args

import pytest

from wellread.errors import BadInput
from wellread.nlu.columns import Naming, Source, added, check_free, vector_names
from wellread.nlu.levels import Level

L8 = Source("en.embed.bert.small_L8_512", "BertEmbeddings")
L2 = Source("en.embed.bert.small_L2_128", "BertEmbeddings")
SENTENCE = Source("en.embed_sentence.small_bert_L8_512", "BertSentenceEmbeddings")


def test_the_card_names_a_column_by_its_reference_at_every_level() -> None:
    for level in get_args(Level):
        assert vector_names([L8, L2], level, "card") == [
            "en_embed_bert_small_L8_512_embeddings",
            "en_embed_bert_small_L2_128_embeddings",
        ]


@pytest.mark.parametrize(
    ("level", "name"),
    [
        ("token", "word_embedding_bert"),
        ("sentence", "sentence_embedding_bert"),
        ("document", "sentence_embedding_bert"),
        ("chunk", "chunk_embedding_bert"),
    ],
)
def test_nlu_of_today_names_it_by_level_and_family(level: Level, name: str) -> None:
    assert vector_names([L8], level, "nlu5") == vector_names([SENTENCE], level, "nlu5") == [name]


def test_two_of_one_family_are_told_apart_by_their_references() -> None:
    assert vector_names([L8, L2], "token", "nlu5") == [
        "word_embedding_bert_from_en_embed_bert_small_L8_512",
        "word_embedding_bert_from_en_embed_bert_small_L2_128",
    ]


@pytest.mark.parametrize("naming", get_args(Naming))
def test_references_that_differ_in_dots_alone_are_refused(naming: Naming) -> None:
    with pytest.raises(BadInput, match="would have the same column: load them one by one"):
        vector_names([Source("en.tiny", "BertEmbeddings"), Source("en_tiny", "BertEmbeddings")], "token", naming)


def test_the_columns_come_in_their_order_vectors_last() -> None:
    names = [one.name for one in added([L8], "token", "nlu5", positions=True, metadata=True)]
    assert names == [
        "token",
        "token_begin",
        "token_end",
        "token_origin_sentence",
        "word_embedding_bert_piece_id",
        "word_embedding_bert_is_word_start",
        "word_embedding_bert_is_OOV",
        "word_embedding_bert",
    ]
    assert [one.name for one in added([L8], "document", "card", metadata=True)] == [
        "document",
        "document_origin_sentence",
        "en_embed_bert_small_L8_512_embeddings",
    ]


def test_no_column_of_the_callers_is_overwritten() -> None:
    check_free(added([L8], "token", "card"), ["sentence", "id"])
    with pytest.raises(BadInput, match="the DataFrame has a column 'token' already"):
        check_free(added([L8], "token", "card"), ["id", "token"])
    check_free(added([L8], "token", "card"), ["Token"])
    with pytest.raises(BadInput, match="the DataFrame has a column 'Token' already"):
        check_free(added([L8], "token", "card"), ["Token"], str.lower)
