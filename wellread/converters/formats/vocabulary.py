"""The WordPiece vocabulary: a token a line, the line's number is the token's id.

    assets/vocab.txt    a TF-Hub module
    vocab.txt           checkpoints, Hugging Face
    *vocab*.txt         either place, if there is just one
    tokenizer.json      Hugging Face, where the vocabulary stands nowhere else

Lines end in LF and in nothing else: a vocabulary may hold U+2028 and its like as tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from wellread.converters.formats.claims import Claim, Rank
from wellread.converters.formats.configuration import TOKENIZER, read_json
from wellread.errors import CorruptSource, UnsupportedModel

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_PLACES = ("assets/vocab.txt", "vocab.txt")
_PATTERNS = ("assets/*vocab*.txt", "*vocab*.txt")
_SENTENCEPIECE = ("assets/*.model", "*.model", "assets/*.spm")
_NAMED_AT_MOST = 5


def read_vocabulary(folder: Path, rows: int) -> bytes:
    """The vocabulary as UTF-8, an LF after every token, for an embedding of that many rows.

    Raises CorruptSource naming everything that is wrong with it, UnsupportedModel if it is not WordPiece.
    """
    path, raw = _find(folder)
    vocabulary = _normalise(raw)
    problems = list(_problems(vocabulary, rows))
    if problems:
        raise CorruptSource(f"{path} is not the vocabulary of this model: {'; '.join(problems)}")
    return vocabulary


def vocabulary_claim(vocabulary: bytes) -> Claim:
    """A guess: a vocabulary without any upper-case letter, bracketed tokens aside, belongs to an uncased model."""
    tokens = vocabulary.decode().split("\n")
    cased = any(token != token.lower() for token in tokens if not (token.startswith("[") and token.endswith("]")))
    return Claim("cased", cased, "the vocabulary's letters", Rank.GUESSED)


def _find(folder: Path) -> tuple[Path, bytes]:
    found = [folder / place for place in _PLACES if (folder / place).is_file()][:1]
    found = found or sorted(path for pattern in _PATTERNS for path in folder.glob(pattern) if path.is_file())
    if len(found) > 1:
        raise CorruptSource(f"{folder} has several vocabularies: {', '.join(path.name for path in found)}. Keep one")
    if found:
        return found[0], found[0].read_bytes()
    if (folder / TOKENIZER).is_file():
        return folder / TOKENIZER, _from_tokenizer(folder / TOKENIZER)
    pieces = next((path for pattern in _SENTENCEPIECE for path in folder.glob(pattern)), None)
    if pieces:
        raise UnsupportedModel(f"{pieces} is a SentencePiece vocabulary; a WordPiece vocab.txt is expected")
    raise CorruptSource(f"{folder} has no vocabulary: {' or '.join(_PLACES)} is expected")


def _from_tokenizer(path: Path) -> bytes:
    content = read_json(path)
    model = content.get("model")
    kind = model.get("type", "a model without a type") if isinstance(model, dict) else "no model"
    if not isinstance(model, dict) or kind != "WordPiece" or model.get("continuing_subword_prefix", "##") != "##":
        raise UnsupportedModel(f"{path} holds {kind}; WordPiece with '##' before inner pieces is expected")
    try:
        ids = {**model["vocab"], **{token["content"]: token["id"] for token in content.get("added_tokens") or ()}}
        tokens = {int(number): str(token) for token, number in ids.items()}
        return "".join(f"{tokens[number]}\n" for number in range(len(ids))).encode()
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptSource(f"{path}: the ids of its vocabulary are not 0, 1, 2 … without a gap") from error


def _normalise(raw: bytes) -> bytes:
    raw = raw if raw.endswith(b"\n") else raw + b"\n"
    return raw.replace(b"\r\n", b"\n") if raw.count(b"\r\n") == raw.count(b"\n") else raw


def _problems(vocabulary: bytes, rows: int) -> Iterator[str]:
    try:
        tokens = vocabulary.decode().split("\n")[:-1]
    except UnicodeDecodeError as error:
        yield f"it is not UTF-8 at byte {error.start}"
        return
    if len(tokens) != rows:
        yield f"it has {len(tokens)} lines, the word embedding has {rows} rows"
    missing = [token for token in SPECIALS if token not in tokens]
    if missing:
        yield f"it lacks {' '.join(missing)}"
    twice = [token for token, count in Counter(tokens).items() if count > 1]
    if twice:
        named = ", ".join(map(repr, twice[:_NAMED_AT_MOST]))
        yield f"{len(twice)} tokens stand in it twice: {named}"
