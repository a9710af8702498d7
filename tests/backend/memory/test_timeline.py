import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.timeline import Assertion, Role, timeline

pytestmark = pytest.mark.unit


def told(number: int, key: str, at: float, role: Role = "says") -> Assertion:
    return Assertion(number, number, key, role, at, float(number))


def spans(*given: Assertion, known_at: float | None = None) -> list[tuple[str, float, float | None]]:
    return [(one.key, one.start, one.end) for one in timeline(given, known_at)]


def test_a_value_holds_until_the_next() -> None:
    assert spans(told(1, "a", 10), told(2, "b", 20)) == [("a", 10, 20), ("b", 20, None)]


def test_an_end_closes_only_its_own_value() -> None:
    assert spans(told(1, "a", 10), told(2, "b", 15, "ends"), told(3, "a", 20, "ends")) == [
        ("a", 10, 20),
        ("b", 15, 15),
    ]


def test_what_began_again_is_a_new_stretch() -> None:
    assert spans(told(1, "a", 10), told(2, "a", 20, "ends"), told(3, "a", 30)) == [("a", 10, 20), ("a", 30, None)]


def test_what_was_not_known_then_is_left_out() -> None:
    assert spans(told(1, "a", 10), told(2, "b", 20), known_at=1.5) == [("a", 10, None)]


steps = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans()), max_size=9)


@given(steps, st.randoms(use_true_random=False))
def test_the_order_of_arrival_in_the_list_does_not_matter(
    given: list[tuple[str, int, bool]], luck: random.Random
) -> None:
    line = [told(n, key, at, "ends" if ends else "says") for n, (key, at, ends) in enumerate(given)]
    shuffled = list(line)
    luck.shuffle(shuffled)
    assert spans(*line) == spans(*shuffled)


@given(steps)
def test_never_two_values_at_a_time(given: list[tuple[str, int, bool]]) -> None:
    line = timeline(told(n, key, at, "ends" if ends else "says") for n, (key, at, ends) in enumerate(given))
    for at in range(11):
        assert sum(segment.holds(at) for segment in line) <= 1
    assert sum(segment.end is None for segment in line) <= 1
    assert sorted(one.rowid for segment in line for one in segment.by) == list(range(len(given)))
