"""Days, months, seasons and years that a question names. Pure: text in, spans out.

A date is a signal, never a filter: "may" and "march" are also verbs, and people speak of a thing on its day or in
the days after it. So a span is open by some days to the future. Seasons are those of the northern half of the world.
"""

import re
from calendar import monthrange
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
_COUNT = r"\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|(?:a )?couple(?: of)?|(?:a )?few|several"
_UNIT = r"(day|week|month|year)s?"
_AGO = re.compile(rf"\b({_COUNT})\s+{_UNIT}\s+ago\b", re.IGNORECASE)
_SHIFTED = re.compile(rf"\b(?:({_COUNT})\s+{_UNIT}|the\s+(day|week|month|year))\s+(before|after)\s+", re.IGNORECASE)
_DAYS_OF_WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_RELATIVE = re.compile(
    r"\b(today|yesterday|(?:this|last)\s+(?:week(?:end)?|month|year)|(?:this|last|past)\s+"
    rf"(?:{'|'.join(_DAYS_OF_WEEK)}))\b",
    re.IGNORECASE,
)
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_SEASON = re.compile(
    r"\b(?:(last|this|past)|in|during|over)\s+(?:the\s+)?(spring|summer|autumn|fall|winter)\b(?:(?:\s+of|,)?\s+(\d{4})\b)?",
    re.IGNORECASE,
)
_FEASTS = {
    **{"christmas": (12, 25), "new year's eve": (12, 31), "new year": (1, 1), "valentine": (2, 14)},
    **{"halloween": (10, 31), "independence day": (7, 4)},
}
_FEAST = re.compile(rf"\b({'|'.join(_FEASTS)})(?:['’]s)?(?:\s+(?:eve|day))?\b(?:,?\s+(\d{{4}})\b)?", re.IGNORECASE)
_FROM_TO = re.compile(r"\b(?:between|from)\s+(.{3,30}?)\s+(?:and|to|until|till)\s+(.{3,30})", re.IGNORECASE)
_OF_YEAR = re.compile(r"\b(?:in|during|throughout|of|year)\s+((?:19|20)\d\d)\b", re.IGNORECASE)
_NUMBERS = {
    **{"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8},
    **{"nine": 9, "ten": 10, "couple": 2, "few": 3, "several": 4},
}
_DAYS_IN = {"day": 1, "week": 7, "month": 30, "year": 365}
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
    """A month, some months from it on, or a day of a month, of an unnamed year."""

    month: int
    day: int | None
    months: int = 1

    def holds(self, on: date, slack_days: int) -> bool:
        years = [year for year in (on.year - 1, on.year) if year > 1]
        return any(_named(self.month, self.day, year, self.months).holds(on, slack_days) for year in years)


@dataclass(frozen=True, slots=True)
class Shifted:
    """Some days before (below zero) or after another time."""

    other: Span | Yearly
    days: int

    def holds(self, on: date, slack_days: int) -> bool:
        ordinal = on.toordinal() - self.days
        inside = 1 < ordinal < date.max.toordinal()
        return inside and self.other.holds(date.fromordinal(ordinal), slack_days)


When = Span | Yearly | Shifted


def named_time(query: str, today: date) -> When | None:
    """The first time that the question names, or None."""
    try:
        return _shifted(query, today) or _from_to(query) or _plain(query, today)
    except (ValueError, OverflowError):  # 2023-02-31, year 0000, 999 months ago: no day at all
        return None


def _plain(query: str, today: date) -> Span | Yearly | None:
    return (
        _exact(query) or _month(query) or _season(query, today) or _feast(query) or _relative(query, today)
        or _year(query)
    )  # fmt: skip


def _shifted(query: str, today: date) -> When | None:
    """ "two weeks before 3 May": the time after those words, moved; a week off at most for what is counted in weeks."""
    found = _SHIFTED.search(query)
    if found is None:
        return None
    other = _plain(query[found.end() :], today)
    if other is None:
        return None
    days = (_count(found[1]) if found[1] else 1) * _DAYS_IN[(found[2] or found[3]).lower()]
    return Shifted(other, -days if found[4].lower() == "before" else days)


def _from_to(query: str) -> When | None:
    """ "between May and July 2023": months alone, of the last one's year."""
    found = _FROM_TO.search(query)
    begin, end = (_NAMED.match(found[part].strip()) for part in (1, 2)) if found else (None, None)
    if begin is None or end is None:
        return None
    first, last = _MONTHS[begin[2].lower()], _MONTHS[end[2].lower()]
    months = (last - first) % 12 + 1
    ended = int(end[4]) - (last < first) if end[4] else 0
    year = int(begin[4]) if begin[4] else ended
    return _named(first, None, year, months) if year else Yearly(first, None, months)


def _season(query: str, today: date) -> Span | Yearly | None:
    found = _SEASON.search(query)
    if found is None:
        return None
    which, month = (found[1] or "").lower(), _SEASONS[found[2].lower()]
    if found[3]:
        return _named(month, None, int(found[3]), 3)
    if not which:
        return Yearly(month, None, 3)
    begun = next(first for year in (0, 1, 2) if (first := date(today.year - year, month, 1)) <= today)
    running = (today - begun).days < 92
    if which != "this" and running:
        begun = begun.replace(year=begun.year - 1)
    return _named(month, None, begun.year, 3)


def _feast(query: str) -> Span | Yearly | None:
    found = _FEAST.search(query)
    if found is None:
        return None
    month, day = _FEASTS[found[1].lower()]
    return _named(month, day, int(found[2])) if found[2] else Yearly(month, day)


def _year(query: str) -> Span | None:
    found = _OF_YEAR.search(query)
    return Span(date(int(found[1]), 1, 1), date(int(found[1]), 12, 31)) if found else None


def _count(text: str) -> int:
    words = [word for word in text.lower().split() if word != "of"]
    return int(words[-1]) if words[-1].isdigit() else _NUMBERS[words[-1]]


def _exact(query: str) -> Span | None:
    found = _ISO.search(query)
    if found is None:
        return None
    day = date(int(found[1]), int(found[2]), int(found[3]))
    return Span(day - timedelta(1), day)


def _month(query: str) -> Span | Yearly | None:
    for found in _NAMED.finditer(query):
        before, name, after, year = found.groups()
        if name.lower() in _AMBIGUOUS and not (before or after or year or name[0].isupper()):
            continue  # the verb
        day = int(before or after or 0) or None
        month = _MONTHS[name.lower()]
        return _named(month, day, int(year)) if year else Yearly(month, day)
    return None


def _named(month: int, day: int | None, year: int, months: int = 1) -> Span:
    first = date(year, month, min(day or 1, monthrange(year, month)[1]))
    return Span(first - timedelta(1), first) if day else Span(first, first + timedelta(30 * months + months // 3))


def _relative(query: str, today: date) -> Span | None:
    if found := _AGO.search(query):
        unit = _DAYS_IN[found[2].lower()]
        middle = today - timedelta(_count(found[1]) * unit)
        return Span(middle - timedelta(unit // 2), middle + timedelta(unit // 2))
    if found := _RELATIVE.search(query):
        return _spoken(" ".join(found[1].lower().split()), today)
    return None


def _spoken(phrase: str, today: date) -> Span:
    monday = today - timedelta(today.weekday())
    first = today.replace(day=1)
    which, _, day = phrase.partition(" ")
    if day in _DAYS_OF_WEEK:
        back = (today.weekday() - _DAYS_OF_WEEK.index(day)) % 7
        on = today - timedelta(back if back or which == "this" else 7)
        return Span(on, on)
    match phrase:
        case "last weekend":
            return Span(monday - timedelta(2), monday - timedelta(1))
        case "this weekend":
            return Span(monday + timedelta(5), monday + timedelta(6))
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
