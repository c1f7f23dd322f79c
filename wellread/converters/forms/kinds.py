"""The forms a press can make, in one table: where each lies, how it is written, and how equal it must be.

    torch        model.safetensors        transformers and sentence-transformers
    onnx         onnx/model.onnx          wellread's own form, fp32, the same vectors on every machine
    onnx-int8    onnx/model_int8.onnx     a quarter of the size, about twice the speed where the CPU has VNNI
    onnx-fp16    onnx/model_fp16.onnx     half the size

Around them lie the members that every form needs: configuration, tokenizer, and sentence-transformers' module list.
The file names are Hugging Face's and transformers.js's, so the unpacked artifact is a folder that those open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wellread.converters.forms import onnx_form, torch_form
from wellread.converters.forms.sentence_form import write_sentence_transformers
from wellread.converters.tokenizer import write_tokenizer
from wellread.converters.weights import Weights
from wellread.errors import BadInput, near_misses
from wellread.registry.records import Form, Pooling

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")


Write = Callable[[Path, Weights, bool], None]
"""Writes a form to its place; the flag asks for the pooler's output before its tanh as well."""


@dataclass(frozen=True)
class Gate:
    """What a form must hold at every point: ``limit`` for one figure of its distance from the oracle.

    For ``max`` the limit counts floors (see parity.py); cosines are plain, and judged on real text only.
    """

    measure: Literal["max", "min_cosine", "mean_cosine"]
    limit: float


@dataclass(frozen=True)
class Kind:
    """One kind of form. ``max_error`` and ``min_cosine`` are what a golden may be missed by on any machine."""

    member: str
    precision: Literal["fp32", "fp16", "int8"]
    write: Write
    gates: tuple[Gate, ...]
    max_error: float | None = None
    min_cosine: float | None = None


def _write_torch(path: Path, weights: Weights, pooler_linear: bool) -> None:
    torch_form.write_torch(path.parent, weights)


def _onnx_writer(precision: onnx_form.Precision) -> Write:
    def write(path: Path, weights: Weights, pooler_linear: bool) -> None:
        onnx_form.write_onnx(path, weights, precision, pooler_linear)

    return write


FP32_GATES = (Gate("max", 6.0),)

FORMS: Mapping[str, Kind] = {
    "torch": Kind("model.safetensors", "fp32", _write_torch, FP32_GATES, max_error=1e-4),
    "onnx": Kind("onnx/model.onnx", "fp32", _onnx_writer("fp32"), FP32_GATES, max_error=1e-4),
    "onnx-fp16": Kind(
        "onnx/model_fp16.onnx", "fp16", _onnx_writer("fp16"), (Gate("min_cosine", 0.9999),), min_cosine=0.999
    ),
    "onnx-int8": Kind(
        "onnx/model_int8.onnx",
        "int8",
        _onnx_writer("int8"),
        (Gate("mean_cosine", 0.99), Gate("min_cosine", 0.95)),
        min_cosine=0.95,
    ),
}


def check_forms(names: Iterable[str]) -> tuple[str, ...]:
    """The names in the table's order, each once. Raises BadInput for one that is not a form, or for none at all."""
    asked = list(names)
    for name in asked:
        if name not in FORMS:
            raise BadInput(f"{name!r} is not a form.{near_misses(name, FORMS)} Available: {', '.join(FORMS)}")
    if not asked:
        raise BadInput(f"no form was asked for. Available: {', '.join(FORMS)}")
    return tuple(name for name in FORMS if name in asked)


def write_forms(
    folder: Path, weights: Weights, names: Iterable[str], pooling: Pooling, max_length: int | None = None
) -> dict[str, Form]:
    """Write the forms and what they share into ``folder``; returns what the manifest says of each.

    ``max_length`` is what the tokenizer cuts at, in tokens: all positions where it is not given.
    """
    shape = weights.architecture
    torch_form.write_config(folder, weights)
    write_tokenizer(folder, weights.vocabulary, shape.cased, max_length or shape.positions)
    shared = ("config.json", *TOKENIZER, *write_sentence_transformers(folder, weights, pooling))
    made = {}
    for name in check_forms(names):
        kind = FORMS[name]
        (folder / kind.member).parent.mkdir(parents=True, exist_ok=True)
        kind.write(folder / kind.member, weights, pooling == "pooler-linear")
        made[name] = Form(
            members=tuple(sorted((*shared, kind.member))),
            precision=kind.precision,
            max_error=kind.max_error,
            min_cosine=kind.min_cosine,
        )
    return made
