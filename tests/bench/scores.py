"""How well a ranking found the evidence. Pure: rankings in, figures out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.conversations import Question

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open", 4: "single-hop"}
BUDGETS = (500, 1000, 2000)


@dataclass(slots=True)
class Scores:
    """The figures of one method, a value for each question. `costs` are the tokens of each
    turn that can be found, by id."""

    costs: Mapping[str, int] = field(default_factory=dict[str, int])
    recall: dict[int, list[float]] = field(default_factory=lambda: {5: [], 10: [], 20: []})
    covered: dict[int, list[float]] = field(default_factory=lambda: {budget: [] for budget in BUDGETS})
    kinds: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    reciprocal: list[float] = field(default_factory=list[float])
    gain: list[float] = field(default_factory=list[float])

    def add(self, question: Question, found: Sequence[str]) -> None:
        """One question's ranking, best first."""
        for depth, shares in self.recall.items():
            shares.append(share(found[:depth], question))
        for budget, shares in self.covered.items():
            shares.append(share(self._fitting(found, budget), question))
        self.kinds.setdefault(question.category, []).append(share(found[:10], question))
        self.reciprocal.append(next((1 / rank for rank, one in enumerate(found, 1) if one in question.gold), 0.0))
        self.gain.append(_gain(found[:10], question))

    def figures(self) -> dict[str, float]:
        """The mean of each, by name."""
        named = {f"R@{depth}": mean(shares) for depth, shares in self.recall.items()}
        named |= {"MRR": mean(self.reciprocal), "nDCG@10": mean(self.gain)}
        named |= {f"evidence in {budget} tokens": mean(shares) for budget, shares in self.covered.items()}
        kinds = sorted((kind, shares) for kind, shares in self.kinds.items() if kind in CATEGORIES)
        return named | {f"R@10 {CATEGORIES[kind]}": mean(shares) for kind, shares in kinds}

    def _fitting(self, found: Sequence[str], budget: int) -> list[str]:
        kept: list[str] = []
        for one in found:
            if self.costs[one] <= budget:
                kept.append(one)
                budget -= self.costs[one]
        return kept


def share(found: Sequence[str], question: Question) -> float:
    """How much of the evidence is among these."""
    return len(question.gold & set(found)) / len(question.gold)


def mean(values: Sequence[float]) -> float:
    """0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def _gain(found: Sequence[str], question: Question) -> float:
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(question.gold)) + 1))
    return sum(1 / math.log2(rank + 1) for rank, one in enumerate(found, 1) if one in question.gold) / ideal
