"""What the words of a question or a memory say to the ranking. Pure: text in, values out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_STOP = """
a an the of to in on at for and or is are was were be been being do does did has have had what when where which who whom
whose why how with by from as that this these those it its his her their they he she i you we my your our would could
should will can may might about into after before during than then there some any s t not no
"""
STOP = frozenset(_STOP.split())
MOST_TERMS = 48
_WORD = re.compile(r"[^\W_]+")
_ASKS_WHEN = re.compile(r"\s*(?:when|how long|since when|what (?:day|date|month|year))\b", re.IGNORECASE)
_TELLS_WHEN = re.compile(
    r"\b(?:yesterday|today|tomorrow|tonight|last|next|ago|weeks?|weekend|months?|years?|since|just|recently|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|june|july|august|september|october|"
    r"november|december|(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_CAPITAL = re.compile(r"[^\W\d_]{3,}")
_NOT_NAMES = frozenset({"", "i", "me", "you", "user", "person", "assistant", "system", "tool", "hearth"})


def words(text: str) -> list[str]:
    """Alphanumeric tokens in lower case."""
    return _WORD.findall(text.lower())


def length(text: str) -> int:
    """How many tokens a text holds."""
    return len(_WORD.findall(text))


def terms(query: str) -> list[str]:
    """What is worth looking up: tokens without stop words (with them when nothing else is left), once each."""
    found = words(query)
    kept = [word for word in found if word not in STOP]
    return list(dict.fromkeys(kept or found))[:MOST_TERMS]


def proper_nouns(text: str) -> list[str]:
    """Words that are names by their capital letter, in lower case, once each; not a sentence's first word,
    which has one anyway, and no abbreviations."""
    found: list[str] = []
    for sentence in _SENTENCE.split(text):
        capitals = [(match.start(), match[0]) for match in _CAPITAL.finditer(sentence) if match[0][0].isupper()]
        first = len(sentence) - len(sentence.lstrip("\"'“‘([*_ "))
        found += [word.lower() for start, word in capitals if start > first and not word.isupper()]
    return [word for word in dict.fromkeys(found) if word not in STOP and not tells_when(word)]


def said(speaker: str, text: str) -> str:
    """A turn as it stands in a window."""
    return f"{speaker}: {text}" if speaker else text


def windows(turns: Sequence[str]) -> list[str]:
    """Each turn of one session with the one before and the one after it."""
    return [" ".join(turns[max(0, place - 1) : place + 2]) for place in range(len(turns))]


def is_question(text: str) -> bool:
    """A question is seldom the evidence for its own answer."""
    return text.rstrip(" \"'”’)*_").endswith("?")


def asks_when(query: str) -> bool:
    """Whether the answer is a time."""
    return _ASKS_WHEN.match(query) is not None


def tells_when(text: str) -> bool:
    """Whether the text speaks of a time."""
    return _TELLS_WHEN.search(text) is not None


@dataclass(frozen=True, slots=True)
class Names:
    """The speakers of a space, by the names a question may use for them.

    A name in the question drags an embedding to every turn with that name, so it is taken out there; the speaker
    is a field with a signal of its own.
    """

    speakers: tuple[str, ...]
    _known: dict[str, frozenset[str]] = field(init=False)
    _pattern: "re.Pattern[str] | None" = field(init=False)

    def __post_init__(self) -> None:
        known: dict[str, set[str]] = {}
        for speaker in self.speakers:
            for name in _aliases(speaker):
                known.setdefault(name.lower(), set()).add(speaker)
        longest_first = sorted(known, key=len, reverse=True)
        pattern = rf"\b({'|'.join(map(re.escape, longest_first))})(?:['’]s)?\b" if known else None
        object.__setattr__(self, "_known", {name: frozenset(whose) for name, whose in known.items()})
        object.__setattr__(self, "_pattern", re.compile(pattern, re.IGNORECASE) if pattern else None)

    def bare(self, query: str) -> str:
        """The question without speakers' names."""
        bare = self._pattern.sub("", query) if self._pattern else query
        return bare if bare.strip() else query

    def named(self, query: str) -> str | None:
        """The one speaker that the question names; None when it names none, or several."""
        if self._pattern is None:
            return None
        found: Iterable[str] = (match.group(1).lower() for match in self._pattern.finditer(query))
        whose = [self._known[name] for name in found]
        everybody = frozenset[str]().union(*whose)
        return next(iter(everybody)) if len(everybody) == 1 else None


def _aliases(speaker: str) -> list[str]:
    """The whole name, and its parts: people are asked about by their first name."""
    whole = " ".join(speaker.split())
    if whole.lower() in _NOT_NAMES:
        return []
    parts = [part for part in whole.split(" ") if len(part) > 2 and part[0].isupper()]
    return list(dict.fromkeys([whole, *parts]))
