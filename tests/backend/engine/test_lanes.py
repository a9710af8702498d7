"""The order in which tasks are served."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.lanes import LANES, Lane, Waiting

pytestmark = pytest.mark.unit


def served(waiting: Waiting[str]) -> list[int]:
    order: list[int] = []
    while (entry := waiting.next()) is not None:
        order.append(entry[0])
    return order


def test_the_keyboard_comes_first_and_a_lane_keeps_its_order() -> None:
    waiting: Waiting[str] = Waiting()
    lanes: list[Lane] = ["indexing", "chat", "inline", "ambient", "chat", "inline"]
    for id, lane in enumerate(lanes):
        waiting.add(id, lane, lane)
    assert served(waiting) == [2, 5, 1, 4, 3, 0]
    assert waiting.next() is None


def test_a_dropped_task_is_not_done() -> None:
    waiting: Waiting[str] = Waiting()
    for id, lane in enumerate(LANES):
        waiting.add(id, lane, lane)
    assert waiting.drop(1)
    assert not waiting.drop(1)
    assert not waiting.drop(99)
    assert len(waiting) == 3
    assert served(waiting) == [0, 2, 3]


def test_who_asks_for_one_thing_does_not_wait_for_who_asks_for_a_hundred() -> None:
    waiting: Waiting[str] = Waiting()
    for id in range(100):
        waiting.add(id, "chat", "", "greedy", 10)
    waiting.next()
    waiting.add(100, "chat", "", "modest", 10)
    assert 100 in served(waiting)[:2]


def test_owners_take_turns_by_what_their_tasks_cost() -> None:
    waiting: Waiting[str] = Waiting()
    for id in range(4):
        waiting.add(id, "chat", "", "long", 30)
    for id in range(4, 10):
        waiting.add(id, "chat", "", "short", 10)
    assert served(waiting)[:6] == [0, 4, 5, 6, 1, 7]


def test_a_task_put_back_is_the_first_of_its_lane_and_still_behind_a_higher_one() -> None:
    waiting: Waiting[str] = Waiting()
    for id in range(3):
        waiting.add(id, "chat", "")
    waiting.add(3, "inline", "")
    waiting.again(9, "chat", "")
    waiting.add(4, "chat", "")
    assert served(waiting) == [3, 9, 0, 1, 2, 4]


@given(st.lists(st.tuples(st.sampled_from(LANES), st.sampled_from("abc"), st.integers(1, 50)), max_size=40))
def test_an_owners_tasks_keep_their_order_and_none_is_lost(tasks: list[tuple[Lane, str, int]]) -> None:
    waiting: Waiting[str] = Waiting()
    for id, (lane, owner, cost) in enumerate(tasks):
        waiting.add(id, lane, owner, owner, cost)
    order = served(waiting)
    assert sorted(order) == list(range(len(tasks)))
    for lane in LANES:
        for owner in "abc":
            mine = [id for id in order if tasks[id][:2] == (lane, owner)]
            assert mine == sorted(mine)
