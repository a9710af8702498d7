import pytest

from hearth_backend.engine.crashes import Crashes

pytestmark = pytest.mark.unit


def test_a_request_that_was_there_each_time_is_to_blame_and_not_the_file() -> None:
    crashes = Crashes()
    assert [crashes.died({7, at}) for at in range(10, 15)] == [False] * 5


def test_an_engine_that_dies_with_everybody_has_a_bad_file() -> None:
    crashes = Crashes()
    assert [crashes.died({1}), crashes.died({1}), crashes.died({2})] == [False, False, True]


def test_whoever_was_answered_clears_the_file() -> None:
    crashes = Crashes()
    crashes.died({1})
    crashes.died({1})
    crashes.worked()
    assert not crashes.died({2})
