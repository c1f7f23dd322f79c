r"""A vocabulary as the tokenizer files that Hugging Face's libraries open.

BERT's models were trained behind Google's ``FullTokenizer``. Hugging Face's ``BertNormalizer`` and
``BertPreTokenizer`` are near to it, and differ in characters of private use, younger punctuation and accents, some
Chinese characters and the Greek final sigma. So the file spells Google's steps out with the parts that the
``tokenizers`` library has:

    Replace      control and format characters, U+FFFD  →  nothing
    Replace      Σ at the end of a word                 →  ς         uncased only, as are the next three
    Lowercase
    NFD
    Replace      nonspacing marks                       →  nothing
    Split        each punctuation mark and each Chinese character is a word
    WhitespaceSplit
    WordPiece    greedy longest match; a word of more than 200 characters is [UNK]

Patterns keep to what Oniguruma and JavaScript both read, so transformers.js opens the file too.

It agrees with ``FullTokenizer`` under Python 3.11 (Unicode 14) on every text, but for these exceptions:

1. Special tokens written in the text, such as ``[SEP]``: whoever opens the file takes them for the tokens, as is usual
   with Hugging Face. wellread's runtime takes them as plain text, as Google does.
2. Characters that Unicode 14 had not assigned. Python 3.11 takes each for a letter; the library knows some of them as
   marks, punctuation, format characters or capitals.
3. A capital sigma parted from the letter before it by more than 255 case-ignorable characters (full stops,
   apostrophes, modifiers): it becomes σ.
4. A run of combining marks that holds two spacing marks with a combining class (25 characters have both: tone marks,
   musical notation, some viramas), in an uncased model: the library orders marks by an older Unicode.

Lone surrogates cannot be in a text that reaches the library: it takes UTF-8. See ``runtime/tokenise.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wellread.errors import CorruptSource, UnsupportedModel

MAX_WORD = 200
"""Characters of the longest word that is looked up: FullTokenizer's ``max_input_chars_per_word``."""

_REQUIRED = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_SPECIALS = (*_REQUIRED, "[MASK]")

_CONTROL = r"[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\p{Cf}\uFFFD]"
# Nonspacing when Python 3.11's tables were made, a spacing mark since Unicode 15.
_AHOM_MEDIAL_RA = "\U0001171e"
_ACCENT = rf"[\p{{Mn}}{_AHOM_MEDIAL_RA}]"
_CHINESE = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f"
_ONE_BY_ONE = rf"[!-/:-@\[-`{{-~\p{{P}}{_CHINESE}]"

# Unicode's Final_Sigma, as str.lower() applies it. A letter is what has case and is not ignorable as well: spelt out,
# since an intersection of classes is written otherwise in JavaScript. The look-ahead comes first because it is the
# cheaper one; the look-behind is bounded because an unbounded one takes quadratic time.
_IGNORABLE = rf"[\p{{Case_Ignorable}}{_AHOM_MEDIAL_RA}]"
_LETTER = (
    r"[\p{Lu}\p{Ll}\p{Lt}"
    "\u00aa\u00ba\u2160-\u217f\u24b6-\u24e9\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189]"
)
_FINAL_SIGMA = f"Σ(?!{_IGNORABLE}*{_LETTER})(?<={_LETTER}{_IGNORABLE}{{0,255}}Σ)"

# Dives Akuru's vowel O: the library's NFD is older than the script.
_LATE_NFD = ("\U00011938", "\U00011935\U00011930")


def write_tokenizer(folder: Path, vocabulary: bytes, cased: bool, max_length: int) -> None:
    """Write the three files into ``folder``: the same arguments give the same bytes, whatever is installed.

    ``vocabulary`` is a ``vocab.txt``: UTF-8, a token a line, its id the number of the line from 0. White space around
    a token is dropped, as Google drops it; a blank line keeps its id and is no token. ``max_length`` is in tokens,
    ``[CLS]`` and ``[SEP]`` included. Raises CorruptSource if it is not UTF-8 or has a token twice, UnsupportedModel
    if it lacks ``[PAD]``, ``[UNK]``, ``[CLS]`` or ``[SEP]``.
    """
    lines = _lines(vocabulary)
    ids = _ids(lines)
    (folder / "vocab.txt").write_bytes("".join(f"{line}\n" for line in lines).encode())
    _write_json(folder / "tokenizer.json", _tokenizer(ids, cased))
    _write_json(folder / "tokenizer_config.json", _configuration(ids, cased, max_length))


def _lines(vocabulary: bytes) -> list[str]:
    try:
        lines = vocabulary.decode().split("\n")
    except UnicodeDecodeError as error:
        line = vocabulary.count(b"\n", 0, error.start) + 1
        raise CorruptSource(f"vocab.txt is not UTF-8 in line {line}: {error.reason}") from error
    return [line.strip() for line in (lines if lines[-1] else lines[:-1])]


def _ids(lines: list[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for number, token in enumerate(lines):
        if token and ids.setdefault(token, number) != number:
            raise CorruptSource(
                f"vocab.txt has {token!r} twice, in lines {ids[token] + 1} and {number + 1}: ids are unclear"
            )
    missing = [token for token in _REQUIRED if token not in ids]
    if missing:
        raise UnsupportedModel(
            f"vocab.txt ({len(lines)} lines) has no {', '.join(missing)}: it is not the WordPiece vocabulary of a BERT"
        )
    return ids


def _tokenizer(ids: dict[str, int], cased: bool) -> dict[str, Any]:
    """``tokenizer.json`` in the format of the ``tokenizers`` library, version 1.0."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added_token(token, ids[token]) for token in sorted(_specials(ids), key=ids.__getitem__)],
        "normalizer": {"type": "Sequence", "normalizers": _normalizers(cased)},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": _ONE_BY_ONE}, "behavior": "Isolated", "invert": False},
                {"type": "WhitespaceSplit"},
            ],
        },
        "post_processor": _template(ids),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": MAX_WORD,
            "vocab": ids,
        },
    }


def _normalizers(cased: bool) -> list[dict[str, Any]]:
    clean = _replace({"Regex": _CONTROL}, "")
    if cased:
        return [clean]
    composed, decomposed = _LATE_NFD
    return [
        clean,
        _replace({"Regex": _FINAL_SIGMA}, "ς"),
        {"type": "Lowercase"},
        {"type": "NFD"},
        _replace({"String": composed}, decomposed),
        _replace({"Regex": _ACCENT}, ""),
    ]


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _template(ids: dict[str, int]) -> dict[str, Any]:
    """``[CLS] A [SEP]`` and ``[CLS] A [SEP] B [SEP]``, with type 1 from B on."""
    first = [_special("[CLS]", 0), {"Sequence": {"id": "A", "type_id": 0}}, _special("[SEP]", 0)]
    second = [{"Sequence": {"id": "B", "type_id": 1}}, _special("[SEP]", 1)]
    return {
        "type": "TemplateProcessing",
        "single": first,
        "pair": [*first, *second],
        "special_tokens": {
            token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")
        },
    }


def _special(token: str, type_id: int) -> dict[str, Any]:
    return {"SpecialToken": {"id": token, "type_id": type_id}}


def _added_token(token: str, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _configuration(ids: dict[str, int], cased: bool, max_length: int) -> dict[str, Any]:
    """``tokenizer_config.json``.

    The class is not ``BertTokenizer``: from transformers 5 on that one throws the steps of ``tokenizer.json`` away
    and takes Hugging Face's own.
    """
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "do_lower_case": not cased,
        "model_max_length": max_length,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "clean_up_tokenization_spaces": True,
        **{f"{token.strip('[]').lower()}_token": token for token in _specials(ids)},
    }


def _specials(ids: dict[str, int]) -> list[str]:
    return [token for token in _SPECIALS if token in ids]


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_bytes((json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())
