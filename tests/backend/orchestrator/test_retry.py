import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.orchestrator.retry import is_dead, pause_after
from hearth_shared.errors import (
    BadRequest,
    Cancelled,
    DeadlineExceeded,
    HearthError,
    ModelFailed,
    NoModel,
    RateLimited,
    StorageFull,
)

pytestmark = pytest.mark.unit


def evenly() -> float:
    return 0.5


@pytest.mark.parametrize("kind", [BadRequest, NoModel, Cancelled, DeadlineExceeded, HearthError])
def test_what_trying_again_does_not_help_is_not_tried_again(kind: type[HearthError]) -> None:
    assert pause_after(kind("no"), 1, 9, evenly) is None
    assert not is_dead(kind("no"))


def test_each_pause_is_twice_the_one_before_by_the_class_of_the_failure() -> None:
    assert [pause_after(ModelFailed("no"), attempt, 9, evenly) for attempt in (1, 2, 3)] == [1, 2, 4]
    assert [pause_after(StorageFull("no"), attempt, 9, evenly) for attempt in (1, 2)] == [30, 60]


def test_the_last_attempt_is_the_last() -> None:
    assert pause_after(ModelFailed("no"), 3, 3, evenly) is None
    assert is_dead(ModelFailed("no"))


def test_who_was_told_when_to_come_back_comes_then() -> None:
    assert pause_after(RateLimited("no", retry_after=99), 1, 3, evenly) == 99
    assert pause_after(RateLimited("no", retry_after="soon"), 1, 3, evenly) == 15


@given(st.integers(1, 1000), st.floats(0, 1))
def test_a_pause_is_never_longer_than_minutes(attempt: int, dice: float) -> None:
    pause = pause_after(ModelFailed("no"), attempt, attempt + 1, lambda: dice)
    assert pause is not None
    assert 0 < pause <= 360
