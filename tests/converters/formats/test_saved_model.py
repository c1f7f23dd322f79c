"""What a graph tells, read in graphs that TensorFlow wrote and in graphs spelled out here."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import BuildModule
from tests.fixtures.bundles import field, write_bundle
from wellread.converters.formats.saved_model import read_saved_model
from wellread.errors import CorruptSource, UnsupportedModel

pytestmark = pytest.mark.press

HIDDEN = 32


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    """A NodeDef as a field of a GraphDef; it serves in a FunctionDef too, whose number differs."""
    pairs = (field(5, field(1, key.encode()) + field(2, value)) for key, value in attributes.items())
    sources = (field(3, name.encode()) for name in inputs)
    return field(1, name.encode()) + field(2, op.encode()) + b"".join(sources) + b"".join(pairs)


def number(name: str, *values: float, packed: bool = False) -> bytes:
    """A Const of float32."""
    raw = struct.pack(f"<{len(values)}f", *values)
    return node(name, "Const", value=field(8, field(1, 1) + field(4 if packed else 5, raw)))


def integers(name: str, *values: int) -> bytes:
    raw = struct.pack(f"<{len(values)}i", *values)
    return node(name, "Const", value=field(8, field(1, 3) + field(4, raw)))


def gelu(layer: int, op: str = "Tanh", constant: float = 0.044715) -> list[bytes]:
    scope = f"model/bert/layer_{layer}/intermediate/Gelu"
    return [node(f"{scope}/{op}", op), number(f"{scope}/mul/x", constant)]


def write(folder: Path, nodes: list[bytes], *, library: bool = False, tags: tuple[str, ...] = ("serve",)) -> Path:
    graph = b"".join(field(1, each) for each in nodes)
    if library:
        graph = field(2, field(1, b"".join(field(3, each) for each in nodes)))
    info = b"".join(field(4, tag.encode()) for tag in tags)
    write_bundle(folder / "variables/variables", {"x/kernel": np.ones((2, 2), "<f4")})
    (folder / "saved_model.pb").write_bytes(field(1, 1) + field(2, field(1, info) + field(2, graph)))
    return folder


def told(folder: Path) -> Mapping[str, Any]:
    return {claim.field: claim.value for claim in read_saved_model(folder).claims(HIDDEN)}


@pytest.mark.parametrize("library", [True, False])
@pytest.mark.parametrize(("op", "constant", "kind"), [("Tanh", 0.044715, "gelu_tanh"), ("Erf", 0.5, "gelu_erf")])
def test_the_activation_is_that_of_the_layers(
    tmp_path: Path, library: bool, op: str, constant: float, kind: str
) -> None:
    elsewhere = [node("bert/pooler/Tanh", "Tanh"), node("mlm/Gelu/Relu", "Relu")]
    nodes = [*elsewhere, *gelu(0, op, constant), *gelu(11, op, constant)]
    assert told(write(tmp_path, nodes, library=library)) == {"activation": kind}


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        (gelu(0, "Relu"), "relu"),
        (gelu(0, "Tanh", 0.5), "tanh"),
        ([*gelu(0, "Erf", 0.5), *gelu(1)], "gelu_erf and gelu_tanh"),
        ([*gelu(0), *gelu(1, "Tanh", 0.5)], "gelu_tanh and tanh"),
    ],
)
def test_another_activation_or_a_mixture_is_refused(tmp_path: Path, nodes: list[bytes], found: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"activation of its layers is {found}"):
        told(write(tmp_path, nodes))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("eps", [1e-12, 1e-6, 1e-5, 0.001])
def test_epsilon_is_the_decimal_that_was_meant(tmp_path: Path, eps: float, packed: bool) -> None:
    names = ["bert/embeddings/LayerNorm", "e/layer_0/attention/output/LayerNorm", "layer_1/output_layer_norm"]
    nodes = [number(f"{name}/batchnorm/add/y", eps, packed=packed) for name in names]
    nodes.append(number("cls/predictions/transform/LayerNorm/batchnorm/add/y", 0.5))
    assert told(write(tmp_path, nodes)) == {"norm_eps": eps}


def test_epsilon_of_a_fused_norm_is_an_attribute(tmp_path: Path) -> None:
    epsilon = bytes([4 << 3 | 5]) + struct.pack("<f", 1e-3)
    fused = node("t/layer_0/output_layer_norm/FusedBatchNormV3", "FusedBatchNormV3", epsilon=epsilon)
    assert told(write(tmp_path, [fused])) == {"norm_eps": 1e-3}


def test_two_epsilons_are_refused(tmp_path: Path) -> None:
    nodes = [number(f"layer_{i}/output_layer_norm/batchnorm/add/y", 10.0**-i) for i in (5, 6)]
    with pytest.raises(UnsupportedModel, match="norm_eps of its layers is 1e-06 and 1e-05"):
        told(write(tmp_path, nodes))


def reshape(scope: str, *sizes: int) -> list[bytes]:
    return [node(f"{scope}/Reshape", "Reshape", "x", f"{scope}/shape"), integers(f"{scope}/shape", *sizes)]


def test_heads_are_where_attention_splits_the_hidden_size(tmp_path: Path) -> None:
    scope = "bert/encoder/layer_0/attention/self"
    nodes = [*reshape(f"{scope}/q", HIDDEN, 4, 8), *reshape(f"{scope}/out", -1, HIDDEN), *reshape("x", 1, HIDDEN)]
    assert told(write(tmp_path, nodes)) == {"heads": 4}


def test_heads_of_a_shape_that_is_packed_from_scalars(tmp_path: Path) -> None:
    scope = "bert/encoder/layer_0/attention/self"
    scalars = [node("batch", "StridedSlice"), integers("a", 2), integers("d", 16)]
    shape = node("shape", "Pack", "batch", "batch", "a", "d:0")
    assert told(write(tmp_path, [*scalars, shape, node(f"{scope}/Reshape", "Reshape", "x", "shape")])) == {"heads": 2}


def test_reshapes_that_disagree_tell_nothing(tmp_path: Path) -> None:
    scope = "bert/encoder/layer_0/attention/self"
    assert told(write(tmp_path, [*reshape(f"{scope}/a", 4, 8), *reshape(f"{scope}/b", 1, HIDDEN)])) == {}


@pytest.mark.parametrize("kind", ["tf2-dict", "tf2-list", "tf1-saved-model"])
def test_the_format_is_how_the_object_wants_to_be_called(module: BuildModule, kind: str) -> None:
    contents = read_saved_model(module(kind))
    assert (contents.format, contents.graph) == (kind, module(kind))


def test_a_module_that_preprocesses_text_is_told_so(tmp_path: Path) -> None:
    nodes = [node("tokenize/CaseFoldUTF8", "CaseFoldUTF8"), node("v", "VarHandleOp")]
    write(tmp_path, nodes)
    write_bundle(tmp_path / "variables/variables", {"do_lower_case": np.array(True)})
    with pytest.raises(UnsupportedModel, match="preprocesses text and holds no weights; the module of a BERT encoder"):
        read_saved_model(tmp_path)


def test_a_graph_that_never_had_variables_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(field(2, field(1, field(4, b"serve"))))
    with pytest.raises(UnsupportedModel, match="holds no weights"):
        read_saved_model(tmp_path)


def test_a_graph_whose_variables_are_lost_is_corrupt(tmp_path: Path) -> None:
    write(tmp_path, [node("v", "VarHandleOp")])
    for path in (tmp_path / "variables").iterdir():
        path.unlink()
    with pytest.raises(CorruptSource, match=r"variables\.index: the file is missing"):
        read_saved_model(tmp_path)


def test_a_graph_for_training_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="no graph tagged 'serve'; it has train, gpu"):
        read_saved_model(write(tmp_path, [], tags=("train", "gpu")))


@pytest.mark.parametrize("raw", [b"\xff\xff", b"\x12\x05ab"])
def test_what_is_no_saved_model_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "saved_model.pb").write_bytes(raw)
    with pytest.raises(CorruptSource, match=r"saved_model\.pb: it cannot be read as TensorFlow's SavedModel"):
        read_saved_model(tmp_path)
