"""The JSON files beside a model's weights, and what each claims of the model.

    bert_config.json         google-research/bert and its kin: sizes, hidden_act
    config.json              Hugging Face: the same keys and more
    tokenizer_config.json    Hugging Face: do_lower_case; bert_config.json and bleurt_config.json may have it too
    tokenizer.json           Hugging Face: the normalizer's lowercase

The word ``gelu`` means two things. In google-research's code it is the tanh approximation, in Hugging Face's the one
with erf.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wellread.converters.formats.claims import Claim, Rank, Value
from wellread.errors import CorruptSource, UnsupportedModel

GOOGLE = "bert_config.json"
HUGGINGFACE = "config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
_CASE_FILES = (GOOGLE, TOKENIZER_CONFIG, "bleurt_config.json", HUGGINGFACE)

_SIZE_KEYS = {
    "num_hidden_layers": "layers",
    "hidden_size": "hidden",
    "num_attention_heads": "heads",
    "intermediate_size": "intermediate",
    "vocab_size": "vocabulary",
    "max_position_embeddings": "positions",
    "type_vocab_size": "types",
}
_GOOGLE_ACTIVATIONS = {"gelu": "gelu_tanh"}
_HUGGINGFACE_ACTIVATIONS = {
    "gelu": "gelu_erf",
    "gelu_python": "gelu_erf",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
}
_HUGGINGFACE_DEFAULTS = {"hidden_act": "gelu", "layer_norm_eps": 1e-12}
"""What transformers' BertConfig takes where the file is silent."""
_HUGGINGFACE_FIXED = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
"""What these must be, where they are written, for the model to be the one that we convert."""


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; an absent file is an empty one. Raises CorruptSource."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptSource(f"{path} is not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise CorruptSource(f"{path} is not a JSON object")
    return content


def google_claims(folder: Path) -> Iterator[Claim]:
    """What ``bert_config.json`` says, if it is there. Raises CorruptSource, UnsupportedModel."""
    path = folder / GOOGLE
    config = read_json(path)
    yield from _sizes(config, path)
    if "hidden_act" in config:
        yield _activation(config, path, _GOOGLE_ACTIVATIONS)


def huggingface_claims(folder: Path) -> Iterator[Claim]:
    """What ``config.json`` says. Raises CorruptSource, UnsupportedModel."""
    path = folder / HUGGINGFACE
    config = _HUGGINGFACE_DEFAULTS | read_json(path)
    yield from _sizes(config, path)
    yield _activation(config, path, _HUGGINGFACE_ACTIVATIONS)
    yield Claim("norm_eps", _typed(config, "layer_norm_eps", float, path), path.name, Rank.STATED)


def check_huggingface(folder: Path) -> None:
    """Raise UnsupportedModel if ``config.json`` is not that of a BERT encoder, naming every key that is not."""
    path = folder / HUGGINGFACE
    config = read_json(path)
    wrong = [k for k, wanted in _HUGGINGFACE_FIXED.items() if config.get(k, wanted) not in (wanted, None)]
    if wrong:
        found = ", ".join(f"{key} is {config[key]!r}" for key in wrong)
        expected = ", ".join(f"{_HUGGINGFACE_FIXED[key]!r}" for key in wrong)
        raise UnsupportedModel(f"{path} is not of a BERT encoder: {found}; expected {expected}")


def case_claims(folder: Path) -> Iterator[Claim]:
    """Whether any of the files says that text is lower-cased first. Raises CorruptSource."""
    stated = False
    for name in _CASE_FILES:
        config = read_json(folder / name)
        if config.get("do_lower_case") is not None:
            stated = True
            yield Claim("cased", not _typed(config, "do_lower_case", bool, folder / name), name, Rank.STATED)
    normalizer = read_json(folder / TOKENIZER).get("normalizer")
    if not stated and isinstance(normalizer, dict) and normalizer.get("lowercase") is not None:
        lowercase = _typed(normalizer, "lowercase", bool, folder / TOKENIZER)
        yield Claim("cased", not lowercase, TOKENIZER, Rank.STATED)


def _sizes(config: Mapping[str, Any], path: Path) -> Iterator[Claim]:
    for key, field in _SIZE_KEYS.items():
        if key in config:
            yield Claim(field, _typed(config, key, int, path), path.name, Rank.STATED)


def _activation(config: Mapping[str, Any], path: Path, known: Mapping[str, str]) -> Claim:
    word = config["hidden_act"]
    if not isinstance(word, str) or word not in known:
        raise UnsupportedModel(f"{path}: hidden_act is {word!r}; expected one of {', '.join(known)}")
    return Claim("activation", known[word], path.name, Rank.STATED)


def _typed(config: Mapping[str, Any], key: str, kind: type[Value], path: Path) -> Any:
    value: Any = config[key]
    of_kind: bool = type(value) is kind
    if not of_kind or (kind is not bool and not 0 < value < 1 << 31):
        raise CorruptSource(f"{path}: {key} is {value!r}, which cannot be")
    return value
