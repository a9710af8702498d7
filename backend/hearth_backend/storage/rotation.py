"""Which backups stay: the newest of each of the last hours, days and weeks, and of each month until it is too old."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

_DAY: Final = 86_400.0


class Made(NamedTuple):
    """One backup: when it was made, in seconds since 1970, and whether a person asked for it."""

    id: str
    at: float
    asked: bool


class Rule(NamedTuple):
    """The newest of those whose time reads alike stays for `age_s`."""

    pattern: str
    age_s: float


_RULES: Final = (
    Rule("%Y-%m-%d %H", _DAY),
    Rule("%Y-%m-%d", 7 * _DAY),
    Rule("%G-%V", 31 * _DAY),
    Rule("%Y-%m", float("inf")),
)


def kept(made: Iterable[Made], now: float, keep_s: float) -> set[str]:
    """The ids that stay at `now`. What a person asked for stays for `keep_s`; the newest always does."""
    newest_first = sorted(made, key=lambda one: one.at, reverse=True)
    young = [one for one in newest_first if now - one.at <= keep_s]
    stay = {one.id for one in young if one.asked} | {one.id for one in newest_first[:1]}
    for rule in _RULES:
        seen = set[str]()
        for one in young:
            name = datetime.fromtimestamp(one.at, UTC).strftime(rule.pattern)
            if name not in seen and now - one.at <= rule.age_s:
                stay.add(one.id)
            seen.add(name)
    return stay
