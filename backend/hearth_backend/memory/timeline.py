"""What held when, from everything that was ever said about one thing. Pure.

Intervals are half-open. They follow from the assertions alone, in whatever order these arrived: so what comes late
displaces nothing that came after it, and what was known at some time is asked by leaving out what was not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["says", "ends"]


@dataclass(frozen=True, slots=True)
class Assertion:
    """One source's word: `key` holds from `at` on, or ended then. `rowid` and `fact` are its places in the store."""

    rowid: int
    fact: int
    key: str
    role: Role
    at: float
    recorded_at: float
    retracted_at: float | None = None

    def counts(self, known_at: float | None) -> bool:
        """Whether it was known, and not taken back, at `known_at` (None: now)."""
        if known_at is None:
            return self.retracted_at is None
        return self.recorded_at <= known_at and (self.retracted_at is None or self.retracted_at > known_at)


@dataclass(slots=True)
class Segment:
    """`key` held in [start, end). `then` is the segment of another value that closed it."""

    key: str
    start: float
    end: float | None = None
    by: list[Assertion] = field(default_factory=list[Assertion])
    then: "Segment | None" = None

    def holds(self, at: float) -> bool:
        """Whether `at` lies inside."""
        return self.start <= at and (self.end is None or at < self.end)


def timeline(assertions: Iterable[Assertion], known_at: float | None = None) -> list[Segment]:
    """The segments of one line, in order. In a line that may hold one value at a time, a new one closes the old."""
    told = [one for one in assertions if one.counts(known_at)]
    told.sort(key=lambda one: (one.at, one.recorded_at, one.rowid))
    line: list[Segment] = []
    now: Segment | None = None
    for one in told:
        if one.role == "says":
            now = _said(line, now, one)
        elif now is not None and now.key == one.key:
            now.by.append(one)
            now.end, now = one.at, None
        else:
            _ended_before(line, one)
    return line


def _said(line: list[Segment], now: Segment | None, one: Assertion) -> Segment:
    if now is not None and now.key == one.key:
        now.by.append(one)
        return now
    fresh = Segment(one.key, one.at, by=[one])
    if now is not None:
        now.end, now.then = one.at, fresh
    line.append(fresh)
    return fresh


def _ended_before(line: list[Segment], one: Assertion) -> None:
    """It is said to be over, and was: a further source; or nobody said that it began, and only its end is known."""
    known = next((segment for segment in reversed(line) if segment.key == one.key), None)
    if known is not None:
        known.by.append(one)
    else:
        line.append(Segment(one.key, one.at, one.at, [one]))
