"""Which part of a growing Markdown text is settled, and what kind of thing stands at its end. Pure.

A block is settled when another one has begun after it on a line that is complete: nothing that follows can change it
any more. The same holds for an item of a list, and for a row of a table.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from hearth_desktop.chat.markdown.lines import keep_lines

_MD: Final = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_DEFINITION: Final = re.compile(r"^[ >\t]*\[[^\]]+\]:", re.MULTILINE)
_LISTS: Final = ("bullet_list_open", "ordered_list_open")
References = Mapping[str, Any]


def parse(source: str, references: References) -> list[Token]:
    """The tokens of a text in which these link definitions hold beside its own."""
    return _MD.parse(source, {"references": dict(references)})


def may_define(source: str) -> bool:
    """Whether link definitions may be in a text."""
    return _DEFINITION.search(source) is not None


def definitions(source: str) -> dict[str, Any]:
    """The link definitions in a settled text."""
    if not may_define(source):
        return {}
    environment: dict[str, Any] = {}
    _MD.parse(source, environment)
    return environment.get("references", {})


def has_unknown_link(tokens: Sequence[Token]) -> bool:
    """Whether there is text that a later link definition may turn into a link."""
    texts = (child for token in tokens for child in token.children or ())
    return any(child.type == "text" and "]" in child.content for child in texts)


@dataclass(frozen=True, slots=True)
class Settled:
    """The first `lines` lines of the text are settled, and these are their tokens."""

    tokens: list[Token]
    lines: int


@dataclass(frozen=True, slots=True)
class Items:
    """The first items of the list at the beginning are settled; `tokens` are those of the list without the others."""

    tokens: list[Token]
    lines: int
    count: int


@dataclass(frozen=True, slots=True)
class Fence:
    """The text begins with an open or closed block of code; its first line is complete."""

    marks: str
    indent: int
    language: str
    lines: int


@dataclass(frozen=True, slots=True)
class Table:
    """The text begins with a table, whose head is complete."""

    tokens: list[Token]
    head: str
    lines: int


Step = Settled | Items | Fence | Table


class Tail:
    """Parses the unsettled text."""

    def __init__(self, source: str, references: References, *, final: bool) -> None:
        self.tokens = parse(source, references)
        self._lines = keep_lines(source)
        self._final = final
        self._tops = [
            n for n, token in enumerate(self.tokens) if token.level == 0 and token.map and token.nesting != -1
        ]

    def step(self) -> Step | None:
        """What can be settled first; None when nothing can yet."""
        if not self._tops:  # only definitions, or nothing that is shown
            return Settled([], len(self._lines)) if self._final else None
        first = self._first_apart()
        if first == 0:
            return self._fence() if self.tokens[0].type == "fence" else self._table()
        last = self._last_begun() if first is None else first
        return self._settled(last) if last else self._items()

    def _first_apart(self) -> int | None:
        """The first top-level block that is drawn as it grows: code or a table, once its head is complete."""
        for number, top in enumerate(self._tops):
            token = self.tokens[top]
            if token.type == "fence" and self._is_complete(_start(token)):
                return number
            if token.type == "table_open" and self._is_complete(_start(token) + 1):
                return number
        return None

    def _last_begun(self) -> int:
        """The last block that begins on a complete line; at the end of the text all have ended."""
        if self._final:
            return len(self._tops)
        begun = [n for n, top in enumerate(self._tops) if self._is_complete(_start(self.tokens[top]))]
        return begun[-1] if begun else 0

    def _settled(self, count: int) -> Settled:
        """The first `count` blocks. Lines between blocks stay: a definition of a link there may go on."""
        tokens = self.tokens[: self._tops[count]] if count < len(self._tops) else self.tokens
        if count == len(self._tops):
            return Settled(tokens, len(self._lines))
        return Settled(tokens, self._end(self._tops[count - 1]))

    def _end(self, top: int) -> int:
        span = self.tokens[top].map
        return span[1] if span else 0

    def _items(self) -> Items | None:
        opening = self.tokens[self._tops[0]]
        if opening.type not in _LISTS:
            return None
        items = [n for n, token in enumerate(self.tokens) if token.type == "list_item_open" and token.level == 1]
        begun = [n for n in items if self._is_complete(_start(self.tokens[n]))]
        if len(begun) < 2:
            return None
        cut = begun[-1]
        return Items(self.tokens[:cut], _start(self.tokens[cut]), items.index(cut))

    def _fence(self) -> Fence:
        token = self.tokens[0]
        opening = self._lines[_start(token)]
        words = token.info.split()
        return Fence(
            token.markup, len(opening) - len(opening.lstrip(" ")), words[0] if words else "", _start(token) + 1
        )

    def _table(self) -> Table:
        begin = _start(self.tokens[0])
        close = next(n for n, token in enumerate(self.tokens) if token.type == "thead_close")
        return Table(self.tokens[: close + 1], "".join(self._lines[begin : begin + 2]), begin + 2)

    def _is_complete(self, line: int) -> bool:
        return self._final or (line < len(self._lines) and self._lines[line].endswith("\n"))


def rows(head: str, lines: Sequence[str], references: References) -> tuple[list[list[Token]], int]:
    """The rows with which these lines go on a table, each as its cells' tokens, and how many lines they take."""
    tokens = parse(head + "".join(lines), references)
    span = tokens[0].map if tokens and tokens[0].type == "table_open" else None
    if span is None:
        return [], 0
    close = next(n for n, token in enumerate(tokens) if token.type == "table_close")
    return cells(tokens[:close])[1:], span[1] - span[0] - 2


def cells(tokens: Sequence[Token]) -> list[list[Token]]:
    """A table's rows as lists of the inline tokens in them."""
    found: list[list[Token]] = []
    for token in tokens:
        if token.type == "tr_open":
            found.append([])
        elif token.type == "inline" and found:
            found[-1].append(token)
    return found


def alignments(tokens: Sequence[Token]) -> list[str]:
    """How each column of a table is aligned: left, center or right."""
    styles = [str(token.attrGet("style") or "") for token in tokens if token.type == "th_open"]
    return [style.removeprefix("text-align:") or "left" for style in styles]


def closes(line: str, fence: Fence) -> bool:
    """Whether a line ends a block of code."""
    return re.fullmatch(rf" {{0,3}}{re.escape(fence.marks[0])}{{{len(fence.marks)},}}[ \t]*", line) is not None


def without_indent(line: str, indent: int) -> str:
    """A line of code without the indent of its fence."""
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def _start(token: Token) -> int:
    return token.map[0] if token.map else 0
