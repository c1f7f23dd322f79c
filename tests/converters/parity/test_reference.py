"""The yardstick itself, held against an implementation by other people: transformers' BertModel in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.fixtures.tiny import tiny_architecture, tiny_tensors, tiny_vocabulary
from wellread.converters.forms.torch_form import configuration
from wellread.converters.parity.probes import Probe, points
from wellread.converters.parity.reference import Reference
from wellread.converters.weights import Weights

pytestmark = pytest.mark.press


def weights(**overrides: Any) -> Weights:
    architecture = tiny_architecture(**overrides)
    return Weights(architecture, tiny_tensors(architecture), tiny_vocabulary(), "huggingface", None, {})


def ragged(vocabulary: int) -> Probe:
    ids = np.random.default_rng(1).integers(0, vocabulary, (3, 11))
    mask = np.ones_like(ids)
    mask[0, 8:], mask[1, :3], mask[2, ::4] = 0, 0, 0
    types = (np.arange(11) > 5) * np.ones_like(ids)
    return Probe("ragged", ids, mask, types)


def transformers_in_float64(model: Weights, probe: Probe) -> dict[str, Any]:
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(**configuration(model), attn_implementation="eager")
    bert = BertModel(config).double().eval()
    state = {name: torch.from_numpy(tensor.astype(np.float64)) for name, tensor in model.tensors.items()}
    bert.load_state_dict(state)
    with torch.inference_mode():
        out = bert(
            torch.from_numpy(probe.ids),
            torch.from_numpy(probe.mask),
            torch.from_numpy(probe.types),
            output_hidden_states=True,
        )
    hidden = [h.numpy() for h in out.hidden_states]
    return dict(zip(points(2), [*hidden, out.last_hidden_state.numpy(), out.pooler_output.numpy()], strict=True))


@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu_erf"])
@pytest.mark.parametrize("eps", [1e-12, 1e-5])
def test_it_is_the_bert_of_transformers(activation: str, eps: float) -> None:
    model = weights(activation=activation, norm_eps=eps)
    probe = ragged(model.architecture.vocabulary)
    mine, theirs = Reference(model).run(probe), transformers_in_float64(model, probe)
    for point in points(2):
        np.testing.assert_allclose(mine[point], theirs[point], atol=1e-12, rtol=0, err_msg=point)


def test_the_pooler_before_its_tanh() -> None:
    model = weights()
    found = Reference(model).run(ragged(model.architecture.vocabulary))
    np.testing.assert_allclose(np.tanh(found["pooled linear"]), found["pooled"])


def test_float32_stays_float32_all_the_way() -> None:
    found = Reference(weights(), np.float32).run(ragged(weights().architecture.vocabulary))
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
