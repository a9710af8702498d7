"""Random histories of what was said about one thing, and what must have held, asked point by point."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

VALUES = ("Paris", "Berlin", "Rome", "Lyon")


@dataclass(frozen=True)
class Told:
    """One step of a history: at the `known`th moment, that `value` held from `at` on, or ended then; or that the
    earlier step `undoes` was never true."""

    known: int
    value: str = ""
    at: int = 0
    ends: bool = False
    undoes: int = -1


def history(random: random.Random, steps: int) -> list[Told]:
    """Adds, updates, late arrivals, ends and retractions."""
    told: list[Told] = []
    for known in range(steps):
        said = [one.known for one in told if one.value and not one.ends]
        if said and random.random() < 0.2:
            told.append(Told(known, undoes=random.choice(said)))
        else:
            told.append(Told(known, random.choice(VALUES), random.randrange(1, 40), ends=random.random() < 0.2))
    return told


def expected(told: Sequence[Told], at: int, known: int, *, one: bool) -> set[str]:
    """What held at `at`, by what was told up to and with `known`, of a thing with one value or with many."""
    heard = [step for step in told if step.known <= known]
    gone = _taken_back(heard, one=one)
    left = [step for step in heard if step.value and step.known not in gone and step.at <= at]
    if one:
        return _open(left)
    return {value for value in VALUES if _open([step for step in left if step.value == value])}


def _open(left: Sequence[Told]) -> set[str]:
    """The last value that began, unless it ended since."""
    said = [step for step in left if not step.ends]
    if not said:
        return set()
    last = max(said, key=_order)
    ended = any(step.ends and step.value == last.value and _order(step) > _order(last) for step in left)
    return set() if ended else {last.value}


def _order(step: Told) -> tuple[int, int]:
    return step.at, step.known


def _taken_back(heard: Sequence[Told], *, one: bool) -> set[int]:
    """Steps that are taken back: a retraction takes the whole stretch of its value, with all that confirmed it."""
    gone: set[int] = set()
    for step in heard:
        if step.undoes >= 0 and step.undoes not in gone:
            before = [other for other in heard if other.known < step.known and other.known not in gone and other.value]
            gone |= _stretch(before, next(other for other in heard if other.known == step.undoes), one=one)
    return gone


def _stretch(told: Sequence[Told], step: Told, *, one: bool) -> set[int]:
    line = sorted((other for other in told if one or other.value == step.value), key=_order)
    stretches: list[list[Told]] = []
    current: list[Told] | None = None
    for other in line:
        if other.ends:
            current = _end(stretches, current, other)
        elif current is not None and current[0].value == other.value:
            current.append(other)
        else:
            current = [other]
            stretches.append(current)
    return {other.known for other in next(found for found in stretches if step in found)}


def _end(stretches: list[list[Told]], current: list[Told] | None, ending: Told) -> list[Told] | None:
    if current is not None and current[0].value == ending.value:
        current.append(ending)
        return None
    same = [stretch for stretch in stretches if stretch[0].value == ending.value]
    if same:
        same[-1].append(ending)
    else:
        stretches.append([ending])
    return current
