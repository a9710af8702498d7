"""Days and months that a question names. Pure: text in, spans out.

A date is a signal, never a filter: "may" and "march" are also verbs, and people speak of a thing on its day or in
the days after it. So a span is open by some days to the future.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_YEAR = "january february march april may june july august september october november december"
_MONTHS = {name: number for number, name in enumerate(_YEAR.split(), 1)}
_NAMED = re.compile(
    rf"(?:(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?\b({'|'.join(_MONTHS)})\b"
    r"(?:\s+(\d{1,2})(?:st|nd|rd|th)?\b(?!\d))?(?:,?\s+(\d{4})\b)?",
    re.IGNORECASE,
)
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_AGO = re.compile(r"\b(\d{1,3}|a|one|two|three|four|five|six)\s+(day|week|month)s?\s+ago\b", re.IGNORECASE)
_RELATIVE = re.compile(r"\b(today|yesterday|(?:this|last)\s+(?:week|month|year))\b", re.IGNORECASE)
_NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_AMBIGUOUS = ("may", "march")


@dataclass(frozen=True, slots=True)
class Span:
    """From `first` to `last`, both included."""

    first: date
    last: date

    def holds(self, on: date, slack_days: int) -> bool:
        return self.first.toordinal() <= on.toordinal() <= self.last.toordinal() + slack_days


@dataclass(frozen=True, slots=True)
class Yearly:
    """A month, or a day of a month, of an unnamed year."""

    month: int
    day: int | None

    def holds(self, on: date, slack_days: int) -> bool:
        years = [year for year in (on.year - 1, on.year) if year > 1]
        return any(_named(self.month, self.day, year).holds(on, slack_days) for year in years)


When = Span | Yearly


def named_time(query: str, today: date) -> When | None:
    """The first time that the question names, or None."""
    try:
        return _exact(query) or _month(query) or _relative(query, today)
    except (ValueError, OverflowError):  # 2023-02-31, year 0000, 999 months ago: no day at all
        return None


def _exact(query: str) -> When | None:
    found = _ISO.search(query)
    if found is None:
        return None
    day = date(int(found[1]), int(found[2]), int(found[3]))
    return Span(day - timedelta(1), day)


def _month(query: str) -> When | None:
    for found in _NAMED.finditer(query):
        before, name, after, year = found.groups()
        if name.lower() in _AMBIGUOUS and not (before or after or year or name[0].isupper()):
            continue  # the verb
        day = int(before or after or 0) or None
        month = _MONTHS[name.lower()]
        return _named(month, day, int(year)) if year else Yearly(month, day)
    return None


def _named(month: int, day: int | None, year: int) -> Span:
    first = date(year, month, min(day or 1, 28))
    return Span(first - timedelta(1), first) if day else Span(first, first + timedelta(30))


def _relative(query: str, today: date) -> When | None:
    if found := _AGO.search(query):
        count = _NUMBERS.get(found[1].lower()) or int(found[1])
        unit = {"day": 1, "week": 7, "month": 30}[found[2].lower()]
        middle = today - timedelta(count * unit)
        return Span(middle - timedelta(unit // 2), middle + timedelta(unit // 2))
    if found := _RELATIVE.search(query):
        return _spoken(" ".join(found[1].lower().split()), today)
    return None


def _spoken(phrase: str, today: date) -> Span:
    monday = today - timedelta(today.weekday())
    first = today.replace(day=1)
    match phrase:
        case "today":
            return Span(today, today)
        case "yesterday":
            return Span(today - timedelta(1), today - timedelta(1))
        case "this week":
            return Span(monday, today)
        case "last week":
            return Span(monday - timedelta(7), monday - timedelta(1))
        case "this month":
            return Span(first, today)
        case "last month":
            return Span((first - timedelta(1)).replace(day=1), first - timedelta(1))
        case "this year":
            return Span(today.replace(month=1, day=1), today)
        case _:
            return Span(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31))
