"""Markdown as it arrives, in a slot of a document: a frame costs the same at 30,000 tokens as at 300.

Only what is not settled yet is parsed and written again; inside code only finished lines are coloured, and once more as
a whole when it ends; a table grows by rows, a list by items. What a link definition at the end turns into links is
written again by itself. The same text gives the same document, in whatever pieces it comes.
"""

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from markdown_it.common.utils import normalizeReference
from markdown_it.token import Token
from PySide6.QtGui import QTextCursor

from hearth_desktop.chat.markdown import lexer, parser
from hearth_desktop.chat.markdown.lines import LineEnds, keep_lines, shown
from hearth_desktop.chat.markdown.slot import Place, Slot
from hearth_desktop.chat.markdown.table import TableWriter
from hearth_desktop.chat.markdown.writer import Writer

_LABEL: Final = re.compile(r"\[([^\[\]]+)\]")
_MOST_PIECES: Final = 500
_RECOLOUR_S: Final = 0.003


class StreamingMarkdown:
    """`feed` text at will, `render` once a frame, and once with `final` at the end."""

    def __init__(self, slot: Slot, width: float, cites: str = "hearth:source") -> None:
        """`cites` begins the link that a number in brackets becomes."""
        self._slot = slot
        self._writer = Writer(slot, width, cites)
        self._ends = LineEnds()
        self._tail = ""
        self._place = slot.place()
        self._references: dict[str, Any] = {}
        self._number: int | None = None
        self._code: _Code | None = None
        self._table: TableWriter | None = None
        self._head = ""
        self._pieces: list[_Piece] = []
        self._recolours: list[_Recolour] = []

    @property
    def is_busy(self) -> bool:
        """Whether colours are still to be mended: go on calling `render`."""
        return bool(self._recolours)

    def fit(self, width: float) -> None:
        """Another width of the column, for what is written from now on."""
        self._writer.width = width

    def feed(self, text: str) -> None:
        """More of the text."""
        self._tail += self._ends.feed(text)

    def render(self, *, final: bool = False) -> None:
        """Show what has come."""
        if final:
            self._tail += self._ends.finish()
        edit = QTextCursor(self._slot.document)
        edit.beginEditBlock()
        try:
            self._slot.cut(self._place)
            while self._step(final):
                pass
            self._mend()
        finally:
            edit.endEditBlock()

    def _step(self, final: bool) -> bool:
        """Whether there is more to settle. At the end, what is not settled stands behind the place."""
        if self._code is not None:
            return self._code_step(self._code, final)
        if self._table is not None:
            return self._table_step(self._table, final)
        if not self._tail.strip(" \t\n"):  # other spaces are text
            return False
        tail = parser.Tail(self._tail, self._references, final=final)
        match tail.step():
            case parser.Settled(tokens, lines):
                self._settle(tokens, lines, None)
            case parser.Items(tokens, lines, count):
                self._settle(tokens, lines, count)
            case parser.Fence() as fence:
                self._begin_code(fence)
            case parser.Table() as table:
                self._begin_table(table)
            case None:
                self._writer.write(tail.tokens, self._number)
                return False
        return True

    # -- settling

    def _settle(self, tokens: Sequence[Token], lines: int, items: int | None) -> None:
        source = self._cut_lines(lines)
        if parser.may_define(self._tail):  # that definition may still become another
            tokens = parser.parse(source, self._references)
        piece = _Piece(self._slot, source, self._number)
        self._writer.write(tokens, self._number)
        self._number = self._next_number(tokens, items)
        self._place = self._slot.place()
        if parser.has_unknown_link(tokens):
            piece.close(self._slot)
            self._pieces.append(piece)
            del self._pieces[:-_MOST_PIECES]
        self._define(source)

    def _next_number(self, tokens: Sequence[Token], items: int | None) -> int | None:
        """The number of the item at which a list goes on."""
        if items is None or not tokens[0].type.startswith("ordered"):
            return None
        start = tokens[0].attrGet("start")
        first = self._number if self._number is not None else (1 if start is None else int(start))
        return first + items

    def _cut_lines(self, count: int) -> str:
        lines = keep_lines(self._tail)
        self._tail = "".join(lines[count:])
        return "".join(lines[:count])

    def _define(self, source: str) -> None:
        new = {name: link for name, link in parser.definitions(source).items() if name not in self._references}
        if not new:
            return
        self._references |= new
        waiting, self._pieces = self._pieces, []
        for piece in waiting:
            if piece.mentions(new):
                piece.write_again(self._slot, self._writer, self._references)
            else:
                self._pieces.append(piece)
        self._place = self._slot.place()

    # -- code

    def _begin_code(self, fence: parser.Fence) -> None:
        self._define(self._cut_lines(fence.lines))
        self._number = None
        self._code = _Code(fence, self._writer.code_head(fence.language))
        self._place = self._slot.place()

    def _code_step(self, code: "_Code", final: bool) -> bool:
        while (end := self._tail.find("\n")) >= 0 or (final and self._tail):
            line = self._tail[:end] if end >= 0 else self._tail
            self._tail = self._tail[end + 1 :] if end >= 0 else ""
            if parser.closes(line, code.fence):
                return self._end_code(code)
            self._code_line(code, parser.without_indent(line, code.fence.indent))
        self._place = self._slot.place()
        if final:
            return self._end_code(code)
        if self._tail and not self._tail.lstrip(" ").startswith(code.fence.marks[0]):
            self._writer.code_line(code.group)
            self._slot.text(
                shown(parser.without_indent(self._tail, code.fence.indent)), self._writer.formats.token(None)
            )
        return False

    def _code_line(self, code: "_Code", line: str) -> None:
        tokens = [(kind, text.replace("\n", "")) for kind, text in code.lexer.line(f"{line}\n")]
        self._writer.code_line(code.group)
        if code.begin is None:
            code.begin = self._slot.place()
        self._writer.code_text(tokens)
        code.lines.append([token for token in tokens if token[1]])
        code.source.append(line)

    def _end_code(self, code: "_Code") -> bool:
        if code.begin is None:
            self._code_line(code, "")
        self._slot.cursor.setBlockFormat(self._writer.formats.code_line(code.group, last=True))
        self._code = None
        self._place = self._slot.place()
        self._recolours.append(_Recolour(code))
        return bool(self._tail)

    def _mend(self) -> None:
        """Colours that only the whole code tells, a few milliseconds of them in each frame."""
        until = time.perf_counter() + _RECOLOUR_S
        while self._recolours and not self._recolours[0].work(self._writer, until):
            self._recolours.pop(0)

    # -- tables

    def _begin_table(self, table: parser.Table) -> None:
        self._define(self._cut_lines(table.lines))
        self._number = None
        self._head = table.head
        cells = parser.cells(table.tokens)
        self._table = TableWriter(self._writer, cells[0] if cells else [], parser.alignments(table.tokens))
        self._place = self._slot.place()

    def _table_step(self, table: TableWriter, final: bool) -> bool:
        lines = keep_lines(self._tail)
        whole = lines if final or not lines or lines[-1].endswith("\n") else lines[:-1]
        rows, taken = parser.rows(self._head, whole, self._references)
        for row in rows:
            table.add(row)
        self._tail = "".join(lines[taken:])
        self._place = self._slot.place()
        if taken < len(whole) or final:
            self._table = None
            table.take_back()
            return bool(self._tail)
        tried, count = parser.rows(self._head, lines[taken:], self._references)
        if count and tried:
            table.try_row(tried[0])
        else:
            table.take_back()
        return False


class _Code:
    """A block of code that is open."""

    def __init__(self, fence: parser.Fence, group: int) -> None:
        self.fence = fence
        self.group = group
        self.lexer = lexer.LineLexer(fence.language)
        self.begin: Place | None = None
        self.lines: list[list[lexer.Token]] = []
        self.source: list[str] = []


class _Recolour:
    """Mends the colours of a finished block of code, line by line."""

    def __init__(self, code: _Code) -> None:
        self._known = code.lines
        self._found: Iterator[list[lexer.Token]] = lexer.whole(code.lexer.lexer, "\n".join(code.source))
        self._begin = code.begin
        self._cursor: QTextCursor | None = None
        self._line = 0

    def work(self, writer: Writer, until: float) -> bool:
        """Whether there is more to do when the time is over."""
        cursor = self._cursor or self._first(writer)
        for found in self._found:
            if self._line >= len(self._known):
                return False
            if _spans(writer, found) != _spans(writer, self._known[self._line]):
                self._colour(writer, cursor.block().position(), found)
            cursor.movePosition(QTextCursor.MoveOperation.NextBlock)
            self._line += 1
            if time.perf_counter() > until:
                return True
        return False

    def _first(self, writer: Writer) -> QTextCursor:
        self._cursor = cursor = QTextCursor(writer.slot.document)
        cursor.setPosition(self._begin.position if self._begin else 0)
        return cursor

    @staticmethod
    def _colour(writer: Writer, at: int, line: Sequence[lexer.Token]) -> None:
        cursor = QTextCursor(writer.slot.document)
        for kind, text in line:
            length = len(shown(text).encode("utf-16-le")) // 2
            cursor.setPosition(at)
            cursor.setPosition(at + length, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(writer.formats.token(kind))
            at += length


def _spans(writer: Writer, line: Sequence[lexer.Token]) -> list[tuple[int, str]]:
    """A line as runs of one look."""
    runs: list[tuple[int, str]] = []
    for kind, text in line:
        look = id(writer.formats.token(kind))
        if runs and runs[-1][0] == look:
            runs[-1] = (look, runs[-1][1] + text)
        else:
            runs.append((look, text))
    return runs


class _Piece:
    """A settled part in which something may become a link."""

    def __init__(self, slot: Slot, source: str, number: int | None) -> None:
        self._source = source
        self._number = number
        self._at = slot.end if slot.fresh else slot.end + 1
        self._begin: Place | None = None
        self._end: Place | None = None

    def close(self, slot: Slot) -> None:
        """It ends here. Its beginning is that of its first block, so that it never is the end of the piece before."""
        self._begin, self._end = Place(slot.document, self._at, True), slot.place()

    def mentions(self, names: dict[str, Any]) -> bool:
        """Whether one of these definitions is used in it."""
        return any(normalizeReference(label[1]) in names for label in _LABEL.finditer(self._source))

    def write_again(self, slot: Slot, writer: Writer, references: dict[str, Any]) -> None:
        """With the links that are known now."""
        if self._begin is not None and self._end is not None:
            within = slot.within(self._begin, self._end)
            Writer(within, writer.width, writer.cites).write(parser.parse(self._source, references), self._number)
