"""The tokenizer files against Google's FullTokenizer: every character, every kind of neighbour, random texts."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer
from tokenizers.normalizers import Lowercase, Replace

from tests.fixtures.google_tokenizer import google, google_ids
from tests.fixtures.tiny import tiny_vocabulary
from wellread.converters.tokenizer import MAX_WORD, write_tokenizer
from wellread.errors import CorruptSource, UnsupportedModel

CASINGS = pytest.mark.parametrize("cased", [False, True], ids=["uncased", "cased"])
_BLOCKS = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0xAC00, 0xD7A4), range(0xE000, 0xF900))
_PLANES = (range(0x20000, 0x2FA20), range(0x30000, 0x32000), range(0xF0000, 0x110000))


@cache
def characters() -> tuple[str, ...]:
    """Every character that Python's Unicode assigns."""
    return tuple(c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs"))


@cache
def single_characters() -> tuple[str, ...]:
    """Those in none of the blocks of thousands that are alike: ideographs, Hangul, private use."""
    blocks = (*_BLOCKS, *_PLANES)
    return tuple(c for c in characters() if not any(ord(c) in block for block in blocks))


class Pair:
    """The file that we write and Google's tokenizer, for one vocabulary and casing."""

    def __init__(self, folder: Path, vocabulary: bytes, cased: bool) -> None:
        folder.mkdir(parents=True)
        write_tokenizer(folder, vocabulary, cased, 512)
        self.folder = folder
        self.ours = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.ours.encode_special_tokens = True
        self.google = google().FullTokenizer(str(folder / "vocab.txt"), do_lower_case=not cased)

    def words(self, text: str) -> list[str]:
        normal = self.ours.normalizer.normalize_str(text)
        return [word for word, _ in self.ours.pre_tokenizer.pre_tokenize_str(normal)]

    def google_words(self, text: str) -> list[str]:
        return self.google.basic_tokenizer.tokenize(text)  # type: ignore[no-any-return]

    def agree(self, form: str, each: Iterable[str]) -> None:
        """Assert that the words are the same with each character put into the form; name those that differ."""
        text = " ".join(form.replace("*", c) for c in each)
        if self.words(text) != self.google_words(text):
            alone = [form.replace("*", c) for c in each]
            differ = [ascii(t) for t in alone if self.words(t) != self.google_words(t)]
            pytest.fail(f"{form}: {len(differ)} differ: {differ[:20]}")


def rich_vocabulary() -> bytes:
    """Words and pieces of the tiny one, and each character below U+20000, most of them inside words too."""
    extra = [c for c in characters() if ord(c) < 0x20000 and not c.isspace()]
    inside = [f"##{c}" for c in extra if ord(c) % 5]
    return "\n".join(dict.fromkeys([*tiny_vocabulary(cased=True).decode().split(), *extra, *inside])).encode()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Pair]:
    folder, vocabulary = tmp_path_factory.mktemp("tokenizers"), rich_vocabulary()
    return {cased: Pair(folder / str(cased), vocabulary, cased) for cased in (False, True)}


@CASINGS
@pytest.mark.parametrize("form", ["*", "**", "a*b", "A*", "*A", "é*\u0301"])
def test_every_character_in_every_place(pairs: dict[bool, Pair], cased: bool, form: str) -> None:
    pairs[cased].agree(form, single_characters())


@CASINGS
def test_every_character_of_the_great_blocks(pairs: dict[bool, Pair], cased: bool) -> None:
    singles = set(single_characters())
    blocks = [c for c in characters() if c not in singles]
    assert len(singles) + len(blocks) == len(characters())
    for at in range(0, len(blocks), 4096):
        pairs[cased].agree("*", ["".join(blocks[at : at + 4096])])


@pytest.mark.parametrize("form", ["*Σ", "Α*Σ", "ΑΣ*", "ΑΣ*Α", "Α.*Σ*ʰΑ"])
def test_final_sigma_after_and_before_every_character(pairs: dict[bool, Pair], form: str) -> None:
    pairs[False].agree(form, single_characters())


@pytest.mark.parametrize(
    "text",
    [
        *("ΟΔΥΣΣΕΥΣ", "Σ", "ΣΣ", "ΑΣΣ", "ΑΣ ΣΑ", "Α'Σ", "Α''Σ'Σ", "ΑΣ.Α", "ΑΣ-Α", "Α1Σ", "1Σ", "Α·Σ", "ΑΣ\u200dΑ"),
        *("ΑΣ中Α", "ΑΣ\u2028Α", "ΑΣ\u00a0Α", "ΑΣ\x85Α", "Ⅳ.Σ", "ªΣ", "ʰΣ", "\u0345Σ", "Α\U0001171eΣ", "\U0001f130Σ"),
        *(f"Α{'.' * 255}Σ", f"ΑΣ{'.' * 999}Α", f"ΑΣ{'.' * 999} Α"),
    ],
    ids=ascii,
)
def test_final_sigma(pairs: dict[bool, Pair], text: str) -> None:
    assert pairs[False].words(text) == pairs[False].google_words(text)


def test_exception_a_sigma_far_from_its_letter(pairs: dict[bool, Pair]) -> None:
    text = f"Α{'.' * 256}Σ"
    assert (pairs[False].words(text)[-1], pairs[False].google_words(text)[-1]) == ("σ", "ς")


@CASINGS
def test_exception_characters_assigned_later(pairs: dict[bool, Pair], cased: bool) -> None:
    """Of what Python's Unicode has not assigned, exactly what the library knows as a mark and so on is no letter.

    Planes 4 to 13, which are empty in every Unicode, are left out for the time they take.
    """
    pair = pairs[cased]
    planes = (*range(0x40000), *range(0xE0000, 0xF0000))
    chinese = pair.google.basic_tokenizer._is_chinese_char
    later = [c for c in map(chr, planes) if unicodedata.category(c) == "Cn" and not chinese(ord(c))]
    known = r"[\p{P}\p{Cf}]" if cased else r"[\p{P}\p{Cf}\p{Mn}]"
    letters = set(Replace(Regex(known), "").normalize_str("".join(later)))
    if not cased:
        letters &= set(Lowercase().normalize_str("".join(later)))
    plain = "".join(c for c in later if c in letters)
    assert pair.words(plain) == [plain]
    assert [c for c in later if c not in letters and pair.words(f"a{c}") == [f"a{c}"]] == []


# Nasty characters by category, and what is known to be special.
_CATEGORIES = ("Cc", "Cf", "Co", "Mn", "Mc", "Me", "Zs", "Zl", "Zp", "Lm", "Lt", "Sk", "Pd", "Po", "So", "Nl")
_SPECIAL = (
    "aAbzé ΑΣσςİıIßẞﬁΐᾼ각中.'’·:-_#[]$\uf900\U00020000\U0002b8ff"
    "\t\n\r\u0301\u0345\u0307\u200d\ufe0f\u00ad\ufffd\x00\x85"
)
_EMOJI = "\U0001f469\U0001f4bb\U0001f1ec\u200d\ufe0f"
_RIGHT_TO_LEFT = "אבגدم\u0651\u200f\u202b\u2066\u2069"


@cache
def _pool(category: str) -> str:
    return "".join(c for c in characters() if unicodedata.category(c) == category)


def nasty_texts() -> st.SearchStrategy[str]:
    """Texts in which nearly every neighbour is a special case; NFC, NFD or as they come."""
    pools = [*map(_pool, _CATEGORIES), _EMOJI, _RIGHT_TO_LEFT, *[_SPECIAL] * 8]
    letters = st.one_of([st.sampled_from(pool) for pool in pools] + [st.characters(exclude_categories=["Cs", "Cn"])])
    normal = st.sampled_from([str, *(lambda t, form=form: unicodedata.normalize(form, t) for form in ("NFC", "NFD"))])
    return st.builds(lambda text, form: form(text), st.text(letters, max_size=30), normal)


def is_crowded(text: str) -> bool:
    """Whether a run of combining marks holds two spacing ones with a combining class: exception 4."""
    visible = (c for c in text if unicodedata.category(c) not in ("Cc", "Cf") and c != "\ufffd")
    count = 0
    for c in unicodedata.normalize("NFD", "".join(visible)):
        count = count + (unicodedata.category(c) != "Mn") if unicodedata.combining(c) else 0
        if count == 2:
            return True
    return False


@CASINGS
@given(text=nasty_texts().filter(lambda text: not is_crowded(text)))
def test_random_texts_give_googles_ids(pairs: dict[bool, Pair], cased: bool, text: str) -> None:
    pair = pairs[cased]
    assert pair.words(text) == pair.google_words(text)
    assert pair.ours.encode(text).ids == google_ids(pair.google, text)


def test_exception_two_spacing_marks_of_different_scripts(pairs: dict[bool, Pair]) -> None:
    """Vietnamese reading marks are younger than the library's NFD, which leaves them where they stand."""
    text = "a\u302e\U00016ff0"
    assert is_crowded(text)
    assert pairs[False].words(text) == [text]
    assert pairs[False].google_words(text) == ["a\U00016ff0\u302e"]


@CASINGS
@pytest.mark.parametrize("length", [1, MAX_WORD - 1, MAX_WORD, MAX_WORD + 1, 500])
@pytest.mark.parametrize("letter", ["a", "é", "e\u0301", "각", "𝔘", "ﷺ"])
def test_long_words(pairs: dict[bool, Pair], cased: bool, length: int, letter: str) -> None:
    text = f"the {letter * length} the"
    assert pairs[cased].ours.encode(text).ids == google_ids(pairs[cased].google, text)


@CASINGS
@pytest.mark.parametrize(
    "text", ["", " ", "\t\n", "\x00\x85", "\u0301", "unable jumping [SEP] [unused0] ##ing", "don't"]
)
def test_plain_texts(pairs: dict[bool, Pair], cased: bool, text: str) -> None:
    assert pairs[cased].ours.encode(text).ids == google_ids(pairs[cased].google, text)


def test_offsets_are_those_of_the_original_text(pairs: dict[bool, Pair]) -> None:
    text = "Cafe\u0301\u200d İs\x00t ΟΔΟΣ, \ufeff日本 각 \U00011938"
    encoding = pairs[False].ours.encode(text, add_special_tokens=False)
    spans = [encoding.word_to_chars(number) for number in encoding.word_ids if number is not None]
    words = {text[span[0] : span[1]] for span in spans if span}
    assert words == {"Cafe", "İs\x00t", "ΟΔΟΣ", ",", "日", "本", "각", "\U00011938"}


@CASINGS
def test_the_library_reads_the_file_as_it_is_meant(tmp_path: Path, cased: bool) -> None:
    """No key of ours is unknown to it and none is left to a default."""
    pair = Pair(tmp_path / "tokenizer", tiny_vocabulary(cased), cased)
    written = json.loads((pair.folder / "tokenizer.json").read_bytes())
    assert json.loads(pair.ours.to_str()) == written


def test_the_same_vocabulary_gives_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        write_tokenizer(folder, tiny_vocabulary(), False, 64)
    one, two = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in folders)
    assert one == two
    assert set(one) == {"vocab.txt", "tokenizer.json", "tokenizer_config.json"}
    assert one["vocab.txt"] == tiny_vocabulary()


def test_lines_are_read_as_google_reads_them(tmp_path: Path) -> None:
    vocabulary = b"[PAD]\r\n[UNK] \n\n[CLS]\n[SEP]\na\n\xe2\x80\xa8b"
    pair = Pair(tmp_path / "tokenizer", vocabulary, False)
    assert pair.ours.get_vocab() == {"[PAD]": 0, "[UNK]": 1, "[CLS]": 3, "[SEP]": 4, "a": 5, "b": 6}
    assert pair.ours.encode("a B ab").ids == google_ids(pair.google, "a B ab")


@pytest.mark.parametrize(
    ("vocabulary", "error", "says"),
    [
        (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\na\n", CorruptSource, r"'a' twice, in lines 5 and 7"),
        (b"[PAD]\n[UNK]\n\xff\xfe\n", CorruptSource, r"not UTF-8 in line 3"),
        (b"<pad>\n<s>\n[UNK]\n", UnsupportedModel, r"3 lines\) has no \[PAD\], \[CLS\], \[SEP\]"),
        (b"", UnsupportedModel, r"0 lines"),
    ],
)
def test_a_vocabulary_that_is_none_is_refused(
    tmp_path: Path, vocabulary: bytes, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        write_tokenizer(tmp_path, vocabulary, False, 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.press
@CASINGS
def test_transformers_opens_the_folder(tmp_path: Path, cased: bool) -> None:
    from transformers import AutoTokenizer

    vocabulary = tiny_vocabulary(cased) + "ΣΣ\n##\ue000\n\U0002b8ff\n".encode()
    pair = Pair(tmp_path / "tokenizer", vocabulary, cased)
    (pair.folder / "config.json").write_text('{"model_type": "bert"}')
    tokenizer: Any = AutoTokenizer.from_pretrained(pair.folder)
    text = "unable ΣΣ\ue000 \U0002b8ff. don't"
    ids = google_ids(pair.google, text)
    assert pair.google.vocab["[UNK]"] not in ids
    assert tokenizer(text)["input_ids"] == ids
    assert tokenizer("the fox", "the dog")["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1]
    assert tokenizer.tokenize("the [SEP] the") == ["the", "[SEP]", "the"]
    assert tokenizer.model_max_length == 512
    assert tokenizer.special_tokens_map == {
        f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")
    }
    assert len(tokenizer) == len(pair.google.vocab)
