"""The account of a BERT's tensors: each used once, or dropped by a named rule, or an error that names it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial, reduce
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fixtures.tiny import tiny_architecture, tiny_tensors
from wellread.converters.architectures.bert import DROPS, Account, account
from wellread.errors import UnsupportedModel

pytestmark = pytest.mark.press

ARCHITECTURE = tiny_architecture()
TENSORS = tiny_tensors(ARCHITECTURE)
Arrays = Mapping[str, NDArray[Any]]


def take(tensors: Arrays) -> Account:
    return account({name: partial(tensors.__getitem__, name) for name in tensors}, "here")


def assert_canonical(found: Account) -> None:
    assert set(found.tensors) == set(TENSORS)
    for name, tensor in found.tensors.items():
        np.testing.assert_array_equal(tensor, TENSORS[name])


def without(*names: str) -> dict[str, NDArray[Any]]:
    return {name: tensor for name, tensor in TENSORS.items() if name not in names}


OLD_NORM = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}


def renamed(names: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    def rename(name: str) -> str:
        return reduce(lambda text, pair: text.replace(*pair), names.items(), name)

    return {rename(name): tensor for name, tensor in TENSORS.items()}


@pytest.mark.parametrize("names", [{}, OLD_NORM])
@pytest.mark.parametrize("front", ["", "bert."])
def test_transformers_names(names: Mapping[str, str], front: str) -> None:
    found = take({f"{front}{name}": tensor for name, tensor in renamed(names).items()})
    assert_canonical(found)
    assert found.dropped == {}


def of_2019(scope: str) -> dict[str, NDArray[Any]]:
    """The names of official/nlp in 2019, with kernels as (in, heads, size), as its converter makes them."""
    names = {
        "embeddings.word_embeddings.weight": "word_embeddings/embeddings",
        "embeddings.token_type_embeddings.weight": "embedding_postprocessor/type_embeddings",
        "embeddings.position_embeddings.weight": "embedding_postprocessor/position_embeddings",
        "embeddings.LayerNorm": "embedding_postprocessor/layer_norm",
        "encoder.layer.": "encoder/layer_",
        ".attention.self.": "/self_attention/",
        ".attention.output.dense": "/self_attention_output",
        ".attention.output.LayerNorm": "/self_attention_layer_norm",
        ".intermediate.dense": "/intermediate",
        ".output.dense": "/output",
        ".output.LayerNorm": "/output_layer_norm",
        "pooler.dense": "pooler_transform",
        "norm.weight": "norm/gamma",
        "norm.bias": "norm/beta",
        ".weight": "/kernel",
        ".bias": "/bias",
    }
    heads, size, hidden = ARCHITECTURE.heads, ARCHITECTURE.hidden // ARCHITECTURE.heads, ARCHITECTURE.hidden
    tensors = {}
    for name, tensor in renamed(names).items():
        array = tensor.T if name.endswith("kernel") else tensor
        if "/self_attention/" in name:
            array = array.reshape(*array.shape[:-1], heads, size)
        if name.endswith("self_attention_output/kernel"):
            array = array.reshape(heads, size, hidden)
        tensors[f"{scope}bert_model/{name}"] = array
    return tensors


@pytest.mark.parametrize("scope", ["", "model/", "a/b_1/"])
def test_names_of_2019_and_any_scope_before_them(scope: str) -> None:
    found = take(of_2019(scope))
    assert_canonical(found)
    assert {claim.field: claim.value for claim in found.claims} == {
        field: getattr(ARCHITECTURE, field)
        for field in ("layers", "hidden", "heads", "intermediate", "vocabulary", "positions", "types")
    }


@pytest.mark.parametrize("name", list(TENSORS))
def test_any_tensor_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"here does not hold exactly .*\nmissing: .*{name.split('.')[-2]}"):
        take(without(name))


@pytest.mark.parametrize("name", list(TENSORS))
def test_any_tensor_of_another_shape_is_named(name: str) -> None:
    with pytest.raises(UnsupportedModel, match="misshapen: "):
        take(TENSORS | {name: np.ones((3, *TENSORS[name].shape), np.float32)})


def test_every_problem_is_told_at_once() -> None:
    tensors = without("encoder.layer.0.output.dense.bias", "encoder.layer.1.output.dense.bias") | {
        "encoder.layer.0.adapter.weight": np.ones(3, np.float32),
        "bert.pooler.dense.bias": TENSORS["pooler.dense.bias"],
        "embeddings.LayerNorm.bias": np.ones(7, np.float32),
        "embeddings.LayerNorm.weight": np.ones(32, np.float64),
        "pooler.dense.weight": np.full((32, 32), np.nan, np.float32),
        "encoder.layer.0.output.dense.weight": np.ones((), np.float32),
    }
    with pytest.raises(UnsupportedModel) as error:
        take(tensors)
    told = str(error.value).split("\n")[1].split("; ")
    assert told == [
        "missing: encoder.layer.{0,1}.output.dense.bias",
        "unknown: encoder.layer.0.adapter.weight",
        "twice: bert.pooler.dense.bias",
        "misshapen: embeddings.LayerNorm.bias (7,) instead of (32,)",
        "scalar: encoder.layer.0.output.dense.weight",
        "not of float32: embeddings.LayerNorm.weight",
        "not finite: pooler.dense.weight",
    ]


def test_a_layer_left_out_in_the_middle_is_missing() -> None:
    tensors = {name.replace("layer.1.", "layer.2."): tensor for name, tensor in TENSORS.items()}
    with pytest.raises(UnsupportedModel, match=r"missing: encoder\.layer\.1\.attention\.output\.LayerNorm\.bias"):
        take(tensors)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("_CHECKPOINTABLE_OBJECT_GRAPH", "object graph"),
        ("do_lower_case", "lower-case flag"),
        ("bert/cls/predictions/transform/dense/kernel", "masked-word head"),
        ("cls.predictions.bias", "masked-word head"),
        ("cls/seq_relationship/output_weights", "next-sentence head"),
        ("cls.seq_relationship.weight", "next-sentence head"),
        ("bert/predictions/transform/logits/kernel", "next-sentence head"),
        ("dense/kernel", "task head"),
        ("classifier.weight", "task head"),
        ("output_weights", "task head"),
        ("bert/encoder/layer_0/output/dense/kernel/adam_m", "optimizer slot"),
        ("beta1_power", "optimizer slot"),
        ("global_step", "step counter"),
        ("save_counter", "step counter"),
        ("embeddings.position_ids", "index buffer"),
        ("bert.embeddings.position_ids", "index buffer"),
    ],
)
def test_what_is_no_part_of_the_encoder_is_dropped_by_a_rule(name: str, rule: str) -> None:
    found = take(TENSORS | {name: np.ones(3)})
    assert_canonical(found)
    assert found.dropped == {name: rule}
    assert rule in {drop.name for drop in DROPS if drop.reason}


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("embedding_projection/kernel", "factorised"),
        ("electra/embeddings_project/kernel", "factorised"),
        ("bert/encoder/embedding_hidden_mapping_in/kernel", "factorised"),
        ("bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/kernel", "share their weights"),
        ("encoder.albert_layer_groups.0.albert_layers.0.ffn.weight", "share their weights"),
    ],
)
def test_another_architecture_is_told_by_what_betrays_it(name: str, meaning: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"here is not a BERT: {name} means .*{meaning}"):
        take(TENSORS | {name: np.ones(3, np.float32)})


def test_a_model_with_no_such_name_at_all_is_told_what_was_expected_and_found() -> None:
    tensors = {f"conv{i}/kernel": np.ones(3, np.float32) for i in range(9)}
    with pytest.raises(
        UnsupportedModel, match=r"(?s)none of its 9 tensors.*Expected names as in .*found conv0/kernel.* …"
    ):
        take(tensors)
    with pytest.raises(UnsupportedModel, match="found no tensor"):
        take({})
