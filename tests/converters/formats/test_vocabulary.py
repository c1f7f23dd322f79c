"""The vocabulary, wherever it lies and however it is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.tiny import tiny_vocabulary
from wellread.converters.formats.vocabulary import read_vocabulary, vocabulary_claim
from wellread.errors import CorruptSource, UnsupportedModel

VOCABULARY = tiny_vocabulary()
ROWS = VOCABULARY.count(b"\n")


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


@pytest.mark.parametrize("name", ["assets/vocab.txt", "vocab.txt", "assets/en_vocab_30k.txt", "bert_vocab.txt"])
def test_it_is_found_and_kept_byte_for_byte(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, VOCABULARY)
    assert read_vocabulary(tmp_path, ROWS) == VOCABULARY


@pytest.mark.parametrize("written", [VOCABULARY[:-1], VOCABULARY.replace(b"\n", b"\r\n")])
def test_line_ends_are_made_the_same(tmp_path: Path, written: bytes) -> None:
    put(tmp_path, "vocab.txt", written)
    assert read_vocabulary(tmp_path, ROWS) == VOCABULARY


def test_signs_that_only_look_like_line_ends_are_tokens(tmp_path: Path) -> None:
    odd = VOCABULARY + "\u2028\n\u0085\n\x0b\n".encode()
    put(tmp_path, "vocab.txt", odd)
    assert read_vocabulary(tmp_path, ROWS + 3) == odd


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (
            VOCABULARY.partition(b"\n")[2],
            f"it has {ROWS - 1} lines, the word embedding has {ROWS} rows; it lacks .PAD.",
        ),
        (VOCABULARY + b"more\n", f"it has {ROWS + 1} lines, the word embedding has {ROWS} rows"),
        (VOCABULARY.replace(b"[CLS]", b"[cls]").replace(b"[SEP]", b"[sep]"), r"it lacks \[CLS\] \[SEP\]"),
        (VOCABULARY.replace(b"\nfox\n", b"\nthe\n"), "1 tokens stand in it twice: 'the'"),
        (VOCABULARY.replace(b"\nfox\n", b"\n\xff\n"), "it is not UTF-8 at byte"),
        (b"", "it has 1 lines"),
    ],
)
def test_everything_wrong_with_it_is_told(tmp_path: Path, written: bytes, reason: str) -> None:
    put(tmp_path, "vocab.txt", written)
    with pytest.raises(CorruptSource, match=rf"vocab\.txt is not the vocabulary of this model: .*{reason}"):
        read_vocabulary(tmp_path, ROWS)


def test_none_or_several_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptSource, match=r"has no vocabulary: assets/vocab\.txt or vocab\.txt is expected"):
        read_vocabulary(tmp_path, ROWS)
    put(tmp_path, "a_vocab.txt", VOCABULARY)
    put(tmp_path, "b_vocab.txt", VOCABULARY)
    with pytest.raises(CorruptSource, match=r"several vocabularies: a_vocab\.txt, b_vocab\.txt"):
        read_vocabulary(tmp_path, ROWS)


def test_sentencepiece_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "assets/30k-clean.model", b"...")
    with pytest.raises(UnsupportedModel, match="SentencePiece"):
        read_vocabulary(tmp_path, ROWS)


def tokenizer(**model: Any) -> bytes:
    ids = {token: number for number, token in enumerate(VOCABULARY.decode().split("\n")[:-1])}
    return json.dumps({"model": {"type": "WordPiece", "vocab": ids, **model}}).encode()


def test_it_is_taken_out_of_a_tokenizer(tmp_path: Path) -> None:
    put(tmp_path, "tokenizer.json", tokenizer(continuing_subword_prefix="##"))
    assert read_vocabulary(tmp_path, ROWS) == VOCABULARY


def test_a_tokenizer_as_the_library_writes_it_gives_the_vocabulary_with_its_added_tokens(tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece

    ids = {token: number for number, token in enumerate(VOCABULARY.decode().split("\n")[:-1])}
    made = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    made.add_special_tokens(["[CLS]", "<more>"])
    made.save(str(tmp_path / "tokenizer.json"))
    assert read_vocabulary(tmp_path, ROWS + 1) == VOCABULARY + b"<more>\n"


@pytest.mark.parametrize(
    "model", [{"type": "BPE"}, {"type": "Unigram"}, {"continuing_subword_prefix": "@@"}, {"type": None}]
)
def test_a_tokenizer_of_another_kind_is_refused(tmp_path: Path, model: dict[str, Any]) -> None:
    put(tmp_path, "tokenizer.json", tokenizer(**model))
    with pytest.raises(UnsupportedModel, match="WordPiece with '##'"):
        read_vocabulary(tmp_path, ROWS)


@pytest.mark.parametrize("vocab", [{"a": 0, "b": 2}, {"a": 0, "b": 0}, {"a": "x"}, None, [], 3])
def test_a_tokenizer_with_holes_is_refused(tmp_path: Path, vocab: object) -> None:
    put(tmp_path, "tokenizer.json", tokenizer(vocab=vocab))
    with pytest.raises(CorruptSource, match=r"tokenizer\.json"):
        read_vocabulary(tmp_path, 2)


@pytest.mark.parametrize("cased", [True, False])
def test_letters_tell_whether_it_is_cased(cased: bool) -> None:
    assert vocabulary_claim(tiny_vocabulary(cased)).value is cased
