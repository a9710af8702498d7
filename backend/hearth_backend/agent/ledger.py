"""The sources of one run: each has one number from the moment it is laid before the model until the answer cites it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hearth_shared.protocol.tasks import Source

_CITED = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_QUOTE = 600
BACKGROUND = 101
"""The number of the first source in the background."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A source, and the text of it that the model may read."""

    source: Source
    text: str


class Ledger:
    """Numbers sources from 1 in the order they come; the same one keeps its number. What lies in the background has
    numbers of its own, so that what is read for a question does not move them."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._background: dict[tuple[str, str], Entry] = {}

    def add(self, sources: Iterable[Source]) -> list[Entry]:
        """The entries of these sources, those already known under their old number."""
        return [self._entry(source) for source in sources]

    def lay_behind(self, sources: Iterable[Source]) -> list[Entry]:
        """The entries of sources that no question asked for: an answer may cite them, and shows them only then."""
        for source in sources:
            n = BACKGROUND + len(self._background)
            numbered = source.model_copy(update={"n": n, "quote": shortened(source.quote)})
            self._background.setdefault((source.id, source.quote), Entry(numbered, source.quote))
        return list(self._background.values())

    def entries(self) -> list[Entry]:
        """All that was read for the question, by their numbers."""
        return list(self._entries.values())

    def numbered(self, numbers: Iterable[int]) -> list[Source]:
        """The sources with these numbers, in order; numbers that name nothing are passed over."""
        wanted = set(numbers)
        known = (*self._entries.values(), *self._background.values())
        return [entry.source for entry in known if entry.source.n in wanted]

    def answering(self, text: str) -> list[Source]:
        """The sources that a text cites; when it cites none, all that were read, marked as not cited."""
        cited = self.numbered(cited_numbers(text))
        if cited:
            return cited
        return [entry.source.model_copy(update={"cited": False}) for entry in self._entries.values()]

    def _entry(self, source: Source) -> Entry:
        key = (source.kind, source.id, source.quote)
        if key not in self._entries:
            n = len(self._entries) + 1
            self._entries[key] = Entry(
                source.model_copy(update={"n": n, "quote": shortened(source.quote)}), source.quote
            )
        return self._entries[key]


def cited_numbers(text: str) -> set[int]:
    """The numbers cited in a text, as [1] or [1, 2]."""
    return {int(number) for group in _CITED.findall(text) for number in re.split(r"\s*[,;]\s*", group)}


def shortened(quote: str, longest: int = _QUOTE) -> str:
    """A quote for a person: cut at a word."""
    if len(quote) <= longest:
        return quote
    return quote[:longest].rsplit(maxsplit=1)[0] + " …"


def passages(entries: Sequence[Entry]) -> str:
    """The entries as numbered blocks. A text cannot end its block: the signs that could are replaced."""
    return "\n\n".join(passage(entry) for entry in entries)


def passage(entry: Entry) -> str:
    """One numbered block."""
    source = entry.source
    whose = "" if source.trusted else "not the person's own words"
    parts = (source.kind, _one_line(source.title), _one_line(source.speaker), whose)
    about = " · ".join(part for part in parts if part)
    text = entry.text.replace("<<<", "‹‹‹").replace(">>>", "›››")
    return f"<<<passage {source.n} · {about}>>>\n{text}\n<<<end of passage {source.n}>>>"


def _one_line(text: str) -> str:
    return " ".join(text.replace("<<<", "‹‹‹").replace(">>>", "›››").split())
