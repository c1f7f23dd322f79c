"""What a Hugging Face folder says to sentence-transformers: how much of a text is read, and how its vector is made.

    modules.json                        Transformer → Pooling (→ Normalize, Dense …), a class and a folder each
    1_Pooling/config.json               pooling_mode: mean; before version 6 pooling_mode_mean_tokens: true and its like
    sentence_bert_config.json           max_seq_length, [CLS] and [SEP] included; do_lower_case
    tokenizer_config.json               model_max_length, where the file above is silent: so version 6 writes it
    config_sentence_transformers.json   default_prompt_name, prompts: words put before every text

A release has a length and a pooling. The rest it cannot hold, and ``differences`` says what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from wellread.converters.formats.configuration import TOKENIZER_CONFIG, read_json
from wellread.errors import CorruptSource
from wellread.registry.records import Pooling

MODULES = "modules.json"
TRANSFORMER = "sentence_bert_config.json"
PROMPTS = "config_sentence_transformers.json"

_POOLINGS: Mapping[str, Pooling] = {"mean": "mean", "cls": "cls"}
"""Their word for a pooling → ours, for those that we have."""
_LEGACY_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_CARRIED = ("Transformer", "Pooling", "Normalize")


class _Module(msgspec.Struct):
    """An entry of ``modules.json``; ``type`` is a class with its package."""

    type: str
    path: str = ""

    @property
    def kind(self) -> str:
        return self.type.rpartition(".")[2]


@dataclass(frozen=True)
class SentenceSettings:
    """What is said, or nothing of it where there are no such files. ``max_length`` is in tokens, specials included.

    ``mode`` is the pooling in their word, modes that are joined with ``+`` between; ``modules`` are the steps beyond
    Transformer, Pooling and Normalize.
    """

    max_length: int | None = None
    mode: str = ""
    normalize: bool = False
    modules: tuple[str, ...] = ()
    prompt: str = ""
    lower_case: bool = False

    @property
    def pooling(self) -> Pooling | None:
        """The pooling that is said, None where none is or it is one that a release cannot have."""
        return _POOLINGS.get(self.mode)

    def differences(self, pooling: Pooling, max_length: int, cased: bool) -> Iterator[str]:
        """What such a release gives otherwise than sentence-transformers does with the source, and what to do."""
        if self.mode and pooling != self.pooling:
            yield f"pool by {self.mode}, and this release by {pooling}: {_pooling_advice(self.pooling)}"
        if self.max_length and max_length != self.max_length:
            yield (
                f"read {self.max_length} tokens of a text, and this release reads {max_length}: "
                f"max_length: {self.max_length} in a recipe gives the source's vectors"
            )
        if self.normalize:
            yield (
                "also bring a text's vector to length 1, and this release gives it as pooled: "
                "model.encode(…, normalize=True) gives the source's"
            )
        if self.modules:
            yield f"also apply {', '.join(self.modules)}, which a release cannot hold: {_NOT_THE_SAME}"
        if self.prompt:
            yield f"put {self.prompt!r} before every text, which a release does not: write it there yourself"
        if self.lower_case and cased:
            yield "lower-case a text first, which this release does not: give it texts in lower case"


SILENT = SentenceSettings()
"""Of a source that has no such files."""
_NOT_THE_SAME = "its vectors of tokens are the source's, those of whole texts are not"


def _pooling_advice(wanted: Pooling | None) -> str:
    return f"pooling: {wanted} in a recipe gives the source's vectors" if wanted else _NOT_THE_SAME


def read_sentence_settings(folder: Path, positions: int) -> SentenceSettings:
    """What the files in ``folder`` say of a model with so many positions. Raises CorruptSource."""
    modules = _modules(folder / MODULES)
    return SentenceSettings(
        max_length=_max_length(folder, positions, bool(modules)),
        mode=_mode(folder, modules),
        normalize=any(module.kind == "Normalize" for module in modules),
        modules=tuple(module.kind for module in modules if module.kind not in _CARRIED),
        prompt=_prompt(read_json(folder / PROMPTS)) if modules else "",
        lower_case=read_json(folder / TRANSFORMER).get("do_lower_case") is True,
    )


def _modules(path: Path) -> list[_Module]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[_Module])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise CorruptSource(f"{path} is no list of sentence-transformers' modules: {error}") from error


def _max_length(folder: Path, positions: int, is_sentence_model: bool) -> int | None:
    """The length that cuts. Without ``modules.json`` the tokenizer's is not meant for sentence-transformers."""
    places = {TRANSFORMER: "max_seq_length"} | ({TOKENIZER_CONFIG: "model_max_length"} if is_sentence_model else {})
    for name, key in places.items():
        value = read_json(folder / name).get(key)
        if value is None:
            continue
        if type(value) not in (int, float) or not 3 <= value < float("inf"):
            raise CorruptSource(f"{folder / name}: {key} is {value!r}, which cannot be")
        return int(min(value, positions))
    return None


def _mode(folder: Path, modules: list[_Module]) -> str:
    paths = [module.path for module in modules if module.kind == "Pooling"]
    if not paths:
        return ""
    if any(part in ("", ".", "..") for part in paths[0].split("/")) or "\\" in paths[0]:
        raise CorruptSource(f"{folder / MODULES}: {paths[0]!r} is not a folder beside it")
    config = read_json(folder / paths[0] / "config.json")
    found = config.get("pooling_mode") or [mode for key, mode in _LEGACY_MODES.items() if config.get(key) is True]
    return "+".join(map(str, found if isinstance(found, list) else [found])) or "mean"


def _prompt(config: Mapping[str, Any]) -> str:
    prompts = config.get("prompts")
    return str(prompts.get(str(config.get("default_prompt_name")), "")) if isinstance(prompts, dict) else ""
