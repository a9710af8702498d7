"""What is kept of earlier prompts."""

from collections.abc import Sequence as Tokens
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.sequence import Sequence, common

pytestmark = pytest.mark.unit
BATCH = 4


class MemoryOfTokens:
    """Behaves as llama.cpp's memory does, and fails when it is told to."""

    batch_size = BATCH

    def __init__(self, *, whole_only: bool = False) -> None:
        self.held: list[int] = []
        self.batches: list[tuple[int, int]] = []  # by token: where the batch it was computed in began, and its length
        self.decoded = 0
        self.whole_only = whole_only
        self.outcome: Literal["done", "full", "aborted"] = "done"

    def decode(self, tokens: Tokens[int], start: int) -> Literal["done", "full", "aborted"]:
        assert start == len(self.held)
        assert 0 < len(tokens) <= BATCH
        self.decoded += len(tokens)
        self.held += tokens if self.outcome == "done" else tokens[:1]  # an aborted decode leaves a part behind
        self.batches[start:] = [(start, len(tokens))] * (len(self.held) - start)
        return self.outcome

    def forget(self, start: int) -> bool:
        if self.whole_only and start < len(self.held):
            return False
        del self.held[start:]
        return True

    def forget_all(self) -> None:
        self.held.clear()


prompts = st.lists(st.integers(0, 2), min_size=1, max_size=14)


@given(st.lists(st.tuples(prompts, st.booleans(), st.integers(0, 6)), max_size=6), st.booleans())
def test_it_always_knows_exactly_what_the_context_holds(
    rounds: list[tuple[list[int], bool, int]], whole_only: bool
) -> None:
    cells = MemoryOfTokens(whole_only=whole_only)
    sequence = Sequence(cells)
    for prompt, exact, written in rounds:
        kept = sequence.keep(prompt, exact=exact)
        assert kept < len(prompt)
        assert cells.held == sequence.tokens == prompt[:kept]
        if exact:
            assert cells.batches[:kept] == [(at // BATCH * BATCH, BATCH) for at in range(kept)]
        assert sequence.read(prompt) == "read"
        for token in range(written):
            assert sequence.write(token) == "read"
        assert cells.held == sequence.tokens == [*prompt, *range(written)]


@pytest.mark.parametrize("outcome", ["full", "aborted"])
def test_a_decode_that_does_not_finish_leaves_no_trace(outcome: Literal["full", "aborted"]) -> None:
    cells = MemoryOfTokens()
    sequence = Sequence(cells)
    sequence.read([1, 2])
    cells.outcome = outcome
    assert sequence.read([1, 2, 3, 4, 5]) == outcome
    assert cells.held == sequence.tokens == [1, 2]


def test_only_what_is_new_is_read() -> None:
    cells = MemoryOfTokens()
    sequence = Sequence(cells)
    sequence.read(list(range(10)))
    sequence.keep([*range(8), 99, 98])
    before = cells.decoded
    sequence.read([*range(8), 99, 98])
    assert cells.decoded - before == 2


def test_exactly_means_whole_batches_that_were_read_as_such() -> None:
    sequence = Sequence(MemoryOfTokens())
    sequence.read(list(range(6)))
    for token in (6, 7, 8, 9):
        sequence.write(token)
    assert sequence.keep(list(range(20)), exact=True) == 4


def test_batches_that_began_elsewhere_are_not_kept_exactly() -> None:
    sequence = Sequence(MemoryOfTokens())
    sequence.read([0, 1])
    assert sequence.keep(list(range(12))) == 2
    sequence.read(list(range(12)))
    assert sequence.keep(list(range(12)), exact=True) == 0


def test_a_failure_inside_forgets_everything() -> None:
    class Broken(MemoryOfTokens):
        def decode(self, tokens: Tokens[int], start: int) -> Literal["done", "full", "aborted"]:
            raise RuntimeError("native")

    cells = Broken()
    sequence = Sequence(cells)
    with pytest.raises(RuntimeError):
        sequence.read([1, 2])
    assert cells.held == sequence.tokens == []


@given(st.lists(st.integers(0, 1)), st.lists(st.integers(0, 1)))
def test_the_common_beginning_is_the_longest(one: list[int], other: list[int]) -> None:
    length = common(one, other)
    assert one[:length] == other[:length]
    assert one[: length + 1] != other[: length + 1] or length == min(len(one), len(other))
