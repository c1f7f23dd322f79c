"""The torch form, opened as its users open it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.converters.parity.test_reference import ragged, weights
from wellread.converters.forms.torch_form import run_torch, write_torch
from wellread.converters.parity.reference import Reference

pytestmark = pytest.mark.press


@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu_erf"])
def test_transformers_opens_it_and_every_point_equals_the_reference(tmp_path: Path, activation: str) -> None:
    model = weights(activation=activation, norm_eps=1e-7)
    probe = ragged(model.architecture.vocabulary)
    write_torch(tmp_path, model)
    (found,) = run_torch(tmp_path, [probe])
    truth = Reference(model).run(probe)
    for point, array in found.items():
        np.testing.assert_allclose(array[probe.mask > 0] if array.ndim == 3 else array,
                                   truth[point][probe.mask > 0] if array.ndim == 3 else truth[point],
                                   atol=2e-5, err_msg=point)  # fmt: skip


def test_no_weight_is_missing_or_left_over(tmp_path: Path) -> None:
    from transformers import AutoModel

    write_torch(tmp_path, weights())
    _, loading = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert {name: list(keys) for name, keys in loading.items() if keys} == {}


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_torch(tmp_path / name, weights())
    for file in ("config.json", "model.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
