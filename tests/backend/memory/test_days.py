from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.days import anniversary, named_day, past, since, start_of

pytestmark = pytest.mark.unit
SAID = date(2026, 6, 10)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2027-05-31", "2027-05-31"),
        ("31 May 2027", "2027-05-31"),
        ("May 31st, 2027", "2027-05-31"),
        ("the 3rd of July", "2026-07-03"),
        ("1 March", "2027-03-01"),
        ("3. Mai 2027", "2027-05-03"),
        ("July", "2026-07"),
        ("June", "2026-06"),
        ("2031", "2031"),
        ("tomorrow", "2026-06-11"),
        ("Friday", "2026-06-12"),
        ("Wednesday", "2026-06-17"),
        ("next week", "2026-06-15"),
        ("next month", "2026-07"),
        ("in two weeks", "2026-06-24"),
        ("in 3 days", "2026-06-13"),
    ],
)
def test_a_day_ahead_is_the_next_of_its_name(text: str, day: str) -> None:
    found = named_day(text, SAID)
    assert found is not None
    assert found.text == day


@pytest.mark.parametrize("text", ["31 February 2026", "the end", "", "13:00", "in 99999 years", "0 May"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert named_day(text, SAID) is None


def test_a_day_that_was_is_the_last_of_its_name() -> None:
    assert [found.first for text in ("in August", "on Monday", "a year ago") if (found := past(text, SAID))] == [
        date(2025, 8, 1),
        date(2026, 6, 8),
        date(2025, 6, 1),
    ]
    assert past("we move on 1 July 2026", SAID) is None
    assert (found := since("here since May 2020", SAID)) is not None
    assert found.first == date(2020, 5, 1)


def test_a_birthday_keeps_what_is_known_of_it() -> None:
    assert anniversary("14 February 1988") == "1988-02-14"
    assert anniversary("3 August") == "--08-03"
    assert anniversary("29 February") == "--02-29"
    assert anniversary("soon") == ""


@given(st.dates(date(1990, 1, 1), date(2080, 1, 1)))
def test_a_written_day_is_read_back(day: date) -> None:
    for text in (day.isoformat(), f"{day.day} {day:%B} {day.year}", f"{day:%B} {day.day}, {day.year}"):
        found = named_day(text, SAID)
        assert found is not None
        assert found.first == day
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert datetime.fromtimestamp(start_of(day, at), UTC) == datetime(day.year, day.month, day.day, tzinfo=UTC)


@given(st.sampled_from(["monday", "friday", "sunday"]), st.dates(date(2000, 1, 1), date(2030, 1, 1)))
def test_a_weekday_ahead_is_within_a_week(name: str, said: date) -> None:
    found = named_day(name, said)
    assert found is not None
    assert timedelta(0) < found.first - said <= timedelta(7)
