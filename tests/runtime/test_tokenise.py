"""Ids and words of the runtime against Google's FullTokenizer and BasicTokenizer."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fixtures.google_tokenizer import google, google_ids
from tests.fixtures.tiny import tiny_vocabulary
from wellread.converters.tokenizer import write_tokenizer
from wellread.errors import BadInput, IntegrityError
from wellread.runtime.tokenise import Tokenised, Tokeniser

CASINGS = pytest.mark.parametrize("cased", [False, True], ids=["uncased", "cased"])
_LETTERS = (
    "aAbe éÉ\u0301\u0323ΑΣσςİıß각中\uf900.'’…≠[]#1"
    "\u00ad\u200d\ufe0f\x00\x85\t\n\u00a0\u2028\ue000אדم\u0651\U0001f469\U0001f4bb"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    found = {cased: tmp_path_factory.mktemp(f"cased_{cased}") for cased in (False, True)}
    for cased, folder in found.items():
        write_tokenizer(folder, tiny_vocabulary(cased), cased, 64)
    return found


@pytest.fixture(scope="module")
def tokenisers(folders: dict[bool, Path]) -> dict[bool, Tokeniser]:
    return {cased: Tokeniser(folder / "tokenizer.json") for cased, folder in folders.items()}


@pytest.fixture(scope="module")
def googles(folders: dict[bool, Path]) -> dict[bool, Any]:
    return {
        cased: google().FullTokenizer(str(folder / "vocab.txt"), do_lower_case=not cased)
        for cased, folder in folders.items()
    }


def spelt(text: str, tokenised: Tokenised) -> list[str]:
    return [text[word.begin : word.end] for word in tokenised.words]


def nasty_texts() -> st.SearchStrategy[str]:
    texts = st.text(st.sampled_from(_LETTERS) | st.characters(exclude_categories=["Cn", "Cs", "Mc"]), max_size=30)
    return texts | texts.map(lambda text: unicodedata.normalize("NFD", text))


@CASINGS
@given(text=nasty_texts() | st.text(st.sampled_from("a \ud800\udfff'"), max_size=9))
@example("[CLS] the [SEP] the [MASK] [PAD] [unused0]")
@example("the " * 600)
@example("lovely " + "x" * 500 + " quickest")
@example("\ud83d\udc69 the a\ud800 \udfff")
def test_ids_are_googles_even_where_special_tokens_are_typed(
    tokenisers: dict[bool, Tokeniser], googles: dict[bool, Any], cased: bool, text: str
) -> None:
    (found,) = tokenisers[cased]([text])
    assert found.ids.dtype == np.int64
    assert found.ids.tolist() == google_ids(googles[cased], text)


@CASINGS
@given(text=nasty_texts())
@example("e\u0301\u200d\u0301!\u0301a 中\u0301文 \u0301 x\n\u0301")
def test_words_are_googles_in_their_original_spelling(
    tokenisers: dict[bool, Tokeniser], googles: dict[bool, Any], cased: bool, text: str
) -> None:
    """Each span, tokenised alone, is the word again; only a final sigma depends on more than the span."""
    basic = googles[cased].basic_tokenizer
    (found,) = tokenisers[cased]([text])
    alone = [basic.tokenize(span) for span in spelt(text, found)]
    assert [[w.replace("ς", "σ") for w in words] for words in alone] == [
        [word.replace("ς", "σ")] for word in basic.tokenize(text)
    ]


@CASINGS
@given(text=nasty_texts())
def test_words_follow_each_other_and_share_out_the_pieces(
    tokenisers: dict[bool, Tokeniser], googles: dict[bool, Any], cased: bool, text: str
) -> None:
    (found,) = tokenisers[cased]([text])
    full = googles[cased]
    words, pieces = found.words, full.convert_ids_to_tokens(found.ids)
    assert [pieces[w.first : w.last] for w in words] == [
        full.wordpiece_tokenizer.tokenize(w) for w in full.basic_tokenizer.tokenize(text)
    ]
    assert [w.first for w in words] == [1, *(w.last for w in words)][: len(words)]
    assert all(w.begin < w.end <= len(text) for w in words)
    assert all(one.end <= two.begin for one, two in pairwise(words))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I love NLP", ["I", "love", "NLP"]),
        ("don't", ["don", "'", "t"]),
        ("Café cafe\u0301.", ["Café", "cafe\u0301", "."]),
        ("日本 ≠ 中\u0301", ["日", "本", "≠", "中\u0301"]),
        ("x" * 500 + "!", ["x" * 500, "!"]),
        ("\ufeffso\u00adft\x00 \u0301 a\u200d", ["so\u00adft", "a"]),
        ("\U0001f469\u200d\U0001f4bb\ufe0f ok", ["\U0001f469\u200d\U0001f4bb\ufe0f", "ok"]),
        ("a\ud800b \udfff", ["a\ud800b", "\udfff"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("a\n\u0301 b", ["a", "b"]),
        ("", []),
        (" \t\n\u3000", []),
        ("\x00\x01\u200b\u0301", []),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_words(tokenisers: dict[bool, Tokeniser], text: str, words: list[str]) -> None:
    assert spelt(text, tokenisers[False]([text])[0]) == words


def test_a_leading_accent_of_a_cased_word_is_not_the_last_words(tokenisers: dict[bool, Tokeniser]) -> None:
    text = "!\u0301a 中\u0301"
    assert spelt(text, tokenisers[True]([text])[0]) == ["!", "\u0301a", "中", "\u0301"]


def test_batches_keep_their_order(tokenisers: dict[bool, Tokeniser]) -> None:
    texts = [f"the fox {n} " * (n % 7) for n in range(3000)]
    one_by_one = [tokenisers[False]([text])[0].ids.tolist() for text in texts]
    assert [found.ids.tolist() for found in tokenisers[False](texts)] == one_by_one
    assert tokenisers[False]([]) == []
    assert len(tokenisers[False](tuple(texts))) == 3000


def test_special_ids_are_those_of_the_vocabulary(tokenisers: dict[bool, Tokeniser]) -> None:
    tokens = tiny_vocabulary().decode().split("\n")
    ours = tokenisers[False]
    assert [ours.cls, ours.sep, ours.pad] == [tokens.index(token) for token in ("[CLS]", "[SEP]", "[PAD]")]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ("a text", r"single str"),
        (["a", None], r"texts\[1\] is of type NoneType"),
        ([b"bytes"], r"texts\[0\] is of type bytes"),
        (["a", "b", 3.5], r"texts\[2\] is of type float"),
        ([["a"]], r"texts\[0\] is of type list"),
    ],
)
def test_what_is_no_text_is_named(tokenisers: dict[bool, Tokeniser], texts: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        tokenisers[False](texts)


def test_strings_of_numpy_are_texts(tokenisers: dict[bool, Tokeniser]) -> None:
    (found,) = tokenisers[False](np.array(["the fox"])[:1].tolist())
    (other,) = tokenisers[False]([np.str_("the fox")])
    assert found.ids.tolist() == other.ids.tolist()


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json"):
        Tokeniser(file)
    for raw in (
        b"",
        b"{}",
        b"\xff",
        b'{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}',
    ):
        file.write_bytes(raw)
        with pytest.raises(IntegrityError, match=r"tokenizer\.json"):
            Tokeniser(file)


def test_it_pickles_and_copies(tokenisers: dict[bool, Tokeniser]) -> None:
    texts = ["the [SEP] fox"]
    for twin in (pickle.loads(pickle.dumps(tokenisers[False])), copy.deepcopy(tokenisers[False])):
        assert twin(texts)[0].ids.tolist() == tokenisers[False](texts)[0].ids.tolist()


def test_threads_share_it(tokenisers: dict[bool, Tokeniser]) -> None:
    texts = [f"the quick fox jumps {n}" for n in range(200)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: [(t.ids.tolist(), t.words) for t in tokenisers[False](texts)], range(16)))
    assert all(answer == answers[0] for answer in answers)


_FORK = """
import multiprocessing, os, sys
from pathlib import Path
from wellread.runtime.tokenise import Tokeniser

tokeniser = Tokeniser(Path(sys.argv[1]))
texts = ["the quick brown fox jumps over the lazy dog"] * 5000
before, environment = tokeniser(texts), dict(os.environ)

def count(_):
    inherited, opened = tokeniser(texts), Tokeniser(Path(sys.argv[1]))(texts)
    return [sum(len(found.ids) for found in group) for group in (inherited, opened)] + [len(inherited[0].words)]

with multiprocessing.get_context("fork").Pool(2) as pool:
    counts = pool.map(count, range(3))
tokens = sum(len(found.ids) for found in before)
assert counts == [[tokens, tokens, 9]] * 3
assert len(tokeniser(texts)) == 5000 and dict(os.environ) == environment
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("parallelism", [None, "true", "false"])
def test_it_survives_fork_in_silence(folders: dict[bool, Path], parallelism: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
    environment |= {"TOKENIZERS_PARALLELISM": parallelism} if parallelism else {}
    file = str(folders[False] / "tokenizer.json")
    command = [sys.executable, "-W", "error", "-c", _FORK, file]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_sentence_level_users_do_not_pay_for_words(
    tokenisers: dict[bool, Tokeniser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tokenised, "_past_accents", lambda *_: pytest.fail("words were computed"))
    (found,) = tokenisers[False](["the fox"])
    assert len(found.ids) == 4
    with pytest.raises(pytest.fail.Exception):
        _ = found.words
