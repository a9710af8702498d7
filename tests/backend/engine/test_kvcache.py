"""What is kept of earlier prompts, and where."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.kvcache import Chunk, Seat, Seats, common
from support.cells import BATCH, MemoryOfTokens

pytestmark = pytest.mark.unit


def read(cells: MemoryOfTokens, seat: Seat, tokens: Sequence[int]) -> None:
    """Read what a seat does not hold yet, as the scheduler does."""
    while len(seat.tokens) < len(tokens):
        start = len(seat.tokens)
        chunk = Chunk(seat.id, start, tokens[start : start + BATCH], output=False)
        assert cells.decode([chunk]) == "done"
        if start == seat.aligned and len(chunk.tokens) == BATCH:
            seat.aligned += BATCH
        seat.tokens.extend(chunk.tokens)


prompts = st.lists(st.integers(0, 2), min_size=1, max_size=14)


@given(st.lists(st.tuples(prompts, st.booleans(), st.integers(0, 6)), max_size=8), st.booleans(), st.integers(1, 3))
def test_a_seat_always_knows_exactly_what_the_context_holds(
    rounds: list[tuple[list[int], bool, int]], whole_only: bool, count: int
) -> None:
    cells = MemoryOfTokens(whole_only=whole_only)
    seats = Seats(cells, count)
    for prompt, exact, written in rounds:
        seat = seats.take(prompt, exact=exact)
        assert cells.tokens(seat.id) == seat.tokens == prompt[: len(seat.tokens)]
        assert len(seat.tokens) < len(prompt)
        if exact:
            assert cells.batches(seat.id) == [(at // BATCH * BATCH, BATCH) for at in range(len(seat.tokens))]
        read(cells, seat, [*prompt, *range(written)])
        assert cells.tokens(seat.id) == seat.tokens
        seats.leave(seat)


def test_the_longest_beginning_is_copied_while_another_still_uses_it() -> None:
    cells = MemoryOfTokens()
    seats = Seats(cells, 3)
    first = seats.take(list(range(9)))
    read(cells, first, list(range(9)))
    second = seats.take([*range(8), 99, 98])
    assert second is not first
    assert second.tokens == list(range(8))


def test_a_short_beginning_does_not_cost_another_conversation_its_place() -> None:
    cells = MemoryOfTokens()
    seats = Seats(cells, 2)
    long = seats.take(list(range(20)))
    read(cells, long, list(range(20)))
    seats.leave(long)
    other = seats.take([0, 1, 2, 90, 91])
    assert (other is not long, other.tokens) == (True, [0, 1, 2])
    seats.leave(other)
    assert seats.take(list(range(20))) is long


def test_the_seat_left_longest_ago_goes_first() -> None:
    cells = MemoryOfTokens()
    seats = Seats(cells, 3)
    taken = [seats.take([10 * at, 1, 2]) for at in range(3)]
    for at, seat in enumerate(taken):
        read(cells, seat, [10 * at, 1, 2])
    for seat in (taken[1], taken[0]):
        seats.leave(seat)
    assert seats.evict()
    assert (taken[1].tokens, taken[0].tokens) == ([], [0, 1, 2])
    assert seats.evict()
    assert not seats.evict()


def test_exactly_means_whole_batches_that_were_read_as_such() -> None:
    cells = MemoryOfTokens()
    seats = Seats(cells, 1)
    seat = seats.take(list(range(6)))
    read(cells, seat, list(range(6)))
    for token in (6, 7, 8, 9):
        read(cells, seat, [*seat.tokens, token])
    seats.leave(seat)
    assert seats.take(list(range(20)), exact=True).tokens == [0, 1, 2, 3]


@given(st.lists(st.integers(0, 1)), st.lists(st.integers(0, 1)))
def test_the_common_beginning_is_the_longest(one: list[int], other: list[int]) -> None:
    length = common(one, other)
    assert one[:length] == other[:length]
    assert one[: length + 1] != other[: length + 1] or length == min(len(one), len(other))
