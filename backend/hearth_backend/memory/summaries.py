"""What a session and a week came to, without a model: the turns that carry most, each citing its episode. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hearth_backend.memory.reading_store import Line
from hearth_backend.memory.text import STOP, is_question, words

MAKER: Final = "extract"
FEWEST_TURNS: Final = 4
_LINES: Final = 6
_LONGEST: Final = 240
_FEWEST_WORDS: Final = 4
_COMMAND_WORDS: Final = """
run open write translate make show list fix rename explain summarise summarize please thanks ok yes no
"""
_COMMAND: Final = frozenset(_COMMAND_WORDS.split())


@dataclass(frozen=True, slots=True)
class Told:
    """A turn to be summarised."""

    rowid: int
    speaker: str
    text: str


def session_lines(turns: Sequence[Told], most: int = _LINES) -> list[Line]:
    """The turns that carry most of a session, in their order; nothing for a short one."""
    if len(turns) < FEWEST_TURNS:
        return []
    counts = Counter(term for turn in turns for term in _terms(turn.text))
    rated = [(_worth(turn, counts), place) for place, turn in enumerate(turns) if _says_something(turn.text)]
    return [_line(turns[place]) for place in sorted(_picked(turns, rated, most))]


def week_lines(sessions: Sequence[Sequence[Line]], most: int = 8) -> list[Line]:
    """The first lines of each session of a week, as many as there is room for, in order."""
    kept: list[tuple[int, int]] = []
    for depth in range(_LINES):
        for place, lines in enumerate(sessions):
            if depth < len(lines) and len(kept) < most:
                kept.append((place, depth))
    return [sessions[place][depth] for place, depth in sorted(kept)]


def week_of(at: float) -> tuple[str, float, float]:
    """(its ISO name, its first second, the first second after it), in UTC."""
    day = datetime.fromtimestamp(at, UTC)
    monday = (day - timedelta(day.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}", monday.timestamp(), (monday + timedelta(7)).timestamp()


def _picked(turns: Sequence[Told], rated: list[tuple[float, int]], most: int) -> list[int]:
    """Best first, each further one worth less the more of its words were there already."""
    picked: list[int] = []
    covered: set[str] = set()
    while rated and len(picked) < most:
        best = max(rated, key=lambda one: (one[0] * _news(turns[one[1]].text, covered), -one[1]))
        rated.remove(best)
        picked.append(best[1])
        covered |= _terms(turns[best[1]].text)
    return picked


def _line(turn: Told) -> Line:
    text = " ".join(turn.text.split())
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(maxsplit=1)[0] + " …"
    who = turn.speaker if turn.speaker.lower() not in ("", "me", "person") else ""
    return Line(f"{who}: {text}" if who else text, (turn.rowid,))


def _says_something(text: str) -> bool:
    found = words(text)
    return len(found) >= _FEWEST_WORDS and not is_question(text) and found[0] not in _COMMAND


def _worth(turn: Told, counts: "Counter[str]") -> float:
    terms = _terms(turn.text)
    carried = sum(min(counts[term], 5) for term in terms) / (len(terms) + 3)
    exact = any(sign.isdigit() for sign in turn.text) or any(word[:1].isupper() for word in turn.text.split()[1:])
    return carried * (1.3 if exact else 1.0)


def _news(text: str, covered: set[str]) -> float:
    terms = _terms(text)
    return 0.1 + 0.9 * len(terms - covered) / len(terms) if terms else 0.0


def _terms(text: str) -> set[str]:
    return {word for word in words(text) if word not in STOP and len(word) > 1}
