"""An open file's text as its editor has it, and the places in it.

Editors count characters in units of UTF-8, UTF-16 or UTF-32; a `Place` counts code points. A line ends with LF, CRLF or
CR and with nothing else (the specification's list, which is shorter than Python's). A place that does not exist becomes
the nearest one before it: the end of the line, the end of the text, the beginning of the character.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Encoding = Literal["utf-8", "utf-16", "utf-32"]
_STRETCH = 1024


class Place(NamedTuple):
    """Between two characters: a line and the code points before it there, both from 0."""

    line: int
    column: int


class Span(NamedTuple):
    """From one place to another that does not lie before it."""

    start: Place
    end: Place


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch that was replaced, in the editor's own counting; without `start` and `end` all of it was."""

    text: str
    start: tuple[int, int] | None = None
    end: tuple[int, int] | None = None


class Document:
    """One open file. It is changed in place: a keystroke in a file of 5 MB touches its own line only."""

    def __init__(self, uri: str, text: str, *, version: int = 0, language: str = "", encoding: Encoding = "utf-16"):
        self.uri = uri
        self.version = version
        self.language = language
        self.encoding: Encoding = encoding
        self._lines = split(text)

    @property
    def lines(self) -> Sequence[str]:
        """Every line with its end; the last one has none."""
        return self._lines

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._lines)

    @property
    def end_of_line(self) -> str:
        """How its first line ends; LF when there is only one."""
        first = self._lines[0]
        return first[len(bare(first)) :] or "\n"

    @property
    def end(self) -> Place:
        """Behind its last character."""
        return Place(len(self._lines) - 1, len(self._lines[-1]))

    def apply(self, changes: Sequence[Change], version: int | None) -> None:
        """What the editor did, one after the other."""
        for change in changes:
            if change.start is None or change.end is None:
                self._lines = split(change.text)
            else:
                self._replace(self.span(change.start, change.end), change.text)
        self.version = self.version if version is None else version

    def place(self, line: int, character: int) -> Place:
        """The place that an editor means."""
        if line < 0:
            return Place(0, 0)
        if line >= len(self._lines):
            return self.end
        return Place(line, column_of(bare(self._lines[line]), max(character, 0), self.encoding))

    def span(self, start: tuple[int, int], end: tuple[int, int]) -> Span:
        """The stretch that an editor means; a reversed one is turned round."""
        places = sorted((self.place(*start), self.place(*end)))
        return Span(places[0], places[1])

    def character(self, place: Place) -> int:
        """A place's column in the editor's own counting."""
        return units(self._lines[place.line][: place.column], self.encoding)

    def between(self, span: Span) -> str:
        """The text of a stretch."""
        (first, start), (last, end) = span
        if first == last:
            return self._lines[first][start:end]
        return "".join((self._lines[first][start:], *self._lines[first + 1 : last], self._lines[last][:end]))

    def line(self, number: int) -> str:
        """A line without its end."""
        return bare(self._lines[number])

    def _replace(self, span: Span, text: str) -> None:
        (first, start), (last, end) = span
        whole = self._lines[first][:start] + text + self._lines[last][end:]
        if first and whole.startswith("\n") and self._lines[first - 1].endswith("\r"):
            first -= 1  # the two become one line's end
            whole = self._lines[first] + whole
        lines = split(whole)
        if last + 1 < len(self._lines):
            lines.pop()  # the rest of the last line ended with a line's end, after which split sees one more line
        self._lines[first : last + 1] = lines


def split(text: str) -> list[str]:
    """Lines with their ends; after a final line's end there is an empty line."""
    lines = list(io.StringIO(text, newline=""))
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def bare(line: str) -> str:
    """A line without its end."""
    return line.removesuffix("\n").removesuffix("\r")


def column_of(line: str, character: int, encoding: Encoding) -> int:
    """Code points before `character`; in the middle of one, those before it."""
    if encoding == "utf-32" or line.isascii():
        return min(character, len(line))
    passed = start = 0
    while start < len(line) and (size := units(line[start : start + _STRETCH], encoding)) <= character - passed:
        passed, start = passed + size, start + _STRETCH
    for column in range(start, min(start + _STRETCH, len(line))):
        passed += units(line[column], encoding)
        if passed > character:
            return column
    return len(line)


def units(text: str, encoding: Encoding) -> int:
    """How long a text is in the editor's own counting."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
