"""Batches hold every window once, padded to their longest, and stay within their bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellread.runtime.batches import START, batches
from wellread.runtime.windows import Window

PAD = 7


def window(text: int, length: int) -> Window:
    return Window(text, np.arange(100, 100 + length), 0, length)


@given(st.lists(st.integers(2, 700), max_size=60), st.none() | st.integers(1, 20), st.sampled_from([512, 4096]))
def test_every_window_runs_once_within_the_bounds(lengths: list[int], size: int | None, positions: int) -> None:
    windows = [window(text, length) for text, length in enumerate(lengths)]
    made = list(batches(windows, PAD, positions, size))
    assert sorted(each.text for batch in made for each in batch.windows) == list(range(len(lengths)))
    for batch in made:
        assert batch.ids.size <= positions or len(batch.windows) == 1
        assert len(batch.windows) <= (size or positions)
        assert (1 - batch.mask).sum() <= START
        assert batch.ids.shape[1] == max(len(each.ids) for each in batch.windows)
        assert not batch.types.any()
        for each, ids, mask in zip(batch.windows, batch.ids, batch.mask, strict=True):
            real = len(each.ids)
            assert ids.tolist() == each.ids.tolist() + [PAD] * (len(ids) - real)
            assert mask.tolist() == [1] * real + [0] * (len(ids) - real)


@given(st.lists(st.integers(2, 700), max_size=60))
def test_windows_of_like_length_run_together(lengths: list[int]) -> None:
    made = [[len(each.ids) for each in batch.windows] for batch in batches(map(window, lengths, lengths), PAD, 512)]
    assert [length for batch in made for length in batch] == sorted(lengths, reverse=True)


def test_a_window_above_the_bound_runs_alone() -> None:
    (batch,) = batches([window(0, 513)], PAD, 512)
    assert batch.ids.shape == (1, 513)


@pytest.mark.parametrize(
    ("lengths", "shapes"),
    [
        ([10, 10, 9, 9, 9], [(5, 10)]),
        ([100, 90, 80, 70, 3, 3, 3], [(3, 100), (1, 70), (3, 3)]),
        ([300, 300, 5], [(1, 300), (1, 300), (1, 5)]),
        ([2] * 300, [(256, 2), (44, 2)]),
    ],
)
def test_a_batch_ends_where_it_is_full_or_padding_costs_more_than_another(
    lengths: list[int], shapes: list[tuple[int, int]]
) -> None:
    made = batches([window(text, length) for text, length in enumerate(lengths)], PAD, 512)
    assert [batch.ids.shape for batch in made] == shapes
