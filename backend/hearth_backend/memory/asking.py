"""Which facts answer a question directly: "Where do I live?", "What is Lena's birthday?". Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hearth_backend.memory.entity_store import canonical
from hearth_backend.memory.predicates import ME, TABLE, Predicate, search_terms

_QUESTION: Final = re.compile(
    r"^\s*(?:and |so |hey |please |(?:can you |could you )?tell me |do you (?:know|remember) |remind me )*"
    r"(?:where|who|whose|what|what's|when|which|how old|in which|at which|do|does|am|is|are)\b",
    re.IGNORECASE,
)
_MINE: Final = re.compile(r"\b(?:i|me|my|mine|we|our)\b", re.IGNORECASE)
_PAST: Final = re.compile(r"\b(?:did|was|were|used to|had|before|previously|formerly|first|last)\b", re.IGNORECASE)
_WHEN: Final = re.compile(r"\bwhen\b|\bwhat (?:date|day|time)\b", re.IGNORECASE)
_WHO: Final = re.compile(r"\bwho\b", re.IGNORECASE)
_MANNER: Final = re.compile(
    r"^\s*(?:why|how(?! old\b))\b|\bhow (?:many|much|long|often|do|can|should)\b", re.IGNORECASE
)
_DATED: Final = frozenset({"birthday", "ends_on", "due_on", "happens_on", "happens_at", "born_in"})
_RELATIONS: Final = tuple(one for one in TABLE.values() if one.kind in ("person", "animal"))
_ASKS: Final = {one.name: re.compile(one.asks, re.IGNORECASE) for one in TABLE.values() if one.asks}
_LONGEST: Final = 200
_TOPICAL: Final = frozenset({"favourite", "account"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Of `subjects` (canonical names; the person is `me`), what `predicates` say; by `through`, of those to whom the
    person is so related. `terms` must be met by a predicate that has a topic."""

    subjects: tuple[str, ...]
    predicates: tuple[str, ...]
    through: tuple[str, ...] = ()
    terms: frozenset[str] = frozenset()


def asked(question: str) -> Asked | None:
    """What a question asks for; None when no fact could answer it by itself."""
    if len(question) > _LONGEST or _QUESTION.match(question) is None:
        return None
    if _PAST.search(question) or _MANNER.search(question):
        return None
    meant = [one for one in TABLE.values() if one.name in _ASKS and _ASKS[one.name].search(question)]
    meant = [one for one in meant if _fits(one, question)]
    if not meant:
        return None
    terms = frozenset(search_terms(question))
    mine = _MINE.search(question) is not None
    related = tuple(one.name for one in meant if one in _RELATIONS)
    others = tuple(one.name for one in meant if one not in _RELATIONS)
    if mine and related:
        told = tuple(name for name in others if name != "name")
        return Asked((ME,), told, related, terms) if told else Asked((ME,), related, (), terms)
    subjects = (*((ME,) if mine else ()), *names_in(question))
    return Asked(subjects, others + related, (), terms) if subjects else None


def names_in(question: str) -> tuple[str, ...]:
    """Every run of up to four words, as a canonical name: one of them may be a name that is known."""
    found = re.findall(r"[\w.@+-]+(?:'s)?", question.replace("’", "'"))
    plain = [word.removesuffix("'s").strip(".-") for word in found]
    runs = (
        canonical(" ".join(plain[start : start + size]))
        for size in (4, 3, 2, 1)
        for start in range(len(plain) - size + 1)
    )
    return tuple(dict.fromkeys(run for run in runs if run and run != ME))


def is_met(predicate: str, terms: Iterable[str]) -> bool:
    """Whether the question names the topic of a predicate that has one: `favourite:editor`."""
    base, _, topic = predicate.partition(":")
    if base not in _TOPICAL:
        return True
    return set(search_terms(topic)) <= set(terms)


def _fits(one: Predicate, question: str) -> bool:
    if _WHEN.search(question):
        return one.name in _DATED
    if _WHO.search(question):
        return one.kind in ("person", "animal") or one.name in ("name", "works_as")
    return True
