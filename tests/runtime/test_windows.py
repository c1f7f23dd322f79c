"""However a text is cut, each piece counts once, and in the window where it has most context."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wellread.errors import BadInput
from wellread.runtime.windows import Window, cut

CLS, SEP = 2, 3

lengths = st.integers(0, 120)
limits = st.integers(3, 40)


def pieces(count: int) -> NDArray[np.int64]:
    """``[CLS]``, ``count`` pieces that are all different, ``[SEP]``."""
    return np.array([CLS, *range(10, 10 + count), SEP], np.int64)


def answers(window: Window) -> list[int]:
    return [int(piece) for piece in window.ids[window.begin : window.end]]


@given(lengths, limits)
def test_windows_answer_for_every_piece_once_and_in_order(count: int, limit: int) -> None:
    windows = list(cut([pieces(count)], limit, "window"))
    assert [piece for window in windows for piece in answers(window)] == pieces(count).tolist()
    assert sum(window.share for window in windows) == pytest.approx(1)
    for window in windows:
        assert len(window.ids) <= limit
        assert (window.ids[0], window.ids[-1]) == (CLS, SEP)
        low, high = window.inner
        assert window.ids[low:high].tolist() == pieces(count)[low + window.start : high + window.start].tolist()


@given(st.integers(0, 200), st.integers(10, 40))
def test_a_piece_sees_an_eighth_of_a_window_on_each_side_or_the_end_of_the_text(count: int, limit: int) -> None:
    text, margin = pieces(count), (limit - 2) // 4 // 2
    for window in cut([text], limit, "window"):
        low, high = window.inner
        seen_before, seen_after = low - 1, len(window.ids) - 1 - high
        assert seen_before >= margin or window.start == 0
        assert seen_after >= margin or window.start + len(window.ids) == len(text)


@given(lengths, limits)
def test_special_tokens_do_not_count_unless_there_is_nothing_else(count: int, limit: int) -> None:
    windows = list(cut([pieces(count)], limit, "window", specials=False))
    counted = [piece for window in windows for piece in answers(window)]
    assert counted == (pieces(count)[1:-1].tolist() or [CLS, SEP])
    assert sum(window.share for window in windows) == pytest.approx(1)


@given(lengths, limits)
def test_truncating_keeps_the_beginning_and_the_special_tokens(count: int, limit: int) -> None:
    (window,) = cut([pieces(count)], limit, "truncate")
    kept = min(count, limit - 2)
    assert window.ids.tolist() == [*pieces(count)[: kept + 1].tolist(), SEP]


def test_texts_are_numbered_from_the_first_of_their_chunk() -> None:
    found = cut([pieces(1), pieces(9), pieces(2)], 6, "window", first=100)
    assert [window.text for window in found] == [100, 101, 101, 101, 102]


def test_a_long_text_is_refused_by_its_number_and_length() -> None:
    with pytest.raises(BadInput, match=r"text 7 has 14 pieces and the model takes 8"):
        list(cut([pieces(2), pieces(12)], 8, "error", first=6))
