"""The ``onnx`` forms, written straight from the weights: numpy and onnx, nothing traced.

    input_ids, attention_mask, token_type_ids     (batch, tokens) int64
        → last_hidden_state                       (batch, tokens, hidden) float32
        → pooler_output                           (batch, hidden) float32
        → pooler_linear                           (batch, hidden) float32, before the tanh; only where pooling asks

Standard operators of opset 20 and no others, so that onnxruntime, its web build and any other engine run the file;
onnxruntime fuses them when the session starts. The same weights give the same bytes everywhere: no version, date or
path is written. The tensors that parity looks at have names of their own (``point_tensors``), so a copy can expose them
without touching the rest.

The graph below is the model; how a table is looked up and a matrix multiplied in each precision stands in
``onnx_graph.py`` and ``quantise.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper

from wellread import errors
from wellread.converters.forms.onnx_graph import Graph, HalfGraph
from wellread.converters.forms.quantise import Int8Graph
from wellread.converters.weights import Weights
from wellread.registry.records import Tensor

OPSET = 20
IR_VERSION = 9
"""The oldest IR that carries opset 20: the widest range of engines reads it."""
Precision = Literal["fp32", "fp16", "int8"]
GRAPHS: dict[Precision, type[Graph]] = {"fp32": Graph, "fp16": HalfGraph, "int8": Int8Graph}

_GELU = {"gelu_tanh": "tanh", "gelu_erf": "none"}
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def inputs() -> tuple[Tensor, ...]:
    """The input signature of every ONNX form."""
    return tuple(Tensor(name=name, dtype="int64", shape=("batch", "tokens")) for name in _INPUTS)


def outputs(hidden: int, pooler_linear: bool) -> tuple[Tensor, ...]:
    """The output signature of every ONNX form."""
    pooled = ("pooler_output", "pooler_linear") if pooler_linear else ("pooler_output",)
    return (
        Tensor(name="last_hidden_state", dtype="float32", shape=("batch", "tokens", hidden)),
        *(Tensor(name=name, dtype="float32", shape=("batch", hidden)) for name in pooled),
    )


def point_tensors(layers: int) -> dict[str, str]:
    """Point of comparison → the name of the tensor that holds it."""
    inner = {f"layer {i}": f"layer_{i}" for i in range(1, layers + 1)}
    return {"embeddings": "embeddings", **inner, "sequence": "last_hidden_state", "pooled": "pooler_output"}


def write_onnx(path: Path, weights: Weights, precision: Precision = "fp32", pooler_linear: bool = False) -> None:
    """Write the model to ``path`` and check it with ``onnx.checker``. Raises UnsupportedModel above 2 GB."""
    raw = _serialised(path, build_model(weights, precision, pooler_linear))
    onnx.checker.check_model(raw)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


def _serialised(path: Path, model: onnx.ModelProto) -> bytes:
    # In a function of its own, so that the model is let go before the checker makes a copy.
    size = model.ByteSize()
    if size > onnx.checker.MAXIMUM_PROTOBUF:
        raise errors.UnsupportedModel(f"{path.name} would be {size / 1e9:.1f} GB: one ONNX file holds 2 GB at most")
    raw: bytes = model.SerializeToString(deterministic=True)
    return raw


def expose_points(path: Path, out: Path, layers: int) -> None:
    """Write a copy of an ONNX form in which every point of comparison is an output too."""
    model = onnx.load_model(path)
    known = {value.name for value in model.graph.output}
    for tensor in point_tensors(layers).values():
        if tensor not in known:
            model.graph.output.append(onnx.ValueInfoProto(name=tensor))
    out.write_bytes(model.SerializeToString())


def build_model(weights: Weights, precision: Precision = "fp32", pooler_linear: bool = False) -> onnx.ModelProto:
    """The model in memory: embeddings, the layers, the pooler, one after the other."""
    model = helper.make_model(
        onnx.GraphProto(name="bert"),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="wellread",
    )
    signature = outputs(weights.architecture.hidden, pooler_linear)
    model.graph.input.extend(_value(tensor) for tensor in inputs())
    model.graph.output.extend(_value(tensor) for tensor in signature)
    # Filled in place: onnx's own helpers copy the weights at each step.
    graph = GRAPHS[precision](weights, model.graph)
    hidden, bias = _embeddings(graph), _mask_bias(graph)
    for layer in range(weights.architecture.layers):
        hidden = _layer(graph, layer, hidden, bias)
    finals = {"last_hidden_state": hidden, **_pooler(graph, hidden)}
    for output in signature:
        graph.output(finals[output.name], output.name)
    return model


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    kind = TensorProto.INT64 if tensor.dtype == "int64" else TensorProto.FLOAT
    return helper.make_tensor_value_info(tensor.name, kind, tensor.shape)


def _embeddings(graph: Graph) -> str:
    words = graph.lookup("embeddings.word_embeddings.weight", "input_ids", "words")
    types = graph.lookup("embeddings.token_type_embeddings.weight", "token_type_ids", "types")
    length = graph.op("Shape", ["input_ids"], "length", start=1, end=2)
    table = graph.weight("embeddings.position_embeddings.weight")
    bounds = [graph.integers("zero", [0]), length, graph.integers("first_axis", [0])]
    positions = graph.op("Slice", [table, *bounds], "positions")
    typed = graph.op("Add", [words, types], "typed_words")
    placed = graph.op("Add", [typed, positions], "placed_words")
    return graph.norm(placed, "embeddings.LayerNorm", "embeddings")


def _mask_bias(graph: Graph) -> str:
    """(batch, 1, 1, tokens): 0 where a key is real, the mask's bias where it is not."""
    mask = graph.op("Cast", ["attention_mask"], "mask", to=graph.kind)
    missing = graph.op("Sub", [graph.number("one", 1.0), mask], "missing")
    bias = graph.op("Mul", [missing, graph.number("masked", graph.masked)], "bias")
    return graph.op("Unsqueeze", [bias, graph.integers("head_axes", [1, 2])], "key_bias")


def _layer(graph: Graph, layer: int, hidden: str, bias: str) -> str:
    source, at = f"encoder.layer.{layer}", f"layer_{layer + 1}"
    context = _attention(graph, f"{source}.attention.self", f"{at}/attention", hidden, bias)
    attended = graph.dense(context, f"{source}.attention.output.dense", f"{at}/attention/output")
    residual = graph.op("Add", [attended, hidden], f"{at}/attention/residual")
    attention = graph.norm(residual, f"{source}.attention.output.LayerNorm", f"{at}/attention/norm")
    wide = graph.dense(attention, f"{source}.intermediate.dense", f"{at}/intermediate")
    active = graph.op("Gelu", [wide], f"{at}/gelu", approximate=_GELU[graph.architecture.activation])
    narrow = graph.dense(active, f"{source}.output.dense", f"{at}/output")
    residual = graph.op("Add", [narrow, attention], f"{at}/residual")
    return graph.norm(residual, f"{source}.output.LayerNorm", at)


def _attention(graph: Graph, source: str, at: str, hidden: str, bias: str) -> str:
    heads = graph.architecture.heads
    size = graph.architecture.hidden // heads
    split = graph.integers("split_heads", [0, 0, heads, size])

    def project(role: str, axes: list[int]) -> str:
        flat = graph.dense(hidden, f"{source}.{role}", f"{at}/{role}")
        return graph.op(
            "Transpose", [graph.op("Reshape", [flat, split], f"{at}/{role}_heads")], f"{at}/{role}_by_head", perm=axes
        )

    query, key, value = project("query", [0, 2, 1, 3]), project("key", [0, 2, 3, 1]), project("value", [0, 2, 1, 3])
    scaled = graph.op("Mul", [query, graph.number("scale", size**-0.5)], f"{at}/query_scaled")
    scores = graph.op("Add", [graph.op("MatMul", [scaled, key], f"{at}/scores"), bias], f"{at}/scores_masked")
    shares = graph.op("Softmax", [scores], f"{at}/shares", axis=-1)
    mixed = graph.op(
        "Transpose", [graph.op("MatMul", [shares, value], f"{at}/mixed")], f"{at}/mixed_by_token", perm=[0, 2, 1, 3]
    )
    return graph.op("Reshape", [mixed, graph.integers("join_heads", [0, 0, -1])], f"{at}/context")


def _pooler(graph: Graph, hidden: str) -> dict[str, str]:
    first = graph.op("Gather", [hidden, graph.constant("first", np.array(0, "<i8"))], "first_token", axis=1)
    linear = graph.dense(first, "pooler.dense", "pooled_linear")
    return {"pooler_linear": linear, "pooler_output": graph.op("Tanh", [linear], "pooled")}
