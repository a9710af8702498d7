from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.dates import Span, Yearly, named_time

pytestmark = pytest.mark.unit
TODAY = date(2026, 11, 18)  # a Wednesday


def holds(question: str, on: date, slack: int = 0) -> bool:
    when = named_time(question, TODAY)
    assert when is not None
    return when.holds(on, slack)


@pytest.mark.parametrize(
    "question", ["What happened in May 2023?", "what about may, 2023", "on 3 May 2023", "May 3rd 2023"]
)
def test_a_month_of_a_year_is_found_however_it_is_written(question: str) -> None:
    assert holds(question, date(2023, 5, 3))
    assert not holds(question, date(2023, 7, 20))


def test_a_month_without_a_year_is_that_of_any_year() -> None:
    assert named_time("who came in June", TODAY) == Yearly(6, None)
    assert holds("who came in June", date(2019, 6, 30))
    assert not holds("who came in June", date(2019, 8, 1))


def test_the_end_of_december_reaches_into_january() -> None:
    assert holds("in December", date(2024, 1, 5), slack=15)


def test_an_iso_date_is_a_day() -> None:
    assert named_time("on 2023-05-08", TODAY) == Span(date(2023, 5, 7), date(2023, 5, 8))


def test_people_speak_of_a_day_in_the_days_after_it() -> None:
    assert holds("on 2023-05-08", date(2023, 5, 20), slack=15)
    assert not holds("on 2023-05-08", date(2023, 5, 1), slack=15)


@pytest.mark.parametrize("question", ["may I ask", "they march on", "how are you", "the 3 of us", "1999"])
def test_a_verb_or_a_number_names_no_time(question: str) -> None:
    assert named_time(question, TODAY) is None


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("what did I say today?", TODAY, TODAY),
        ("and yesterday?", TODAY - timedelta(1), TODAY - timedelta(1)),
        ("this week", date(2026, 11, 16), TODAY),
        ("last week", date(2026, 11, 9), date(2026, 11, 15)),
        ("this month", date(2026, 11, 1), TODAY),
        ("last  month", date(2026, 10, 1), date(2026, 10, 31)),
        ("this year", date(2026, 1, 1), TODAY),
        ("last year", date(2025, 1, 1), date(2025, 12, 31)),
        ("two weeks ago", date(2026, 11, 1), date(2026, 11, 7)),
        ("a day ago", TODAY - timedelta(1), TODAY - timedelta(1)),
    ],
)
def test_a_time_may_be_told_from_today(question: str, first: date, last: date) -> None:
    assert named_time(question, TODAY) == Span(first, last)


@pytest.mark.parametrize("question", ["2023-02-31", "in May 0000", "999 months ago", "0000-00-00"])
def test_a_day_that_never_was_names_no_time(question: str) -> None:
    assert named_time(question, date(1, 2, 3)) is None


@pytest.mark.parametrize("question", ["in January", "on 9999-12-31", "in May 0002"])
@pytest.mark.parametrize("on", [date.min, date.max])
def test_the_ends_of_the_calendar_are_days_like_others(question: str, on: date) -> None:
    when = named_time(question, TODAY)
    assert when is not None
    assert when.holds(on, 15) in (True, False)


@given(st.text(alphabet="0123456789 -,may juneagodys") | st.text(), st.dates(date(1, 1, 2), date(9999, 1, 1)))
def test_no_question_can_break_it(question: str, on: date) -> None:
    when = named_time(question, TODAY)
    assert when is None or when.holds(on, 15) in (True, False)


@pytest.mark.parametrize(
    ("question", "inside", "outside"),
    [
        ("what did we plant last spring?", date(2026, 4, 20), date(2025, 4, 20)),
        ("last autumn's trip", date(2025, 10, 1), date(2026, 10, 1)),  # this one still runs
        ("this fall", date(2026, 10, 1), date(2025, 10, 1)),
        ("in the summer of 2023", date(2023, 7, 1), date(2022, 7, 1)),
        ("during winter", date(2024, 1, 20), date(2024, 5, 1)),
        ("two weeks before 20 May 2023", date(2023, 5, 6), date(2023, 5, 20)),
        ("the day after 3 June 2024", date(2024, 6, 4), date(2024, 6, 2)),
        ("a couple of weeks ago", date(2026, 11, 4), date(2026, 10, 1)),
        ("three years ago", date(2023, 11, 19), date(2022, 1, 1)),
        ("a few days ago", date(2026, 11, 15), date(2026, 11, 1)),
        ("last Monday", date(2026, 11, 16), date(2026, 11, 9)),
        ("last Wednesday", date(2026, 11, 11), TODAY),
        ("last weekend", date(2026, 11, 14), date(2026, 11, 16)),
        ("between May and July 2023", date(2023, 6, 15), date(2023, 9, 1)),
        ("from November 2022 to January 2023", date(2022, 12, 24), date(2023, 3, 15)),
        ("from November to January", date(2021, 12, 24), date(2021, 5, 1)),
        ("what did I read in 2022?", date(2022, 8, 1), date(2023, 8, 1)),
        ("at Christmas", date(2020, 12, 25), date(2020, 12, 1)),
        ("New Year's Eve 2024", date(2024, 12, 31), date(2024, 2, 1)),
    ],
)
def test_times_as_people_name_them(question: str, inside: date, outside: date) -> None:
    assert holds(question, inside)
    assert not holds(question, outside)


@pytest.mark.parametrize(
    "question", ["spring onions", "they fall down", "between you and me", "the day before", "a few"]
)
def test_words_that_only_look_like_times_name_none(question: str) -> None:
    assert named_time(question, TODAY) is None
