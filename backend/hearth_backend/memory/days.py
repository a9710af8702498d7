"""The day that a statement names, reckoned from when it was said. Pure.

Unlike `dates`, which widens what a question names to a span of days, this gives the one day that is meant.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

Direction = Literal["ahead", "back"]
_NAMES: Final = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
)
_MONTHS: Final = {name: n for names in _NAMES for n, name in enumerate(names.split(), 1)}
_DAYS: Final = {
    name: n
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    )
    for n, name in enumerate(names.split())
}
_NUMBERS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_MONTH: Final = "|".join(_MONTHS)
_COUNT: Final = rf"(?:\d{{1,3}}|{'|'.join(_NUMBERS)})"
DAY: Final = (
    r"(?:\d{4}-\d{2}-\d{2}"
    rf"|(?:the )?\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?(?:{_MONTH})\b(?:,? \d{{4}})?"
    rf"|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?"
    rf"|(?:{_MONTH})\b(?: \d{{4}})?|(?:(?:19|20)\d\d)"
    r"|today|tomorrow|yesterday|heute|morgen|gestern"
    rf"|(?:next |last |this )?(?:{'|'.join(_DAYS)})"
    r"|(?:next|last|this) (?:week|month|year)"
    rf"|{_COUNT} (?:day|week|month|year)s? ago|in {_COUNT} (?:day|week|month|year)s?)"
)
"""A day in a statement, as part of a pattern that ignores case."""
_SINCE: Final = re.compile(rf"\b(?:since|seit|depuis|desde)\s+(?P<day>{DAY})", re.IGNORECASE)
_ANY: Final = re.compile(rf"\b(?P<day>{DAY})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Day:
    """`text` as it is kept: a day, a month or a year; `first` is the first day of it."""

    text: str
    first: date


def named_day(text: str, said: date, direction: Direction = "ahead") -> Day | None:
    """The day that all of `text` names. One without a year is the next of its kind, or the last one that was."""
    plain = " ".join(text.lower().replace(",", " ").replace(".", " ").split()).removeprefix("the ")
    try:
        return _exact(plain) or _dated(plain, said, direction) or _near(plain, said, direction)
    except (ValueError, OverflowError):
        return None


def since(text: str, said: date) -> Day | None:
    """The day that "since …" names."""
    found = _SINCE.search(text)
    return named_day(found["day"], said, "back") if found else None


def past(text: str, said: date) -> Day | None:
    """The first day named in a statement about something that happened; not one in the future."""
    found = _ANY.search(text)
    day = named_day(found["day"], said, "back") if found else None
    return day if day is not None and day.first <= said else None


def start_of(day: date, like: datetime) -> float:
    """The day's first second, in the zone of `like`."""
    return datetime(day.year, day.month, day.day, tzinfo=like.tzinfo).timestamp()


def anniversary(text: str) -> str:
    """A birthday: with its year when it is named, else `--MM-DD` as vCard writes it."""
    plain = " ".join(text.lower().replace(",", " ").replace(".", " ").split()).removeprefix("the ")
    try:
        if (day := _exact(plain)) is not None:
            return day.text
        month, number, year = _parts(plain) or (1, None, None)
        if number is None:
            return ""
        if year is not None:
            return date(year, month, number).isoformat()
        return f"--{month:02}-{date(2000, month, number).day:02}"
    except ValueError:
        return ""


def _exact(plain: str) -> Day | None:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain):
        day = date.fromisoformat(plain)
        return Day(plain, day)
    if re.fullmatch(r"(?:19|20)\d\d", plain):
        return Day(plain, date(int(plain), 1, 1))
    return None


def _parts(plain: str) -> tuple[int, int | None, int | None] | None:
    """(month, day, year)."""
    found = re.fullmatch(
        rf"(?:(?P<before>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?)?(?P<month>{_MONTH})"
        r"(?: (?P<after>\d{1,2})(?:st|nd|rd|th)?)?(?: (?P<year>\d{4}))?",
        plain,
    )
    if found is None:
        return None
    number = found["before"] or found["after"]
    return _MONTHS[found["month"]], int(number) if number else None, int(found["year"]) if found["year"] else None


def _dated(plain: str, said: date, direction: Direction) -> Day | None:
    if (parts := _parts(plain)) is None:
        return None
    month, number, year = parts
    if year is None:
        year = said.year
        last = date(year, month, calendar.monthrange(year, month)[1] if number is None else number)
        if direction == "ahead" and last < said:
            year += 1
        elif direction == "back" and date(year, month, 1 if number is None else number) > said:
            year -= 1
    first = date(year, month, 1 if number is None else number)
    return Day(first.isoformat() if number is not None else f"{year}-{month:02}", first)


def _near(plain: str, said: date, direction: Direction) -> Day | None:
    days = {"today": 0, "heute": 0, "tomorrow": 1, "morgen": 1, "yesterday": -1, "gestern": -1}
    if plain in days:
        return _day(said + timedelta(days[plain]))
    which, _, name = plain.rpartition(" ")
    if name in _DAYS:
        return _day(_weekday(said, _DAYS[name], "back" if which == "last" else direction))
    if name in ("week", "month", "year") and which in ("next", "last", "this"):
        return _period(said, name, {"next": 1, "last": -1, "this": 0}[which])
    found = re.fullmatch(rf"(in )?({_COUNT}) (day|week|month|year)s?( ago)?", plain)
    if found is None:
        return None
    count = _NUMBERS.get(found[2]) or int(found[2])
    return _shifted(said, found[3], count if found[1] else -count)


def _weekday(said: date, number: int, direction: Direction) -> date:
    if direction == "ahead":
        return said + timedelta((number - said.weekday() - 1) % 7 + 1)
    return said - timedelta((said.weekday() - number - 1) % 7 + 1)


def _period(said: date, unit: str, by: int) -> Day:
    if unit == "week":
        return _day(said - timedelta(said.weekday()) + timedelta(7 * by))
    return _shifted(said.replace(day=1), unit, by)


def _shifted(said: date, unit: str, by: int) -> Day:
    if unit in ("day", "week"):
        return _day(said + timedelta(by * (7 if unit == "week" else 1)))
    months = said.year * 12 + said.month - 1 + by * (12 if unit == "year" else 1)
    first = date(months // 12, months % 12 + 1, 1)
    return Day(f"{first.year}-{first.month:02}" if unit == "month" else str(first.year), first)


def _day(day: date) -> Day:
    return Day(day.isoformat(), day)
