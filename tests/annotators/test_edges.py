"""Where things begin and end, to the character."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from wellread.annotators.annotation import Annotation
from wellread.annotators.chunks import chunk_vectors, find_chunks
from wellread.annotators.documents import CleanupMode, document
from wellread.annotators.pieces import Pieces
from wellread.annotators.sentences import SentenceSplitter
from wellread.annotators.tokens import Splitter
from wellread.annotators.words import TokenMode, WordEmbedder, sentences_of
from wellread.runtime.folder import TOKENIZER
from wellread.runtime.model import Model


def word(begin: int, text: str, *vector: float) -> Annotation:
    array = np.array(vector, np.float32)
    return Annotation("word_embeddings", begin, begin + len(text) - 1, text, {"sentence": "0"}, array)


def test_a_word_of_one_letter_at_the_end_of_a_chunk_counts() -> None:
    words = [word(0, "plan", 1), word(5, "B", 3), word(7, "C", 9)]
    (found,) = chunk_vectors(find_chunks("plan B C", ["plan B"]), words)
    assert found.embeddings.tolist() == [2]


def test_places_of_a_phrase_may_touch() -> None:
    found = find_chunks("京京 --", ["京", "-"])
    assert [(one.begin, one.result) for one in found] == [(0, "京"), (1, "京"), (3, "-"), (4, "-")]


@pytest.mark.parametrize("mode", ["sparknlp", "aligned"])
def test_every_sentence_of_a_document_has_the_vectors_that_it_has_alone(model: Model, mode: TokenMode) -> None:
    sentences = SentenceSplitter()(document("I love NLP. The quick fox jumps. You run."))
    kept = WordEmbedder(model, mode=mode).embed(sentences_of(sentences, Splitter()(sentences)))
    assert len(kept) == 3
    for sentence, found in zip(sentences, kept, strict=True):
        alone = model.encode(sentence.result, output_level="token")
        np.testing.assert_allclose(found.vectors, alone.vectors, atol=2e-6)


def test_a_token_is_lowered_letter_by_letter(model: Model) -> None:
    assert [WordEmbedder(model).result(token) for token in ("Straße", "ΟΔΟΣ")] == ["straße", "οδος"]


@pytest.mark.parametrize("cleanup", ["shrink", "shrink_full", "delete_full"])
def test_control_characters_at_the_ends_are_trimmed_like_white_space(cleanup: CleanupMode) -> None:
    (found,) = document("\x00\x1f a\x01b \x02\n", cleanup)
    assert found.result == "a\x01b"


def test_a_reader_of_pieces_pickles_with_its_case(cased_model: Model) -> None:
    path = cased_model.path / TOKENIZER
    lower, own = (Pieces(path, "lower"), Pieces(path))
    twins = [pickle.loads(pickle.dumps(one)) for one in (lower, own)]
    read = [one.first_part("FOX") for one in (lower, own)]
    assert [one.first_part("FOX") for one in twins] == read and read[0] != read[1]
