"""Mode ``sparknlp``: what BertEmbeddings reads and gives, point by point, against Google's own tokenizer."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.annotators.conftest import Sequences, tokenised
from tests.fixtures.google_tokenizer import google
from tests.fixtures.tiny import tiny_vocabulary
from tests.runtime.test_tokenise import nasty_texts
from wellread.annotators.annotation import Annotation, Kind
from wellread.annotators.documents import document
from wellread.annotators.sentences import SentenceSplitter
from wellread.annotators.tokens import Splitter
from wellread.annotators.words import Sentence, Token, WordEmbedder, sentences_of
from wellread.errors import BadInput
from wellread.runtime.model import Model

_LIMIT = 24
_CASES = pytest.mark.parametrize(
    ("cased", "case_sensitive"), [(False, None), (False, True), (True, None), (True, False)], ids=str
)


def sentence(*tokens: str) -> Sentence:
    """Tokens as they would stand in a sentence, one space between them."""
    text, made = " ".join(tokens), []
    for at, token in enumerate(tokens):
        begin = sum(len(one) + 1 for one in tokens[:at])
        made.append(Token(begin, begin + len(token) - 1, token))
    return Sentence(text, 0, made)


def googles_first_part(token: str, cased: bool, case_sensitive: bool) -> list[int]:
    """The ids of a token by Google's classes, by points 1 to 5."""
    basic = google().BasicTokenizer(do_lower_case=not case_sensitive)
    if token in ("", " "):
        return []
    spelt = basic._run_strip_accents(token) if case_sensitive else token.lower()
    parts = basic.tokenize(spelt)[:1]
    ids = {one: number for number, one in enumerate(tiny_vocabulary(cased).decode().split("\n"))}
    wordpiece = google().WordpieceTokenizer(ids, max_input_chars_per_word=200)
    return [ids[piece] for part in parts for piece in wordpiece.tokenize(part)]


@_CASES
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tokens=st.lists(nasty_texts() | st.sampled_from(["", " ", "I", "don't", "Quickest", "NLP", "é"]), max_size=6))
@example(tokens=["x" * 201, "a" * 200, "I"])
@example(tokens=["\u0d81", "a\U00010d24b"])
@example(tokens=["\ud800a", "\udfff", "中文", "e\u0301a", "ÉA", "\x00\u200b", "a\x00b", "[SEP]"])
def test_what_is_read_is_what_googles_tokenizer_makes_of_first_parts(
    models: dict[bool, Model], read: Sequences, cased: bool, case_sensitive: bool | None, tokens: list[str]
) -> None:
    read.clear()
    embedder = WordEmbedder(models[cased], case_sensitive=case_sensitive)
    kept = embedder.embed([sentence(*tokens)])[0]
    parts = [googles_first_part(token, cased, embedder.case_sensitive) for token in tokens]
    pieces = [one for part in parts for one in part][: _LIMIT - 2]
    cls, sep = embedder.model.tokeniser.cls, embedder.model.tokeniser.sep
    assert [ids.tolist() for ids in read] == ([[cls, *pieces, sep]] if pieces else [])
    firsts = np.cumsum([0, *(len(part) for part in parts)])
    assert kept.index.tolist() == [at for at, part in enumerate(parts) if part and firsts[at] < _LIMIT - 2]


def test_1_tokens_that_are_empty_or_a_space_are_dropped(model: Model) -> None:
    (kept,) = WordEmbedder(model).embed([Sentence("i  love", 0, [Token(0, 0, "i"), Token(1, 1, " "), Token(2, 1, "")])])
    assert kept.index.tolist() == [0]


def test_1_tokens_are_read_with_their_own_sentence(model: Model, read: Sequences, pieces: Any) -> None:
    sentences = SentenceSplitter()(document("I love it. You run it."))
    kept = WordEmbedder(model).embed(sentences_of(sentences, Splitter()(sentences)))
    assert [pieces(ids) for ids in read] == [
        ["[CLS]", "i", "love", "it", ".", "[SEP]"],
        ["[CLS]", "you", "run", "it", ".", "[SEP]"],
    ]
    assert [one.index.tolist() for one in kept] == [[0, 1, 2, 3]] * 2


def test_2_accents_are_stripped_even_where_case_is_kept(cased_model: Model, read: Sequences) -> None:
    WordEmbedder(cased_model).embed([sentence("Thé"), sentence("The")])
    assert read[0].tolist() == read[1].tolist()


def test_2_case_is_kept_or_dropped_as_asked(models: dict[bool, Model], read: Sequences) -> None:
    for cased in (False, True):
        unknown = WordEmbedder(models[cased], case_sensitive=cased)
        unknown.embed([sentence("QUICK"), sentence("quick")])
    WordEmbedder(models[True], case_sensitive=False).embed([sentence("QUICK"), sentence("quick")])
    WordEmbedder(models[False], case_sensitive=True).embed([sentence("QUICK")])
    same, other, dropped = read[0:2], read[2:4], read[4:6]
    assert same[0].tolist() == same[1].tolist()
    assert other[0].tolist() != other[1].tolist()
    assert dropped[0].tolist() == dropped[1].tolist() == other[1].tolist()
    assert read[6].tolist() != read[0].tolist(), "the uncased vocabulary has no capitals"


def test_3_only_the_first_part_is_kept(model: Model, read: Sequences, pieces: Callable[[Any], list[str]]) -> None:
    (kept,) = WordEmbedder(model).embed(tokenised("You don't run new-york 中文 (it)."))
    assert pieces(read[0]) == [
        *("[CLS]", "you", "d", "##o", "##n", "run", "new", "中", "(", "it", ")", "[SEP]"),
    ]
    assert kept.index.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert pieces(kept.pieces) == ["you", "d", "run", "new", "中", "(", "it", ")"]


def test_4_what_has_nothing_left_has_no_row(model: Model, read: Sequences) -> None:
    kept = WordEmbedder(model).embed([sentence("\u200b", "the", "\x00", "\u0301"), sentence("\u200b"), sentence()])
    assert [one.index.tolist() for one in kept] == [[1], [], []]
    assert [one.vectors.shape for one in kept] == [(1, 32), (0, 32), (0, 32)]
    assert len(read) == 1, "nothing is read for nothing"


def test_5_an_unknown_word_is_one_piece(model: Model, read: Sequences, pieces: Callable[[Any], list[str]]) -> None:
    WordEmbedder(model).embed([sentence("loved", "ξoved", "x" * 200, "x" * 201, "\ud800")])
    assert pieces(read[0])[1:-1] == ["love", "##d", "[UNK]", "x", *["##x"] * 18]
    read.clear()
    WordEmbedder(model).embed([sentence("x" * 201, "\ud800", "the")])
    assert pieces(read[0])[1:-1] == ["[UNK]", "[UNK]", "the"]


def test_6_at_most_max_length_pieces_are_read(
    model: Model, read: Sequences, pieces: Callable[[Any], list[str]]
) -> None:
    (kept,) = WordEmbedder(model, max_length=6).embed([sentence("I", "love", "loved", "it")])
    assert pieces(read[0]) == ["[CLS]", "i", "love", "love", "##d", "[SEP]"]
    assert kept.index.tolist() == [0, 1, 2]
    read.clear()
    (kept,) = WordEmbedder(model, max_length=5).embed([sentence("I", "love", "loved", "it")])
    assert pieces(read[0]) == ["[CLS]", "i", "love", "love", "[SEP]"]
    assert kept.index.tolist() == [0, 1, 2], "cut in two, but its first piece is in"


def test_6_a_model_of_fewer_positions_reads_what_it_can(model: Model, read: Sequences) -> None:
    (kept,) = WordEmbedder(model).embed([sentence(*["the"] * 200)])
    assert [len(ids) for ids in read] == [_LIMIT]
    assert kept.index.tolist() == list(range(_LIMIT - 2))


def test_6_no_id_is_that_of_padding_whatever_is_written(model: Model, read: Sequences) -> None:
    """So a mask of the ids that are not 0 is the mask of all positions."""
    WordEmbedder(model).embed([sentence("[PAD]", "the"), sentence("a")])
    assert model.tokeniser.pad == 0 and all(ids.all() for ids in read)


def test_7_a_words_vector_is_its_first_pieces_in_the_last_layer(model: Model) -> None:
    (kept,) = WordEmbedder(model).embed([sentence("the", "loved", "fox")])
    words = model.encode("the loved fox", output_level="token")
    np.testing.assert_allclose(kept.vectors, words.vectors, atol=1e-6)
    assert kept.vectors.dtype == np.float32


def test_8_annotations(model: Model) -> None:
    sentences = SentenceSplitter()(document("I LOVE it. Not York!"))
    embedder = WordEmbedder(model)
    rows = embedder([sentences_of(sentences, Splitter()(sentences)), [], tokenised("you")])
    assert [len(row) for row in rows] == [7, 0, 1]
    found = rows[0]
    assert [(one.begin, one.end, one.result) for one in found] == [
        *((0, 0, "i"), (2, 5, "love"), (7, 8, "it"), (9, 9, ".")),
        *((11, 13, "not"), (15, 18, "york"), (19, 19, "!")),
    ]
    assert {one.kind for one in found} == {"word_embeddings"}
    assert found[5].metadata == {
        "sentence": "1",
        "token": "york",
        "pieceId": str(tiny_vocabulary().decode().split("\n").index("york")),
        "isWordStart": "true",
        "isOOV": "false",
    }
    assert found[5].embeddings.shape == (embedder.dimension,)
    assert rows[1] == []


def test_8_a_result_keeps_its_case_where_case_is_kept(cased_model: Model) -> None:
    ((found,),) = WordEmbedder(cased_model)([tokenised("NLP")])
    assert (found.result, found.metadata["token"]) == ("NLP", "NLP")


def test_sentences_can_bear_other_numbers(model: Model) -> None:
    embedder = WordEmbedder(model)
    sentences = [sentence("i"), sentence("you")]
    found = embedder.annotations(sentences, embedder.embed(sentences), [4, 7])
    assert [one.metadata["sentence"] for one in found] == ["4", "7"]


def spoken(kind: Kind, begin: int, text: str, **metadata: str) -> Annotation:
    return Annotation(kind, begin, begin + len(text) - 1, text, metadata)


def test_tokens_of_no_sentence_are_left_out() -> None:
    tokens = [spoken("token", at, "ab") for at in range(5)]
    (found,) = sentences_of([spoken("document", 1, "abc")], tokens)
    assert found.tokens == [Token(1, 2, "ab"), Token(2, 3, "ab")]
    assert sentences_of([], tokens) == []


@pytest.mark.parametrize("numbers", [(None, None), ("0", "0"), ("7", "7"), ("1", "0"), ("0", "1")])
@pytest.mark.parametrize("numbered", [False, True])
def test_a_token_is_in_the_sentence_where_it_stands_however_that_is_numbered(
    numbers: tuple[str | None, str | None], numbered: bool
) -> None:
    first, second = ({"sentence": one} if one else {} for one in numbers)
    own = {"sentence": "0"} if numbered else {}
    sentences = [spoken("document", 0, "i love", **first), spoken("document", 7, "fox", **second)]
    words = [spoken("token", begin, word, **own) for begin, word in ((0, "i"), (2, "love"), (7, "fox"))]
    for order in (1, -1):
        found = sentences_of(sentences[::order], words)[::order]
        assert [[token.result for token in one.tokens] for one in found] == [["i", "love"], ["fox"]]


def test_of_documents_that_share_their_places_the_number_decides() -> None:
    sentences = [spoken("document", 0, "a b", sentence=str(number)) for number in range(3)]
    found = sentences_of(sentences, [spoken("token", 2, "b", sentence=number) for number in "201"])
    assert [len(one.tokens) for one in found] == [1, 1, 1]


def test_rows_in_company_are_rows_alone(model: Model) -> None:
    texts = [f"the quick fox {'jumps ' * (n % 9)}{n}." for n in range(60)]
    rows = [tokenised(text) for text in texts]
    embedder = WordEmbedder(model, batch_size=7)
    together = embedder(rows)
    for row, found in zip(rows, together, strict=True):
        (alone,) = embedder([row])
        assert [one.result for one in alone] == [one.result for one in found]
        np.testing.assert_allclose([one.embeddings for one in alone], [one.embeddings for one in found], atol=1e-5)


def test_what_is_remembered_of_tokens_is_bounded(model: Model) -> None:
    embedder = WordEmbedder(model)
    embedder.embed([sentence("x" * length) for length in range(1, 1000)])
    kept = embedder._pieces._remembered.cache_info()
    assert kept.currsize * 10 < 999 and (kept.maxsize or math.inf) < 50_000


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"mode": "alined"}, r"mode='alined' is not one of sparknlp, aligned. Did you mean 'aligned'"),
        ({"max_length": 2}, "max_length=2: a whole number of at least 3"),
        ({"max_length": True}, "max_length=True"),
        ({"max_length": 512}, "max_length=512: tiny takes 24 pieces"),
        ({"max_length": 12.0}, "max_length=12.0: a whole number"),
        ({"max_length": np.bool_(True)}, "max_length=.*True.*: a whole number"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": True}, "batch_size=True"),
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused(model: Model, option: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        WordEmbedder(model, **option)


def test_numpys_whole_numbers_are_whole_numbers(model: Model) -> None:
    length: Any = np.int64(12)
    size: Any = np.uint8(8)
    embedder = WordEmbedder(model, max_length=length, batch_size=size)
    assert (embedder.max_length, embedder.batch_size) == (12, 8)
    assert {type(embedder.max_length), type(embedder.batch_size)} == {int}


def test_it_pickles(model: Model) -> None:
    embedder = WordEmbedder(model, case_sensitive=True, max_length=7, batch_size=3, mode="aligned")
    twin = pickle.loads(pickle.dumps(embedder))
    options = ("case_sensitive", "max_length", "batch_size", "mode")
    assert [getattr(twin, one) for one in options] == [True, 7, 3, "aligned"]
    rows = [tokenised("the fox")]
    assert twin(rows)[0][0].embeddings.tolist() == embedder(rows)[0][0].embeddings.tolist()
