"""Which passages answer a question: memories, Hearth's own help, or nothing. Pure: candidates in, sources out.

Scores of different spaces cannot be compared, so passages are weighed on a scale of their own: how much of the
question their words cover (rare words counting more) and how near they are in meaning.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hearth_backend.memory.ranking import fused
from hearth_backend.memory.text import is_question, words
from hearth_shared.protocol.tasks import Source

_LEAST = 0.3  # what the best must be worth; below it nothing is known
_LEAST_BESIDE = 0.25  # share of the best's worth that lies beside it
_LEAST_HELP = 0.7  # of help that nobody asked for by name
_MOST_HELP = 3
_ABOUT_HEARTH = re.compile(
    r"\bhearth\b|"
    r"\b(?:what|who|how|can|are|do|could|will)\s+(?:(?:can|are|do|does|could|will)\s+)?you\b|"
    r"\bhow\s+(?:do|can|could|would|should)\s+i\s+(?:connect|install|set\s*up|use|add|forget|delete|start|stop|change|"
    r"configure|create|make|ask|give|update|run)\b|"
    r"^\s*help\b|\bcommands\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may be quoted, with its worth on the common scale."""

    source: Source
    relevance: float


def relevance(coverage: float, cosine: float | None) -> float:
    """From 0 to 1, on the same scale with and without vectors."""
    if cosine is None:
        return coverage
    return 0.5 * coverage + 0.5 * min(1.0, max(0.0, (cosine - 0.1) / 0.6))


def about_hearth(question: str) -> bool:
    """Whether the question is put to Hearth about itself or its use."""
    return _ABOUT_HEARTH.search(question) is not None


def heading_match(question: str, heading: str) -> float:
    """How nearly a heading puts this very question; it may put several, each ending in a question mark."""
    asked = set(words(question))
    put = [set(words(part)) for part in heading.split("?")]
    return max((len(asked & one) / len(asked | one) for one in put if one), default=0.0)


def choose(
    question: str, memories: Sequence[Sequence[Candidate]], help: Sequence[Candidate], token_budget: int
) -> list[Source]:
    """Sources within the budget, best first, numbered from 1. `memories` holds one ranked list for each space."""
    asked = words(question)
    told = _worth_telling(_evidence([one for one in _merged(memories) if words(one.source.quote) != asked]))
    pages = _worth_telling(sorted(help, key=lambda page: -_help_worth(question, page)))[:_MOST_HELP]
    best_told = max((one.relevance for one in told), default=0.0)
    best_page = max((page.relevance for page in pages), default=0.0)
    if about_hearth(question):
        first = best_page >= best_told
    else:
        first = best_page >= _LEAST_HELP and best_page > best_told
        pages = pages if first else []
    return _numbered([*pages, *told] if first else [*told, *pages], token_budget)


def _evidence(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Statements first: what was only asked before is worth little as an answer."""
    told = [one for one in ranked if not is_question(one.source.quote)]
    asked = [replace(one, relevance=one.relevance / 2) for one in ranked if is_question(one.source.quote)]
    return [*told, *asked]


def _help_worth(question: str, page: Candidate) -> float:
    return page.relevance + 0.5 * heading_match(question, page.source.title.rpartition("›")[2])


def _worth_telling(ranked: Sequence[Candidate]) -> list[Candidate]:
    most = max((one.relevance for one in ranked), default=0.0)
    if most < _LEAST:
        return []
    return [one for one in ranked if one.relevance >= _LEAST_BESIDE * most]


def tokens(text: str) -> int:
    """A text's length in tokens, estimated."""
    return len(text) // 4 + 2


def _merged(lists: Iterable[Sequence[Candidate]]) -> list[Candidate]:
    several = [ranked for ranked in lists if ranked]
    if len(several) < 2:
        return list(several[0]) if several else []
    everything = [candidate for ranked in several for candidate in ranked]
    numbers = {candidate.source.id: number for number, candidate in enumerate(everything)}
    merged = fused([[numbers[candidate.source.id] for candidate in ranked] for ranked in several])
    return [everything[number] for number in sorted(merged, key=lambda number: -merged[number])]


def _numbered(ranked: Iterable[Candidate], token_budget: int) -> list[Source]:
    sources: list[Source] = []
    for candidate in ranked:
        cost = tokens(candidate.source.quote)
        if cost <= token_budget:
            token_budget -= cost
            score = round(candidate.relevance, 4)
            sources.append(candidate.source.model_copy(update={"n": len(sources) + 1, "score": score}))
    return sources
