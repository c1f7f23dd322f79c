"""What the graph in ``saved_model.pb`` tells of the BERT that it runs.

A SavedModel has one meta graph per set of tags. Its nodes lie in the graph itself (TensorFlow 1) or in the functions
of its library (TensorFlow 2); either way a node's name is the path of scopes that it was made in:

    …/layer_0/…/Gelu/Tanh            the tanh approximation of GELU, if the constant 0.044715 is beside it
    …/layer_0/…/Erf                  GELU itself
    …/layer_0/…LayerNorm/batchnorm/add/y     the layer norm's epsilon; a fused norm has it as an attribute
    …/layer_0/attention/…Reshape     to (…, heads, head size): the heads, where kernels are two-dimensional
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wellread.converters.formats.claims import Claim, Rank
from wellread.converters.formats.configuration import case_claims, google_claims
from wellread.converters.formats.contents import Contents, Format, bundle_tensors
from wellread.converters.formats.tensor_bundle import DTYPES, TensorBundle
from wellread.converters.formats.tensorflow_protos import parse
from wellread.errors import CorruptSource, UnsupportedModel

FILE = "saved_model.pb"
_SERVE = "serve"
_LAYER = re.compile(r"(?:^|/)layer_\d+/")
_ATTENTION = re.compile(r"(?:^|/)layer_\d+/attention/")
_NORM = re.compile(r"(?:^|/)(?:embedd\w+|layer_\d+)/(?:.*/)?\w*(?:layer_norm|LayerNorm)/(?:.*/)?")
_ACTIVATIONS = {
    "Erf": "gelu_erf",
    "Erfc": "gelu_erf",
    "Tanh": "tanh",
    **{op: op.lower() for op in ("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Softplus")},
}
"""Operation inside a layer → the activation that it betrays; a BERT layer has no other use for any of them."""
_TANH_CONSTANT = 0.044715
_TEXT_OPERATIONS = {
    "CaseFoldUTF8",
    "FastBertNormalize",
    "FastWordpieceTokenizeWithOffsets",
    "NormalizeUTF8",
    "RegexSplitWithOffsets",
    "SentencepieceOp",
    "SentencepieceTokenizeOp",
    "WordpieceTokenizeWithOffsets",
}
_FLOAT = 1
_INTEGERS = {3: "int_val", 9: "int64_val"}


def read_saved_model(folder: Path) -> Contents:
    """The tensors and the claims of a SavedModel. Raises CorruptSource, UnsupportedModel."""
    path = folder / FILE
    graph = _meta_graph(path)
    bodies = [graph.graph.node, *(function.node for function in graph.graph.library.function)]
    _refuse_weightless(folder, path, bodies)
    bundle = TensorBundle(folder / "variables" / "variables")
    tensors = bundle_tensors(bundle)
    _refuse_preprocessor(path, bodies, bundle)

    def claims(hidden: int) -> Sequence[Claim]:
        flag = tensors.get("do_lower_case")
        cased = [Claim("cased", not flag().any(), "the variable do_lower_case", Rank.PROVEN)] if flag else []
        return [*_graph_claims(path, bodies, hidden), *cased, *google_claims(folder), *case_claims(folder)]

    return Contents(_format(graph.objects), tensors, claims, graph=folder)


def _meta_graph(path: Path) -> Any:
    try:
        graphs = parse("SavedModel", path.read_bytes()).meta_graphs
    except (OSError, ValueError) as error:
        raise CorruptSource(f"{path}: {error}. Fetch the source again") from error
    tags = [list(graph.info.tags) for graph in graphs]
    number = served(tags)
    if number is None:
        raise UnsupportedModel(
            f"{path} has no graph tagged {_SERVE!r}; it has {'; '.join(map(', '.join, tags)) or 'none at all'}"
        )
    return graphs[number]


def served(tags: Sequence[Sequence[str]]) -> int | None:
    """Which of the graphs with these tags is the model: the first tagged to be served, else the first untagged."""
    ranked = [i for i, found in enumerate(tags) if _SERVE in found] + [i for i, found in enumerate(tags) if not found]
    return next(iter(ranked), None)


def _refuse_weightless(folder: Path, path: Path, bodies: Iterable[Any]) -> None:
    if not (folder / "variables").exists() and not _operations(bodies) & {"VarHandleOp", "VariableV2", "Variable"}:
        kind = "preprocesses text" if _operations(bodies) & _TEXT_OPERATIONS else "holds no weights"
        raise UnsupportedModel(f"{path} {kind}; the module of a BERT encoder is expected")


def _refuse_preprocessor(path: Path, bodies: Iterable[Any], bundle: TensorBundle) -> None:
    matrices = [e for e in bundle.entries.values() if len(e.shape) > 1 and DTYPES.get(e.dtype) == "<f4"]
    if not matrices and _operations(bodies) & _TEXT_OPERATIONS:
        raise UnsupportedModel(
            f"{path} preprocesses text and holds no weights; the module of a BERT encoder is expected"
        )


def _operations(bodies: Iterable[Any]) -> set[str]:
    return {node.op for body in bodies for node in body}


def _format(objects: Any) -> Format:
    """By how the object wants to be called: with a list of inputs, with a dict, or by a signature only."""
    children = {child.local_name: child.node_id for child in objects.nodes[0].children} if objects.nodes else {}
    number = children.get("__call__", -1)
    if not 0 <= number < len(objects.nodes):
        return "tf1-saved-model"
    signatures = {pair.key: pair.value.inputs for pair in objects.concrete_functions}
    names = objects.nodes[number].function.concrete_functions
    return "tf2-list" if any(_takes_list(signatures[name]) for name in names if name in signatures) else "tf2-dict"


def _takes_list(inputs: Any) -> bool:
    """``inputs`` is the pair (positional, by keyword)."""
    positional = inputs.tuple.values[0].tuple.values[:1] if inputs.tuple.values else ()
    return any(len(first.list.values) or len(first.tuple.values) for first in positional)


# ---------------------------------------------------------------- what the nodes tell


def _graph_claims(path: Path, bodies: Sequence[Any], hidden: int) -> Iterator[Claim]:
    constants = [{node.name: _constant(node) for node in body if node.op == "Const"} for body in bodies]
    pairs = list(zip(bodies, constants, strict=True))
    found: dict[str, set[Any]] = {
        "activation": {word for body, known in pairs for word in _activations(body, known)},
        "norm_eps": {eps for body, known in pairs for eps in _epsilons(body, known)},
    }
    for field, values in found.items():
        if len(values) > 1 or values & {"tanh"} or (field == "activation" and not values <= {"gelu_tanh", "gelu_erf"}):
            raise UnsupportedModel(f"{path}: {field} of its layers is {' and '.join(map(str, sorted(values)))}")
    heads = {count for body, known in pairs for count in _heads(body, known, hidden)}
    found["heads"] = heads if len(heads) == 1 else set()
    for field, values in found.items():
        yield from (Claim(field, value, f"the graph in {FILE}", Rank.PROVEN) for value in values)


def _activations(body: Iterable[Any], constants: Mapping[str, list[float]]) -> Iterator[str]:
    tanh_layers = {
        _layer(name) for name, values in constants.items() if np.allclose(values[:1] or [0], _TANH_CONSTANT, rtol=1e-4)
    }
    for node in body:
        layer = _layer(node.name)
        if layer and node.op in _ACTIVATIONS:
            word = _ACTIVATIONS[node.op]
            yield "gelu_tanh" if word == "tanh" and layer in tanh_layers else word


def _epsilons(body: Iterable[Any], constants: Mapping[str, list[float]]) -> Iterator[float]:
    for name, values in constants.items():
        if name.endswith("batchnorm/add/y") and _NORM.search(name):
            yield from values
    for node in body:
        if node.op.startswith("FusedBatchNorm") and _NORM.search(node.name):
            yield from (_decimal(pair.value.f) for pair in node.attr if pair.key == "epsilon")


def _heads(body: Iterable[Any], constants: Mapping[str, list[float]], hidden: int) -> Iterator[int]:
    """From every reshape in an attention scope whose last two sizes multiply to the hidden size."""
    packed = {node.name: node for node in body if node.op == "Pack"}
    for node in body:
        if node.op != "Reshape" or not _ATTENTION.search(node.name) or len(node.input) < 2:
            continue
        shape = node.input[1].partition(":")[0]
        sizes = constants.get(shape, []) if shape not in packed else _pack(packed[shape], constants)
        heads, size = sizes[-2:] if len(sizes) > 1 else (0, 0)
        if heads > 0 and size > 0 and heads * size == hidden:
            yield int(heads)


def _pack(node: Any, constants: Mapping[str, list[float]]) -> list[float]:
    """The vector that a Pack makes of scalars; -1 stands for one that is not constant."""
    scalars = [constants.get(name.partition(":")[0], []) for name in node.input if not name.startswith("^")]
    return [values[0] if len(values) == 1 else -1 for values in scalars]


def _layer(name: str) -> str:
    found = _LAYER.search(name)
    return name[: found.end()] if found else ""


def _constant(node: Any) -> list[float]:
    """The numbers of a Const node; none if they are not float32 or integers."""
    tensor = next((pair.value.tensor for pair in node.attr if pair.key == "value"), None)
    if tensor is None or not (tensor.dtype == _FLOAT or tensor.dtype in _INTEGERS):
        return []
    dtype = DTYPES[tensor.dtype]
    if tensor.content:
        whole = len(tensor.content) // np.dtype(dtype).itemsize * np.dtype(dtype).itemsize
        values: Any = np.frombuffer(tensor.content[:whole], dtype)
    else:
        values = getattr(tensor, _INTEGERS.get(tensor.dtype, "float_val"))
    return [_decimal(v) if tensor.dtype == _FLOAT else int(v) for v in values]


def _decimal(value: float) -> float:
    """The shortest decimal that is this float32: 1e-12, not 9.99999996e-13."""
    return float(str(np.float32(value)))
