"""How an extractor does on turns labelled by hand: what it keeps that is right, what it misses, what it keeps twice.

junk_turns.jsonl was written before the extractor. Of each turn it says which facts are to be kept: subject, predicate,
object, and whether the fact ends. Odd turns were looked at while the rules were written, even ones were not.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hearth_backend.memory.entity_store import canonical

TURNS: Final = Path(__file__).parent / "junk_turns.jsonl"
Told = tuple[str, str, str, bool]
"""Subject, predicate, value, whether it ends."""


@dataclass(frozen=True)
class Turn:
    """A labelled turn."""

    number: int
    speaker: str
    text: str
    occurred_at: datetime
    facts: frozenset[Told]


@dataclass(frozen=True)
class Score:
    """Facts that are right, wrong and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """The share of what was kept that is right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """The share of what was to be kept that was."""
        return self.right / max(1, self.right + self.missed)


def turns() -> list[Turn]:
    """The labelled turns, in order."""
    return [_turn(json.loads(line)) for line in TURNS.read_text("utf-8").splitlines()]


def told(subject: str, predicate: str, value: str, *, ends: bool) -> Told:
    """A fact as it is compared: names and values in their canonical form."""
    return canonical(subject), predicate.casefold(), canonical(value), ends


def score(given: Iterable[Turn], kept: Callable[[Turn], frozenset[Told]]) -> Score:
    """What was kept of each turn against what was to be."""
    pairs = [(turn.facts, kept(turn)) for turn in given]
    return Score(
        right=sum(len(wanted & found) for wanted, found in pairs),
        wrong=sum(len(found - wanted) for wanted, found in pairs),
        missed=sum(len(wanted - found) for wanted, found in pairs),
    )


def _turn(read: Mapping[str, Any]) -> Turn:
    facts = (told(one["subject"], one["predicate"], one["object"], ends="ends" in one) for one in read["facts"])
    at = datetime.fromisoformat(read["occurred_at"])
    return Turn(read["turn"], read["speaker"], read["text"], at, frozenset(facts))
