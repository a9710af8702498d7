"""Facts, through the public API: what held when by both clocks, and what is kept of turns that are mostly junk.

`python -P -m bench.memory_facts [CASES]`. Histories are made from a seed: additions, updates, late arrivals, ends and
retractions; then both clocks are asked, and the answers compared with a reckoning that knows no intervals.
"""

import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from bench import junk
from bench.backend import Backend, new_home, running
from bench.junk import Told, Turn
from bench.verdict import Verdict
from support.histories import Told as Step
from support.histories import expected, history

CASES: Final = 500
_STEPS: Final = 6
_START: Final = datetime(2020, 1, 1, tzinfo=UTC)
_LONGEST_S: Final = 120.0
Figures = dict[str, float | bool]


def main() -> int:
    """The exit code."""
    verdict = Verdict("memory-facts")
    for name, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else CASES).items():
        if isinstance(value, bool):
            verdict.must(name, value)
        else:
            verdict.note(name, value, "")
    return verdict.close()


def measure(cases: int = CASES) -> Figures:
    """Figures, and whether each bar is reached."""
    with new_home() as home, running(home) as backend:
        return {**_bitemporal(backend, cases), **_junk(backend)}


# -- both clocks


@dataclass(frozen=True)
class _Case:
    """A history as it was written: when each step was known, by the server's clock."""

    subject: str
    predicate: str
    told: Sequence[Step]
    known: Sequence[datetime]


def _bitemporal(backend: Backend, cases: int) -> Figures:
    luck, right, asked = random.Random(20261125), 0, 0
    for number in range(cases):
        case = _written(backend, luck, number)
        answers = _answers(backend, luck, case)
        right += all(answers)
        asked += len(answers)
    return {
        "bi-temporal cases": float(cases),
        "bi-temporal questions": float(asked),
        "bi-temporal cases right": right / cases,
        "bi-temporal cases all right": right == cases,
    }


def _written(backend: Backend, luck: random.Random, number: int) -> _Case:
    subject, predicate = f"person {number}", luck.choice(("lives_in", "likes"))
    told = history(luck, _STEPS)
    facts: dict[int, str] = {}
    known: list[datetime] = []
    for step in told:
        known.append(_take(backend, subject, predicate, step, facts))
    return _Case(subject, predicate, told, known)


def _take(backend: Backend, subject: str, predicate: str, step: Step, facts: dict[int, str]) -> datetime:
    """Do one step; a moment by which it is known, and the next is not."""
    if step.undoes >= 0:
        found = _get(backend, "/v1/memory/why", {"id": facts[step.undoes]})["facts"]
        for fact in found:  # one, wherever it is now: what came later may have cut it in two
            if fact["retracted_at"] is None:
                backend.ask("POST", f"/v1/memory/facts/{fact['id']}/retract", {})
    else:
        body = {
            "subject": subject,
            "predicate": predicate,
            "value": step.value,
            "valid_from": _moment(step.at).isoformat(),
            "text": f"{subject}, {step.known}: {step.value} {'until' if step.ends else 'from'} {step.at}",
            "ends": step.ends,
        }
        facts[step.known] = backend.ask("POST", "/v1/memory/facts", body)["episode_id"]
    return datetime.now(UTC)


def _answers(backend: Backend, luck: random.Random, case: _Case) -> list[bool]:
    one = case.predicate == "lives_in"
    answers: list[bool] = []
    for at in luck.sample(range(42), 4):
        answers.append(_asked(backend, case, at, None) == expected(case.told, at, len(case.told), one=one))
        known = luck.randrange(len(case.told))
        then = expected(case.told, at, known, one=one)
        answers.append(_asked(backend, case, at, case.known[known]) == then)
    return answers


def _asked(backend: Backend, case: _Case, at: int, known: datetime | None) -> set[str]:
    query: dict[str, str] = {"subject": case.subject, "predicate": case.predicate, "at": _moment(at).isoformat()}
    if known is not None:
        query["known_at"] = known.isoformat()
    return {fact["value"] for fact in _get(backend, "/v1/memory/facts", query)["facts"]}


def _get(backend: Backend, path: str, query: Mapping[str, str]) -> Any:
    return backend.ask("GET", f"{path}?{urlencode(query)}")


def _moment(at: int) -> datetime:
    return _START + timedelta(days=30 * at)


# -- junk


def _junk(backend: Backend) -> Figures:
    turns = junk.turns()
    space = "junk"
    for turn in turns:  # each in a session of its own, as it stands by itself
        backend.ask("POST", "/v1/memory/episodes", {"space": space, "episodes": [_episode(turn)]})
    found = _kept(backend, space)
    by_turn = {turn.number: frozenset(_of(turn, found)) for turn in turns}
    whole = junk.score(turns, lambda turn: by_turn[turn.number])
    unseen = junk.score(turns[1::2], lambda turn: by_turn[turn.number])
    twice = _twice(backend, space)
    return {
        "junk: turns": float(len(turns)),
        "junk: precision": whole.precision,
        "junk: recall": whole.recall,
        "junk: precision on the half not looked at": unseen.precision,
        "junk: recall on the half not looked at": unseen.recall,
        "junk: duplicates": float(twice),
        "junk: precision at least 0.90": whole.precision >= 0.9,
        "junk: recall at least 0.50": whole.recall >= 0.5,
        "junk: no duplicates": twice == 0,
    }


def _episode(turn: Turn) -> dict[str, str]:
    return {
        "external_id": f"turn-{turn.number}",
        "speaker": turn.speaker,
        "occurred_at": turn.occurred_at.isoformat(),
        "text": turn.text,
        "origin": "turn",
    }


def _kept(backend: Backend, space: str) -> list[dict[str, Any]]:
    """Every piece of evidence, once all is read."""
    end = time.monotonic() + _LONGEST_S
    while backend.ask("GET", "/v1/status")["memory"]["to_read"]:
        if time.monotonic() > end:
            raise TimeoutError("memories were not read for facts in time")
        time.sleep(0.2)
    facts = _get(backend, "/v1/memory/facts", {"space": space, "history": "true", "limit": "500"})["facts"]
    return [
        {**one, "fact": fact}
        for fact in facts
        for one in _get(backend, "/v1/memory/why", {"id": fact["id"]})["evidence"]
    ]


def _of(turn: Turn, found: Sequence[dict[str, Any]]) -> list[Told]:
    return [
        junk.told(one["fact"]["subject"], one["fact"]["predicate"], one["fact"]["value"], ends=one["role"] == "ends")
        for one in found
        if datetime.fromisoformat(one["occurred_at"]) == turn.occurred_at
    ]


def _twice(backend: Backend, space: str) -> int:
    """Facts that say the same of the same at the same time."""
    facts = _get(backend, "/v1/memory/facts", {"space": space, "limit": "500"})["facts"]
    told = [junk.told(fact["subject"], fact["predicate"], fact["value"], ends=False) for fact in facts]
    return len(told) - len(set(told))


if __name__ == "__main__":
    sys.exit(main())
