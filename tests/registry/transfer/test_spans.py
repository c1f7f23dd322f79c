"""Spans: what is asked for covers what is wanted, and every piece is read by one stream."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wellread.registry.pieces import Piece
from wellread.registry.transfer.spans import GAP, Board, Span, plan


@st.composite
def _pieces(draw: st.DrawFn) -> list[Piece]:
    """Pieces of an artifact in order, some next to each other, some a little apart, some far."""
    gaps = st.one_of(st.just(0), st.integers(1, 200), st.integers(GAP - 2, GAP + 2), st.integers(0, 10**9))
    at, found = 43, []
    for number, (gap, size) in enumerate(draw(st.lists(st.tuples(gaps, st.integers(1, 2**23)), max_size=30))):
        found.append(Piece("m", number, at + gap, size, ""))
        at = found[-1].end
    return found


@given(_pieces(), st.randoms())
def test_a_plan_covers_every_piece_once_in_order_and_wastes_little(pieces: list[Piece], random: object) -> None:
    shuffled = list(pieces)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    spans = plan(shuffled)
    assert [piece for span in spans for piece in span] == pieces
    for span in spans:
        asked = span[-1].end - span[0].start
        assert asked - sum(piece.size for piece in span) <= GAP * (len(span) - 1)
    for before, after in pairwise(spans):
        assert after[0].start - before[-1].end > GAP  # no request that could have been saved


@given(_pieces())
def test_without_ranges_there_is_one_span(pieces: list[Piece]) -> None:
    assert len(plan(pieces, 2**62)) == bool(pieces)


@given(_pieces(), st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["read", "leave", "claim"])), max_size=80))
def test_however_streams_come_and_go_each_piece_is_read_once(pieces: list[Piece], turns: list[tuple[int, str]]) -> None:
    board, read = Board(plan(pieces)), list[Piece]()
    held: dict[int, Span] = {}

    def step(who: int, what: str) -> None:
        span = held.get(who)
        if span is None:
            if found := board.claim():
                held[who] = found
        elif what == "leave" or not span:
            board.leave(held.pop(who))
        else:
            read.append(span[0])
            board.drop_first(span)

    for who, what in turns:
        step(who, what)
    for who in list(held):
        while who in held:
            step(who, "read")
    while not board.empty():
        step(0, "read")
    assert sorted(read, key=lambda piece: piece.start) == pieces


def test_who_has_nothing_left_takes_over_the_second_half_of_the_longest_span() -> None:
    pieces = [Piece("m", number, number * 10, 10, "") for number in range(8)]
    board = Board(plan(pieces))
    first = board.claim()
    assert first is not None
    assert list(first) == pieces
    second = board.claim()
    assert second is not None
    assert (list(first), list(second)) == (pieces[:4], pieces[4:])
    board.drop_first(first)
    third = board.claim()
    assert third is not None
    assert (list(second), list(third)) == (pieces[4:6], pieces[6:])
    assert board.claim() is None  # what is left would not pay for a request
