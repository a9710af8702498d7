"""How rows are laid into batches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.stepcost import FLAT, StepCost

pytestmark = pytest.mark.unit
SMALL_Q8 = {1: 2.8, 2: 12.6, 3: 16.5, 4: 16.0, 6: 24.0, 8: 21.0, 12: 24.0, 16: 22.0}
BIG_Q4 = {1: 31.0, 2: 38.0, 4: 57.0, 8: 95.0}


def test_a_small_model_writes_its_rows_one_by_one_until_a_batch_is_cheaper() -> None:
    cost = StepCost(SMALL_Q8, 16)
    assert cost.batches(4) == (1, 1, 1, 1)
    assert cost.batches(8) == (8,)
    assert cost.batches(16) == (16,)


def test_a_big_model_joins_them() -> None:
    cost = StepCost(BIG_Q4, 16)
    assert [cost.batches(rows) for rows in (2, 3, 4, 8)] == [(2,), (3,), (4,), (8,)]


def test_a_lower_lane_rides_along_only_where_it_costs_next_to_nothing() -> None:
    assert StepCost(SMALL_Q8, 16).riders(1, 4) == 0
    assert StepCost(SMALL_Q8, 16).riders(12, 4) == 4
    assert FLAT.riders(3, 20) == 20


def test_what_was_not_measured_is_drawn_on() -> None:
    cost = StepCost(BIG_Q4, 16)
    assert cost.of(3) == pytest.approx(47.5)
    assert cost.of(16) == pytest.approx(190)
    assert StepCost({}, 4).of(1) == 1


def test_a_prompt_is_read_in_pieces_that_take_so_long() -> None:
    assert StepCost({1: 0.003, 16: 0.022}, 16).rows_within(0.25) == 181
    assert StepCost({1: 0.031, 8: 0.095}, 16).rows_within(0.25) == 21
    assert FLAT.rows_within(0.25) == 0


@given(st.dictionaries(st.integers(1, 16), st.floats(0.1, 100), max_size=6), st.integers(0, 20))
def test_every_row_is_in_exactly_one_batch(points: dict[int, float], rows: int) -> None:
    cost = StepCost(points, 16)
    sizes = cost.batches(rows)
    assert sum(sizes) == rows
    assert all(size > 0 for size in sizes)
    assert 0 <= cost.riders(rows, 5) <= 5
