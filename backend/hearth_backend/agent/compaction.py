"""Older turns made short: the sentences that say most, as they stand, each with the turn it is from. Pure.

What a later answer may hang on is kept first: names of things (ids, paths, versions), numbers and dates, decisions, and
what is not so. Nothing is paraphrased, so nothing is made up; what is short enough already stays as it is, so a summary
of a summary loses nothing.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from hearth_backend.memory.text import STOP, words

Count = Callable[[str], int]
_LONGEST: Final = 320  # characters; what is longer is cut into clauses
_SENTENCE: Final = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+|\n+")
_CLAUSE: Final = re.compile(r"(?<=[,;:–—])\s+")
_WEIGHTS: Final = (
    (3.0, re.compile(r"https?://\S|\b[\w.+-]+@[\w-]+\.\w|(?:^|[\s\"'(`])(?:~|\.{0,2}/|[A-Za-z]:\\)[\w./\\-]+")),
    (3.0, re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]{2,}\b|\b[A-Z]{2,}-\d+\b")),
    (2.5, re.compile(r"\b\w+\.(?:py|js|ts|rs|go|c|h|md|txt|toml|ya?ml|json|csv|ini|cfg|conf|sql|sh|log|pdf|docx?)\b")),
    (2.0, re.compile(r"`[^`]+`|\b[a-z]+_[a-z_]+\b|\b[a-z]+[A-Z]\w+\b")),
    (1.6, re.compile(r"[$€£]\s?\d|\b\d{1,2}[:.]\d\d\b|\b\d+(?:[.,]\d+)*\s?(?:%|[kKMG]i?B\b|ms\b|km\b|kg\b|°)")),
    (1.4, re.compile(r"\d{2,}")),
    (0.5, re.compile(r"\d")),
    (
        2.2,
        re.compile(
            r"\b(?:decided?|decision|agreed?|chose|chosen|settled|approved|rejected|going with|will use|deadline|due|"
            r"must|always|promised?|password|key|address|allergic|beschlossen|entschieden|vereinbart|muss)\b",
            re.IGNORECASE,
        ),
    ),
    (
        1.8,
        re.compile(
            r"\b(?:never|no longer|must not|do(?:es)?n['’]t|do(?:es)? not|won['’]t|cannot|can['’]t|is not|isn['’]t|"
            r"not to|without|instead of|except|nie|nicht|kein\w*)\b",
            re.IGNORECASE,
        ),
    ),
    (1.2, re.compile(r"\b(?:remember|important|note that|keep in mind|merke?)\b", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence, the id of the turn or episode that it stands in, and who said it."""

    text: str
    cites: str
    who: str = ""


def lines_of(text: str, cites: str, who: str = "") -> list[Line]:
    """A turn's sentences; very long ones in pieces."""
    sentences = (" ".join(sentence.split()) for sentence in _SENTENCE.split(text))
    return [Line(piece, cites, who) for sentence in sentences for piece in _pieces(sentence)]


def compact(lines: Sequence[Line], budget: int, count: Count, goal: str = "") -> list[Line]:
    """The lines that say most and fit into `budget` tokens, in their order; all of them when all fit."""
    if count(rendered(lines)) <= budget:
        return list(lines)
    costs = [count(f"{line.text} ") for line in lines]
    asked = _telling(goal)
    seen: set[str] = set()
    heads: set[str] = set()
    kept: list[int] = []
    for place in sorted(range(len(lines)), key=lambda place: (-_worth(lines[place].text, asked), -place)):
        line, plain = lines[place], " ".join(words(lines[place].text))
        cost = costs[place] + (0 if line.cites in heads else count(_head(line)) + 1)
        if cost <= budget and plain not in seen:
            kept.append(place)
            seen.add(plain)
            heads.add(line.cites)
            budget -= cost
    return [lines[place] for place in sorted(kept)]


def rendered(lines: Iterable[Line]) -> str:
    """As a model reads them: a line for each turn."""
    turns = [list(turn) for _, turn in groupby(lines, key=lambda line: (line.cites, line.who))]
    return "\n".join(" ".join([_head(said[0]), *(line.text for line in said)]) for said in turns)


def _head(line: Line) -> str:
    return f"[{' '.join(part for part in (line.who, line.cites) if part)}]"


def _worth(text: str, asked: set[str]) -> float:
    """How much would be lost without it, for its length."""
    worth = sum(weight for weight, pattern in _WEIGHTS if pattern.search(text))
    worth += 1.5 * len(asked & _telling(text)) / (len(asked) or 1)
    worth *= 0.5 if text.endswith("?") else 1.0  # what was only asked
    return worth + min(len(_telling(text)), 12) / 100 - len(text) / 2000


def _telling(text: str) -> set[str]:
    return {word for word in words(text) if word not in STOP and len(word) > 1}


def _pieces(sentence: str) -> Iterable[str]:
    if len(sentence) <= _LONGEST:
        return [sentence] if sentence else []
    pieces, held = list[str](), ""
    for clause in _CLAUSE.split(sentence):
        if held and len(held) + len(clause) > _LONGEST:
            pieces.append(held)
            held = ""
        held = f"{held} {clause}".strip()
        while len(held) > _LONGEST:
            cut = held.rfind(" ", _LONGEST // 2, _LONGEST)
            cut = cut if cut > 0 else _LONGEST
            pieces.append(held[:cut])
            held = held[cut:].strip()
    return [*pieces, held] if held else pieces
