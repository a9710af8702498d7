"""The order in which a child does its tasks."""

import pytest

from hearth_backend.engine.frames import Lane
from hearth_backend.engine.scheduler import LANES, Waiting

pytestmark = pytest.mark.unit


def test_the_keyboard_comes_first_and_a_lane_keeps_its_order() -> None:
    waiting: Waiting[str] = Waiting()
    lanes: list[Lane] = ["indexing", "chat", "inline", "ambient", "chat", "inline"]
    for id, lane in enumerate(lanes):
        waiting.add(id, lane, lane)
    order = [waiting.next() for _ in lanes]
    assert [entry[0] for entry in order if entry] == [2, 5, 1, 4, 3, 0]
    assert waiting.next() is None


def test_a_dropped_task_is_not_done() -> None:
    waiting: Waiting[str] = Waiting()
    for id, lane in enumerate(LANES):
        waiting.add(id, lane, lane)
    assert waiting.drop(1)
    assert not waiting.drop(1)
    assert not waiting.drop(99)
    assert len(waiting) == 3
    assert [entry[0] for _ in range(3) if (entry := waiting.next())] == [0, 2, 3]
