"""Climbing: a stream more stays where it carries more, and goes where it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wellread.registry.transfer.climb import MOST, SETTLE, WINDOW, Climb

TICK = 0.1
PLENTY = 10**12


def _climbed(rate: Callable[[int], float], seconds: float = 60.0, left: int = PLENTY) -> list[int]:
    """How many streams are wanted as time goes by, where so many streams carry ``rate(streams)`` bytes a second."""
    now = [0.0]
    climb = Climb(clock=lambda: now[0])
    received, seen = 0.0, [climb.wanted]
    while now[0] < seconds:
        received += rate(climb.wanted) * TICK
        now[0] += TICK
        seen.append(climb.watch(int(received), left))
    return seen


def test_where_each_connection_is_given_a_share_all_are_used() -> None:
    seen = _climbed(lambda streams: 1e6 * streams)
    assert seen == sorted(seen)
    assert seen[-1] == MOST


@pytest.mark.parametrize("rate", [lambda streams: 1e8, lambda streams: 1e8 / streams, lambda streams: 0.0])
def test_where_a_second_carries_nothing_more_it_goes_for_good(rate: Callable[[int], float]) -> None:
    seen = _climbed(rate)
    assert max(seen) <= 2
    assert sum(count == 2 for count in seen) * TICK <= SETTLE + WINDOW + 1
    assert seen[-1] == 1


def test_it_stops_at_the_number_that_fills_the_line() -> None:
    seen = _climbed(lambda streams: min(2, streams) * 1e6)
    assert max(seen) == 3
    assert seen[-1] == 2


def test_a_line_that_gets_worse_later_costs_no_stream() -> None:
    moments = iter(range(10**6))
    assert _climbed(lambda streams: streams * (1e6 if next(moments) < 100 else 1e3))[-1] == MOST


def test_a_short_download_has_one_stream() -> None:
    assert set(_climbed(lambda streams: 1e6 * streams, left=1_000_000)) == {1}


def test_a_limit_stays() -> None:
    climb = Climb()
    climb.wanted = 3
    climb.limit(1)
    climb.limit(4)
    assert climb.wanted == 1
