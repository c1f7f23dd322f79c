"""The process that runs a SavedModel in TensorFlow and fetches its inner tensors; see oracle.py.

    python -P -m wellread.converters.parity.oracle_process FOLDER FORMAT LAYERS EXCHANGE

The model is taken as one flat graph. TensorFlow 1 saved it as such; Keras nests every layer in functions of its own,
which are inlined first, the variables staying outside. A point of the network is then the tensor that leaves the scope
of its name: whatever a layer norm is made of, one tensor leaves it, and that is its result. Where the model declares
the same point as an output, both are fetched and must be equal.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2, saved_model_pb2
from tensorflow.python.grappler import tf_optimizer

from wellread.converters.formats.saved_model import served
from wellread.converters.parity.probes import points
from wellread.errors import UnsupportedModel

INPUTS = (
    ("input_word_ids", "input_ids"),
    ("input_mask", "attention_mask"),
    ("input_type_ids", "segment_ids", "token_type_ids"),
)
"""What modules call ids, mask and types, in the order in which the list API takes them."""

OUTPUTS = {"sequence_output": "sequence", "pooled_output": "pooled"}
"""Declared output → point."""

SCOPES = {
    "embeddings": r"(embeddings|embedding_postprocessor)/(layer_norm|LayerNorm)",
    "layer": r"(transformer|encoder)/layer_{}/(output_layer_norm|output/LayerNorm)",
    "pooled": r"pooler(_transform)?",
}
"""Point → scope, in TensorFlow's Model Garden and in google-research/bert; any scope may stand before it."""

CALL = re.compile(r"(^|/)(Func|(Stateful)?PartitionedCall(_\d+)?)(?=/)")
"""What inlining a nested function adds to the names of its nodes."""

AGREEMENT = 1e-6
"""How far a declared output may lie from the inner tensor it should be: they are one tensor, or copies of it."""


@dataclass(frozen=True)
class Model:
    """A model as a flat graph that can be run.

    ``inputs`` are the tensors of ids, mask and types, ``results`` all that the model returns, ``declared`` the points
    among them; ``variables`` maps a tensor of the graph to the variable that it must be fed.
    """

    function: Any
    inputs: Sequence[str]
    results: Sequence[str]
    declared: Mapping[str, str]
    variables: Mapping[str, Any] = field(default_factory=dict)


# ---------------------------------------------------------------- loading


def open_tf1(folder: str) -> Model:
    """A SavedModel without an object graph: the signature names tensors of the graph that was read too."""
    saved = saved_model_pb2.SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
    tags = [list(graph.meta_info_def.tags) for graph in saved.meta_graphs]
    number = served(tags) or 0
    loaded = tf.saved_model.load(folder, tags=tags[number])
    signatures = saved.meta_graphs[number].signature_def
    key = _signature(signatures, {name: signature.inputs for name, signature in signatures.items()})
    inputs, outputs = signatures[key].inputs, signatures[key].outputs
    return Model(
        function=loaded.signatures[key],
        inputs=[inputs[name].name for name in _inputs(inputs)],
        results=[output.name for output in outputs.values()],
        declared={point: outputs[name].name for name, point in OUTPUTS.items() if name in outputs},
    )


def open_tf2(folder: str, listed: bool) -> Model:
    """A Keras model: called for inference on symbolic inputs and inlined."""
    loaded = tf.saved_model.load(folder)
    specs = {name: signature.structured_input_signature[1] for name, signature in loaded.signatures.items()}
    spec = specs[_signature(loaded.signatures, specs)]
    names = _inputs(spec)

    def call(*three: Any) -> Any:
        return loaded(list(three) if listed else dict(zip(names, three, strict=True)), training=False)

    concrete = tf.function(call).get_concrete_function(*(spec[name] for name in names))
    graph = _inlined(concrete)
    inner = [tensor.name for tensor in concrete.inputs]
    return Model(
        function=tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), []),
        inputs=inner[:3],
        results=[tensor.name for tensor in concrete.outputs],
        declared=_declared(concrete.structured_outputs),
        variables=dict(zip(inner[3:], concrete.captured_inputs, strict=True)),
    )


def _signature(signatures: Iterable[str], inputs: Mapping[str, Iterable[str]]) -> str:
    """The signature that takes ids, mask and types, ``serving_default`` before others."""
    for key in sorted(signatures, key=lambda key: key != "serving_default"):
        if len(_inputs(inputs[key])) == len(INPUTS):
            return key
    found = "; ".join(f"{key} takes {', '.join(sorted(names)) or 'nothing'}" for key, names in inputs.items())
    raise UnsupportedModel(f"no signature takes token ids, mask and type ids: {found or 'there is none at all'}")


def _inputs(names: Iterable[str]) -> list[str]:
    known = set(names)
    return [name for synonyms in INPUTS for name in synonyms if name in known]


def _declared(outputs: Any) -> dict[str, str]:
    """Point → tensor, out of a dict of outputs, or of the list API's ``[pooled, sequence]``."""
    if not isinstance(outputs, Mapping):
        outputs = dict(zip(("pooled_output", "sequence_output"), outputs, strict=True))
    layers = {f"layer {i}": tensor.name for i, tensor in enumerate(outputs.get("encoder_outputs", ()), 1)}
    return layers | {point: outputs[name].name for name, point in OUTPUTS.items() if name in outputs}


def _inlined(concrete: Any) -> Any:
    """The GraphDef of a function with all functions that it calls inlined, and nothing else changed."""
    graph = tf.compat.v1.train.export_meta_graph(graph_def=concrete.graph.as_graph_def(), graph=concrete.graph)
    kept = graph.collection_def["train_op"].node_list.value
    kept.extend(tensor.name for tensor in concrete.inputs + concrete.outputs)
    config = config_pb2.ConfigProto()
    rewriting = config.graph_options.rewrite_options
    rewriting.min_graph_nodes = -1
    rewriting.optimizers.append("function")
    rewriting.function_optimization = rewriter_config_pb2.RewriterConfig.AGGRESSIVE
    return tf_optimizer.OptimizeGraph(config, graph)


# ---------------------------------------------------------------- finding the points


def find_points(model: Model, layers: int) -> dict[str, str]:
    """Point → inner tensor, for the points that the graph's scopes tell."""
    scopes = {"embeddings": SCOPES["embeddings"], "pooled": SCOPES["pooled"]}
    scopes |= {f"layer {i}": SCOPES["layer"].format(i - 1) for i in range(1, layers + 1)}
    nodes = _needed(model)
    found = {point: leaving for point, scope in scopes.items() if (leaving := _leaving(nodes, scope))}
    if f"layer {layers}" in found:
        found["sequence"] = found[f"layer {layers}"]
    return found


def _needed(model: Model) -> dict[str, list[str]]:
    """Node → the nodes it takes data from, for all that the results are computed from."""
    sources = {node.name: list(_sources(node)) for node in model.function.graph.as_graph_def().node}
    needed: dict[str, list[str]] = {}
    waiting = [result.split(":")[0] for result in model.results]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed[node] = sources[node]
            waiting += sources[node]
    return needed


def _sources(node: Any) -> Iterator[str]:
    return (source.split(":")[0] for source in node.input if not source.startswith("^"))


def _leaving(nodes: Mapping[str, list[str]], scope: str) -> str | None:
    """The one tensor of a scope that nothing within it takes; None if there is none or more than one."""
    pattern = re.compile(rf"(^|/){scope}/")
    inside = {name for name in nodes if pattern.search(CALL.sub("", name))}
    leaving = inside - {source for name in inside for source in nodes[name]}
    return f"{leaving.pop()}:0" if len(leaving) == 1 else None


# ---------------------------------------------------------------- running


class Runner:
    """Runs a model on arrays and gives the arrays at all points."""

    def __init__(self, model: Model, layers: int) -> None:
        inner = find_points(model, layers)
        missing = [point for point in points(layers) if point not in inner and point not in model.declared]
        if missing:
            raise UnsupportedModel(
                f"nothing in the graph was recognised as {', '.join(missing)}: the scopes of TensorFlow's Model Garden "
                "or of google-research/bert are expected"
            )
        self.names = list(points(layers))
        self.inner, self.declared = inner, model.declared
        self.variables = list(model.variables.values())
        self.inputs = [model.function.graph.get_tensor_by_name(name) for name in model.inputs]
        self.fetched = sorted({*inner.values(), *model.declared.values()})
        graph = model.function.graph
        feeds = [*self.inputs, *map(graph.get_tensor_by_name, model.variables)]
        self.pruned = model.function.prune(feeds, [graph.get_tensor_by_name(name) for name in self.fetched])

    def run(self, *three: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """ids, mask, types, each (batch, tokens) → point → array; padded to the model's length and cut back."""
        batch, tokens = three[0].shape
        fed = [self._padded(array, tensor) for array, tensor in zip(three, self.inputs, strict=True)]
        length = fed[0].shape[1]
        values = dict(zip(self.fetched, self.pruned(*fed, *self.variables), strict=True))

        def shaped(tensor: str, point: str) -> NDArray[np.float32]:
            value: NDArray[np.float32] = values[tensor].numpy()
            return value.reshape(batch, -1) if point == "pooled" else value.reshape(batch, length, -1)[:, :tokens]

        inner = {point: shaped(name, point) for point, name in self.inner.items()}
        declared = {point: shaped(name, point) for point, name in self.declared.items()}
        _check_agreement(inner, declared)
        return {point: (inner | declared)[point] for point in self.names}

    @staticmethod
    def _padded(array: NDArray[np.int64], tensor: Any) -> Any:
        length = tensor.shape[1] or array.shape[1]
        if array.shape[1] > length:
            raise UnsupportedModel(f"the graph takes {length} tokens, and {array.shape[1]} were to be compared")
        return tf.constant(np.pad(array, ((0, 0), (0, length - array.shape[1]))), tensor.dtype)


def _check_agreement(inner: Mapping[str, NDArray[np.float32]], declared: Mapping[str, NDArray[np.float32]]) -> None:
    for point in inner.keys() & declared.keys():
        if not np.allclose(inner[point], declared[point], rtol=0, atol=AGREEMENT):
            raise UnsupportedModel(f"the output declared as {point} is not the tensor that the graph computes there")


def main(folder: str, form: str, layers: int, exchange: Path) -> None:
    """Answer the request that lies in ``exchange``."""
    answer = {"tool": f"tensorflow {tf.__version__}"}
    try:
        model = open_tf1(folder) if form == "tf1-saved-model" else open_tf2(folder, listed=form == "tf2-list")
        runner = Runner(model, layers)
        with np.load(exchange / "request.npz") as request:
            arrays: dict[str, Any] = {}
            for i in range(len(request.files) // len(INPUTS)):
                three = (request[f"{i}.{part}"] for part in ("ids", "mask", "types"))
                arrays |= {f"{i}.{point}": array for point, array in runner.run(*three).items()}
        np.savez(exchange / "answer.npz", **arrays)
    except UnsupportedModel as refusal:
        answer = {"refused": str(refusal)}
    (exchange / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
