"""What an artifact tells other libraries: which class to make, and nothing else that no press writes.

Some JSON members are orders. ``modules.json`` names the classes that sentence-transformers imports, and before its
version 6 it imported whatever a local folder named; ``config.json`` can tell transformers to fetch code for attention,
and an ``adapter_config.json`` would be obeyed for being there. So the members that may be there are listed, with the
keys that each may have, and where a value names something of a library, with the values that it may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from wellread.errors import IntegrityError
from wellread.registry.artifact.package import Package
from wellread.registry.records import Member

_LONGEST = 64 * 1024
"""Bytes of such a member at most: a hundred times what a press writes."""
_DATA = ("golden.json", "tokenizer.json")
"""JSON that names no code."""
_ANY = None
Values = tuple[Any, ...] | None

_MODEL: Mapping[str, Values] = {
    "architectures": (["BertModel"],),
    "model_type": ("bert",),
    "dtype": ("float32",),
    "hidden_act": ("gelu", "gelu_pytorch_tanh"),
    **dict.fromkeys(("hidden_size", "intermediate_size", "layer_norm_eps", "max_position_embeddings"), _ANY),
    **dict.fromkeys(("num_attention_heads", "num_hidden_layers", "pad_token_id", "type_vocab_size"), _ANY),
    "vocab_size": _ANY,
}
_TOKENISER: Mapping[str, Values] = {
    "tokenizer_class": ("PreTrainedTokenizerFast",),
    **dict.fromkeys(("do_lower_case", "model_max_length", "model_input_names", "clean_up_tokenization_spaces"), _ANY),
    **dict.fromkeys((f"{token}_token" for token in ("pad", "unk", "cls", "sep", "mask")), _ANY),
}
_MODULES: Mapping[str, Values] = {
    "idx": _ANY,
    "name": _ANY,
    "path": ("", "1_Pooling", "2_Dense"),
    "type": tuple(f"sentence_transformers.models.{kind}" for kind in ("Transformer", "Pooling", "Dense")),
}
_POOLING: Mapping[str, Values] = {
    "word_embedding_dimension": _ANY,
    **dict.fromkeys((f"pooling_mode_{mode}" for mode in ("cls_token", "mean_tokens", "max_tokens")), _ANY),
    "pooling_mode_mean_sqrt_len_tokens": _ANY,
}
_DENSE: Mapping[str, Values] = {
    **dict.fromkeys(("in_features", "out_features", "bias"), _ANY),
    "activation_function": ("torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity"),
}
SETTINGS: Mapping[str, Mapping[str, Values]] = {
    "config.json": _MODEL,
    "tokenizer_config.json": _TOKENISER,
    "modules.json": _MODULES,
    "1_Pooling/config.json": _POOLING,
    "2_Dense/config.json": _DENSE,
}
"""Member → key → the values that it may have, any where there is no telling."""


def settings_problems(package: Package) -> list[str]:
    """What an artifact tells other libraries that no press does; nothing where all is as it should be."""
    orders = (member for member in package.manifest.files if gives_orders(member))
    return [problem for member in orders for problem in member_problems(member, package.read(member))]


def gives_orders(member: Member) -> bool:
    """Whether a member tells other libraries what to do."""
    return member.name.endswith(".json") and member.name not in _DATA


def member_problems(member: Member, content: Iterable[bytes]) -> Iterator[str]:
    """What one such member says that no press writes; ``content`` is read where the member is of a size to be one."""
    known = SETTINGS.get(member.name)
    if known is None or member.size > _LONGEST:
        yield f"its {member.name} is none that a press writes: other libraries might take orders from it"
        return
    try:
        said = msgspec.json.decode(b"".join(content), type=dict[str, Any] | list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IntegrityError) as error:
        yield f"its {member.name} cannot be read: {error}"
        return
    parts = said if isinstance(said, list) else [said]
    for key, value in (pair for part in parts for pair in part.items()):
        allowed = known.get(key, ())
        if allowed is not _ANY and value not in allowed:
            told = f"{key[:40]!r}: {str(value)[:80]!r}"
            yield f"its {member.name} says {told}, which no press writes: it might lead to code"
