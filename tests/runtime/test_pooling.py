"""Each pooling against its definition, written out for one row at a time."""

from __future__ import annotations

import numpy as np
import pytest

from wellread.registry.records import Pooling
from wellread.runtime.pooling import POOLINGS

RANDOM = np.random.default_rng(0)
STATES = RANDOM.normal(size=(3, 7, 5)).astype(np.float32)
BEGIN, END = np.array([0, 1, 2]), np.array([7, 5, 3])


@pytest.mark.parametrize("pooling", ["mean", "mean-words"])
def test_a_mean_counts_the_positions_it_is_given_and_no_others(pooling: Pooling) -> None:
    found = POOLINGS[pooling].reduce(STATES, BEGIN, END)
    expected = [row[begin:end].astype(float).mean(axis=0) for row, begin, end in zip(STATES, BEGIN, END, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == np.float32


def test_cls_is_the_first_position() -> None:
    np.testing.assert_array_equal(POOLINGS["cls"].reduce(STATES, BEGIN, END), STATES[:, 0])


@pytest.mark.parametrize("pooling", ["pooler", "pooler-linear"])
def test_poolers_are_taken_as_they_come(pooling: Pooling) -> None:
    np.testing.assert_array_equal(POOLINGS[pooling].reduce(STATES[:, 0], BEGIN, END), STATES[:, 0])


def test_only_words_leaves_the_special_tokens_out() -> None:
    assert [name for name, pool in POOLINGS.items() if not pool.specials] == ["mean-words"]
