import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.storage.rotation import Made, kept

pytestmark = pytest.mark.unit

HOUR, DAY, KEEP = 3600.0, 86_400.0, 90 * 86_400.0
NOW = 1_795_000_000.0


def hourly(days: float, *, asked: bool = False) -> list[Made]:
    return [Made(f"b{hour}", NOW - hour * HOUR, asked) for hour in range(int(days * 24))]


def test_hours_days_weeks_and_months_thin_out() -> None:
    made = hourly(120)
    stay = kept(made, NOW, KEEP)
    ages = sorted((NOW - one.at) / DAY for one in made if one.id in stay)
    assert sum(age <= 1 for age in ages) in (24, 25)
    assert 6 <= sum(1 < age <= 7 for age in ages) <= 7
    assert 3 <= sum(7 < age <= 31 for age in ages) <= 6
    assert 1 <= sum(age > 31 for age in ages) <= 3
    assert ages[-1] <= 90


def test_one_that_a_person_asked_for_stays_to_the_end() -> None:
    made = [*hourly(3), Made("mine", NOW - 50.5 * HOUR, asked=True), Made("old", NOW - 91 * DAY, asked=True)]
    stay = kept(made, NOW, KEEP)
    assert "mine" in stay
    assert "old" not in stay


def test_the_only_one_stays_however_old() -> None:
    assert kept([Made("b", NOW - 400 * DAY, asked=False)], NOW, KEEP) == {"b"}


@given(st.lists(st.floats(0, 200 * DAY), max_size=60), st.floats(0, 100 * DAY))
def test_looking_more_often_keeps_what_looking_once_would(ages: list[float], later: float) -> None:
    """Nothing that a rule still wants goes early because the rules were applied in between."""
    made = [Made(f"b{number}", NOW - age, asked=False) for number, age in enumerate(ages)]
    between = kept(made, NOW, KEEP)
    twice = kept([one for one in made if one.id in between], NOW + later, KEEP)
    newest = max(made, key=lambda one: one.at, default=None)
    assert twice <= kept(made, NOW + later, KEEP) | between
    assert newest is None or newest.id in twice
