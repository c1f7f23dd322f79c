"""BERT: what its tensors are called in each format, and the exact account of them.

A row of a scheme says which module of the source becomes which canonical one and of what kind it is; the kind says
what its tensors are called and how each is turned. ``{n}`` is a layer's number, ``{part}`` query, key or value. Scopes
before a name are no part of it (``bert_encoder/transformer/layer_0/…``). A drop rule names what a source may hold
beside the encoder. Every tensor is used once or dropped by a rule: whatever is missing, unknown, used twice or
misshapen is named in one error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellread.converters.formats.claims import Claim, Rank
from wellread.converters.formats.contents import Tensors
from wellread.errors import UnsupportedModel

Array = NDArray[np.float32]

# ---------------------------------------------------------------- how a tensor is turned


def keep(tensor: Array) -> Array:
    """As it is."""
    return tensor


def transpose(tensor: Array) -> Array:
    """(in, out) → (out, in)."""
    return tensor.T


def from_heads(tensor: Array) -> Array:
    """(hidden, heads, head size) → (heads · head size, hidden)."""
    return tensor.reshape(*tensor.shape[:1], math.prod(tensor.shape[1:])).T


def to_heads(tensor: Array) -> Array:
    """(heads, head size, hidden) → (hidden, heads · head size)."""
    return tensor.reshape(math.prod(tensor.shape[:-1]), *tensor.shape[-1:]).T


def flatten(tensor: Array) -> Array:
    """(heads, head size) → (heads · head size,)."""
    return tensor.reshape(-1)


# ---------------------------------------------------------------- what it is called


class Leaf(NamedTuple):
    """A tensor of a module: the end of its name (a regular expression), what it becomes, how it is turned."""

    pattern: str
    target: str
    turn: Callable[[Array], Array]


Kind = tuple[Leaf, ...]

KERAS_TABLE: Kind = (Leaf("/embeddings", "weight", keep),)
BARE_TABLE: Kind = (Leaf("", "weight", keep),)
NORM: Kind = (Leaf("/gamma", "weight", keep), Leaf("/beta", "bias", keep))
DENSE: Kind = (Leaf("/kernel", "weight", transpose), Leaf("/bias", "bias", keep))
INTO_HEADS: Kind = (Leaf("/kernel", "weight", from_heads), Leaf("/bias", "bias", flatten))
OUT_OF_HEADS: Kind = (Leaf("/kernel", "weight", to_heads), Leaf("/bias", "bias", keep))
HF_TABLE: Kind = (Leaf(r"\.weight", "weight", keep),)
HF_NORM: Kind = (Leaf(r"\.(?:weight|gamma)", "weight", keep), Leaf(r"\.(?:bias|beta)", "bias", keep))
HF_DENSE: Kind = (Leaf(r"\.weight", "weight", keep), Leaf(r"\.bias", "bias", keep))


class Scheme(NamedTuple):
    """A way to name a BERT's modules: a regular expression for what may stand in front, and a row per module."""

    name: str
    front: str
    modules: Mapping[str, tuple[str, Kind]]


_SCOPES = "(?:.*/)?"

SCHEMES = (
    Scheme(  # official/nlp since 2020: TF-Hub's small_bert, bert_en/3 and later
        "TF2",
        _SCOPES,
        {
            "word_embeddings": ("embeddings.word_embeddings", KERAS_TABLE),
            "position_embedding": ("embeddings.position_embeddings", KERAS_TABLE),
            "type_embeddings": ("embeddings.token_type_embeddings", KERAS_TABLE),
            "embeddings/layer_norm": ("embeddings.LayerNorm", NORM),
            "transformer/layer_{n}/self_attention/{part}": ("encoder.layer.{n}.attention.self.{part}", INTO_HEADS),
            "transformer/layer_{n}/self_attention/attention_output": (
                "encoder.layer.{n}.attention.output.dense",
                OUT_OF_HEADS,
            ),
            "transformer/layer_{n}/self_attention_layer_norm": ("encoder.layer.{n}.attention.output.LayerNorm", NORM),
            "transformer/layer_{n}/intermediate": ("encoder.layer.{n}.intermediate.dense", DENSE),
            "transformer/layer_{n}/output": ("encoder.layer.{n}.output.dense", DENSE),
            "transformer/layer_{n}/output_layer_norm": ("encoder.layer.{n}.output.LayerNorm", NORM),
            "pooler_transform": ("pooler.dense", DENSE),
        },
    ),
    Scheme(  # official/nlp of 2019, after official/nlp/tools/tf1_bert_checkpoint_converter_lib.py
        "TF2 of 2019",
        _SCOPES,
        {
            "bert_model/word_embeddings": ("embeddings.word_embeddings", KERAS_TABLE),
            "bert_model/embedding_postprocessor/position_embeddings": ("embeddings.position_embeddings", BARE_TABLE),
            "bert_model/embedding_postprocessor/type_embeddings": ("embeddings.token_type_embeddings", BARE_TABLE),
            "bert_model/embedding_postprocessor/layer_norm": ("embeddings.LayerNorm", NORM),
            "bert_model/encoder/layer_{n}/self_attention/{part}": (
                "encoder.layer.{n}.attention.self.{part}",
                INTO_HEADS,
            ),
            "bert_model/encoder/layer_{n}/self_attention_output": (
                "encoder.layer.{n}.attention.output.dense",
                OUT_OF_HEADS,
            ),
            "bert_model/encoder/layer_{n}/self_attention_layer_norm": (
                "encoder.layer.{n}.attention.output.LayerNorm",
                NORM,
            ),
            "bert_model/encoder/layer_{n}/intermediate": ("encoder.layer.{n}.intermediate.dense", DENSE),
            "bert_model/encoder/layer_{n}/output": ("encoder.layer.{n}.output.dense", DENSE),
            "bert_model/encoder/layer_{n}/output_layer_norm": ("encoder.layer.{n}.output.LayerNorm", NORM),
            "bert_model/pooler_transform": ("pooler.dense", DENSE),
        },
    ),
    Scheme(  # google-research/bert
        "TF1",
        _SCOPES,
        {
            "bert/embeddings/{table}_embeddings": ("embeddings.{table}_embeddings", BARE_TABLE),
            "bert/embeddings/LayerNorm": ("embeddings.LayerNorm", NORM),
            "bert/encoder/layer_{n}/attention/self/{part}": ("encoder.layer.{n}.attention.self.{part}", DENSE),
            "bert/encoder/layer_{n}/attention/output/dense": ("encoder.layer.{n}.attention.output.dense", DENSE),
            "bert/encoder/layer_{n}/attention/output/LayerNorm": ("encoder.layer.{n}.attention.output.LayerNorm", NORM),
            "bert/encoder/layer_{n}/intermediate/dense": ("encoder.layer.{n}.intermediate.dense", DENSE),
            "bert/encoder/layer_{n}/output/dense": ("encoder.layer.{n}.output.dense", DENSE),
            "bert/encoder/layer_{n}/output/LayerNorm": ("encoder.layer.{n}.output.LayerNorm", NORM),
            "bert/pooler/dense": ("pooler.dense", DENSE),
        },
    ),
    Scheme(  # transformers' BertModel, alone or inside a BertFor…
        "Hugging Face",
        r"(?:bert\.)?",
        {
            "embeddings.{table}_embeddings": ("embeddings.{table}_embeddings", HF_TABLE),
            "embeddings.LayerNorm": ("embeddings.LayerNorm", HF_NORM),
            "encoder.layer.{n}.attention.self.{part}": ("encoder.layer.{n}.attention.self.{part}", HF_DENSE),
            "encoder.layer.{n}.attention.output.dense": ("encoder.layer.{n}.attention.output.dense", HF_DENSE),
            "encoder.layer.{n}.attention.output.LayerNorm": ("encoder.layer.{n}.attention.output.LayerNorm", HF_NORM),
            "encoder.layer.{n}.intermediate.dense": ("encoder.layer.{n}.intermediate.dense", HF_DENSE),
            "encoder.layer.{n}.output.dense": ("encoder.layer.{n}.output.dense", HF_DENSE),
            "encoder.layer.{n}.output.LayerNorm": ("encoder.layer.{n}.output.LayerNorm", HF_NORM),
            "pooler.dense": ("pooler.dense", HF_DENSE),
        },
    ),
)
_HOLES = {"n": r"\d{1,3}", "part": "query|key|value", "table": "word|position|token_type"}


class Drop(NamedTuple):
    """What is left out: its name in the record of a build, a pattern for the whole name of a tensor, and why."""

    name: str
    pattern: str
    reason: str


DROPS = (
    Drop("object graph", r"_CHECKPOINTABLE_OBJECT_GRAPH", "the names of the variables, read apart"),
    Drop("lower-case flag", r"do_lower_case", "read as `cased`"),
    Drop("masked-word head", r"(.*[/.])?cls[/.]predictions[/.].*", "predicts words; no part of the encoder"),
    Drop(
        "next-sentence head",
        r"(.*[/.])?cls[/.]seq_relationship[/.].*|(.*/)?predictions/transform/logits/(kernel|bias)",
        "judges pairs of sentences; no part of the encoder",
    ),
    Drop(
        "task head",
        r"(dense|classifier|qa_outputs)[/.](kernel|weight|bias)|output_(weights|bias)|cls/squad/output_(weights|bias)",
        "a fine-tuned layer on top of the encoder",
    ),
    Drop(
        "optimizer slot",
        r".*/(adam_[mv]|Adam(_\d+)?|AdamWeightDecay(Optimizer)?(_\d+)?|Momentum)|beta[12]_power|.*\.OPTIMIZER_SLOT.*"
        r"|(.*/)?optimizer/.*",
        "the state of training",
    ),
    Drop("step counter", r"global_step|save_counter|step", "counts the steps or saves of training"),
    Drop("index buffer", r"(bert\.)?embeddings\.(position_ids|token_type_ids)", "0, 1, 2 …, no weight"),
)

FOREIGN = {
    r"embedding_projection|embeddings_project|embedding_hidden_mapping_in": (
        "a factorised embedding, narrower than the layers (ELECTRA-small, ALBERT)"
    ),
    r"inner_group_\d|albert_layer_groups": "layers that share their weights (ALBERT)",
    r"relative_attention_bias|relative_position|rel_embeddings": "relative positions",
}
"""Part of a tensor's name → what it betrays that no BERT has."""

CANONICAL = {
    "embeddings.word_embeddings": ("vocabulary", "hidden"),
    "embeddings.position_embeddings": ("positions", "hidden"),
    "embeddings.token_type_embeddings": ("types", "hidden"),
    "embeddings.LayerNorm": ("hidden",),
    "encoder.layer.{n}.attention.self.query": ("hidden", "hidden"),
    "encoder.layer.{n}.attention.self.key": ("hidden", "hidden"),
    "encoder.layer.{n}.attention.self.value": ("hidden", "hidden"),
    "encoder.layer.{n}.attention.output.dense": ("hidden", "hidden"),
    "encoder.layer.{n}.attention.output.LayerNorm": ("hidden",),
    "encoder.layer.{n}.intermediate.dense": ("intermediate", "hidden"),
    "encoder.layer.{n}.output.dense": ("hidden", "intermediate"),
    "encoder.layer.{n}.output.LayerNorm": ("hidden",),
    "pooler.dense": ("hidden", "hidden"),
}
"""Every canonical module → the sizes of its weight. All but the tables have a bias, as long as the first size."""

_SIZED_BY = {
    "vocabulary": ("embeddings.word_embeddings.weight", 0),
    "hidden": ("embeddings.word_embeddings.weight", 1),
    "positions": ("embeddings.position_embeddings.weight", 0),
    "types": ("embeddings.token_type_embeddings.weight", 0),
    "intermediate": ("encoder.layer.0.intermediate.dense.weight", 0),
}
_PROBLEMS = ("missing", "unknown", "twice", "misshapen", "scalar", "not of float32", "not finite")
_NAMED_AT_MOST = 6


# ---------------------------------------------------------------- the account


@dataclass
class Account:
    """Canonical name → tensor; source name → drop rule; what the shapes prove of sizes and heads."""

    tensors: dict[str, Array] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)


class _Match(NamedTuple):
    target: str
    turn: Callable[[Array], Array]


def account(source: Tensors, where: str) -> Account:
    """Turn a source's tensors into canonical ones; ``where`` names the source in errors.

    Raises UnsupportedModel if they are not those of a BERT encoder, and whatever reading a tensor raises.
    """
    matches = _best_matches(source, where)
    found = Account(dropped={name: rule for name in source if (rule := _drop_rule(name))})
    for name in found.dropped:
        # Read for its checksum alone, whatever its type: a file that is damaged anywhere is not trusted elsewhere.
        with suppress(UnsupportedModel):
            source[name]()
    problems: dict[str, list[str]] = {problem: [] for problem in _PROBLEMS}
    heads = set()
    for name, (target, turn) in matches.items():
        tensor = source[name]()
        if problem := "twice" if target in found.tensors else _fault(tensor):
            problems[problem].append(name)
            continue
        found.tensors[target] = turn(tensor)
        heads |= {tensor.shape[1]} if turn is from_heads and tensor.ndim == 3 else set()
    sizes = _sizes(found.tensors, matches)
    expected, targets = _expected(sizes), {match.target for match in matches.values()}
    problems["missing"] += [name for name in expected if name not in targets]
    problems["unknown"] += [name for name in source if name not in matches and name not in found.dropped]
    problems["misshapen"] += _misshapen(found.tensors, expected)
    _raise(problems, where)
    facts = [*sizes.items(), *(("heads", count) for count in heads)]
    found.claims = [Claim(name, value, "the tensors", Rank.PROVEN) for name, value in facts]
    return found


def _fault(tensor: NDArray[Any]) -> str:
    """What is wrong with a tensor whatever its place, or nothing."""
    if tensor.dtype != np.float32:
        return "not of float32"
    if not tensor.ndim:
        return "scalar"
    return "" if np.isfinite(tensor).all() else "not finite"


def _best_matches(source: Tensors, where: str) -> dict[str, _Match]:
    """The source's tensors as the scheme sees them that knows the most of them."""
    for pattern, meaning in FOREIGN.items():
        betraying = [name for name in source if re.search(pattern, name)]
        if betraying:
            raise UnsupportedModel(f"{where} is not a BERT: {betraying[0]} means {meaning}")
    kept = [name for name in source if not _drop_rule(name)]
    tries = [{name: match for name in kept if (match := _match(scheme, name))} for scheme in _COMPILED]
    best = max(tries, key=len)
    if not best:
        found = ", ".join(kept[:_NAMED_AT_MOST]) + (" …" if len(kept) > _NAMED_AT_MOST else "")
        raise UnsupportedModel(
            f"{where} is not a BERT: none of its {len(kept)} tensors has a name that a BERT encoder's has.\n"
            f"Expected names as in google-research/bert, TF-Hub or transformers; found {found or 'no tensor'}"
        )
    return best


def _match(scheme: Sequence[tuple[re.Pattern[str], str, Leaf]], name: str) -> _Match | None:
    for pattern, target, leaf in scheme:
        if found := pattern.fullmatch(name):
            return _Match(f"{target.format_map(found.groupdict())}.{leaf.target}", leaf.turn)
    return None


def _drop_rule(name: str) -> str:
    return next((rule.name for rule in DROPS if re.fullmatch(rule.pattern, name)), "")


def _compile(scheme: Scheme) -> list[tuple[re.Pattern[str], str, Leaf]]:
    rows = []
    for module, (target, kind) in scheme.modules.items():
        pattern = re.escape(module)
        for hole, content in _HOLES.items():
            pattern = pattern.replace(rf"\{{{hole}\}}", f"(?P<{hole}>{content})")
        rows += [(re.compile(scheme.front + pattern + leaf.pattern), target, leaf) for leaf in kind]
    return rows


_COMPILED = tuple(_compile(scheme) for scheme in SCHEMES)


def _sizes(tensors: Mapping[str, Array], matches: Mapping[str, _Match]) -> dict[str, int]:
    layers = {int(found[1]) for m in matches.values() if (found := re.match(r"encoder\.layer\.(\d+)\.", m.target))}
    sizes = {
        name: tensors[tensor].shape[axis]
        for name, (tensor, axis) in _SIZED_BY.items()
        if tensor in tensors and tensors[tensor].ndim == 2
    }
    return {"layers": max(layers, default=-1) + 1, **sizes}


def _expected(sizes: Mapping[str, int]) -> dict[str, tuple[int | None, ...]]:
    """Canonical name → shape; None stands for a size that is not known since its tensor is missing."""
    shapes: dict[str, tuple[int | None, ...]] = {}
    for module, axes in CANONICAL.items():
        shape = tuple(sizes.get(axis) for axis in axes)
        for n in range(sizes["layers"]) if "{n}" in module else (0,):
            shapes[f"{module.format(n=n)}.weight"] = shape
            if not module.endswith("_embeddings"):
                shapes[f"{module.format(n=n)}.bias"] = shape[:1]
    return shapes


def _misshapen(tensors: Mapping[str, Array], expected: Mapping[str, tuple[int | None, ...]]) -> Iterator[str]:
    for name, tensor in tensors.items():
        shape = expected.get(name, tensor.shape)
        fits = len(shape) == tensor.ndim and all(
            want in (None, have) for want, have in zip(shape, tensor.shape, strict=True)
        )
        if not fits:
            yield f"{name} {tensor.shape} instead of {shape}".replace("None", "?")


def _raise(problems: Mapping[str, list[str]], where: str) -> None:
    told = "; ".join(f"{kind}: {', '.join(_gathered(names))}" for kind, names in problems.items() if names)
    if told:
        raise UnsupportedModel(f"{where} does not hold exactly the tensors of a BERT encoder with a pooler.\n{told}")


def _gathered(names: Iterable[str]) -> Iterator[str]:
    """``a.layer.0.b, a.layer.1.b`` → ``a.layer.{0,1}.b``."""
    parts = sorted(re.sub(r"(layer[._])(\d+)", r"\1\0\2\0", name, count=1).split("\0") for name in names)
    for _, group in groupby(parts, key=lambda part: (part[0], part[2:])):
        same = list(group)
        numbers = ",".join(sorted((part[1] for part in same if len(part) > 1), key=int))
        yield f"{same[0][0]}{{{numbers}}}{same[0][2]}" if len(same) > 1 and numbers else "".join(same[0])
