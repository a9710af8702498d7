"""A table that grows row by row.

Qt lays out a whole table whenever one cell changes, so a long one is written as several, one below the other, whose
columns have the same widths.
"""

from collections.abc import Sequence
from typing import Final

from markdown_it.token import Token
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QTextBlockFormat,
    QTextCursor,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)

from hearth_desktop.chat.markdown.formats import Formats
from hearth_desktop.chat.markdown.writer import Style, Writer

_ROWS_OF_ONE: Final = 16
_NARROWEST, _WIDEST = 6, 40
_ALIGNED: Final = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}


class TableWriter:
    """Writes its head at once; `add` appends rows, `try_row` one that may be taken back."""

    def __init__(self, writer: Writer, head: Sequence[Token], alignments: Sequence[str]) -> None:
        self._writer = writer
        self._alignments = [_ALIGNED.get(one, Qt.AlignmentFlag.AlignLeft) for one in alignments]
        self._columns = max(1, len(alignments))
        self._longest = [_NARROWEST] * self._columns
        self._widths: list[QTextLength] | None = None
        self._tentative = False
        self._table = self._begin(1)
        self._rows = 0
        self._fill(0, head, is_head=True)

    def add(self, cells: Sequence[Token]) -> None:
        """One more row."""
        self.take_back()
        if self._rows == _ROWS_OF_ONE:
            self._go_on()
            self._fill(0, cells)
        else:
            self._table.appendRows(1)
            self._fill(self._table.rows() - 1, cells)
        self._rows += 1

    def try_row(self, cells: Sequence[Token]) -> None:
        """A row whose line is not complete."""
        self.take_back()
        self._table.appendRows(1)
        self._fill(self._table.rows() - 1, cells, is_tentative=True)
        self._tentative = True

    def take_back(self) -> None:
        """Forget the row that was tried."""
        if self._tentative:
            self._table.removeRows(self._table.rows() - 1, 1)
            self._tentative = False

    def _begin(self, rows: int) -> QTextTable:
        slot = self._writer.slot
        above = slot.formats.nothing()
        above.setTopMargin(0 if self._widths else 8)
        slot.block(above)
        cursor = QTextCursor(slot.cursor)
        table = cursor.insertTable(rows, self._columns, self._format())
        slot.cursor.setPosition(table.lastPosition() + 1)
        slot.cursor.setBlockFormat(slot.formats.nothing())
        slot.fresh = True
        return table

    def _go_on(self) -> None:
        if self._widths is None:
            whole = sum(self._longest)
            self._widths = [QTextLength(QTextLength.Type.PercentageLength, 100 * one / whole) for one in self._longest]
            self._table.setFormat(self._format())
        self._table = self._begin(1)
        self._rows = 0

    def _format(self) -> QTextTableFormat:
        made = QTextTableFormat()
        made.setBorder(0)
        made.setBottomMargin(0 if self._widths else 12)
        made.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
        made.setCellSpacing(0)
        made.setCellPadding(0)
        made.setBorderCollapse(False)
        if self._widths:
            made.setColumnWidthConstraints(self._widths)
            made.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        return made

    def _fill(self, row: int, cells: Sequence[Token], *, is_head: bool = False, is_tentative: bool = False) -> None:
        formats = self._writer.formats
        for column in range(self._columns):
            cell = self._table.cellAt(row, column)
            cell.setFormat(_cell_format(formats, is_head=is_head))
            cursor = cell.firstCursorPosition()
            block = QTextBlockFormat()
            block.setAlignment(self._alignments[column])
            cursor.setBlockFormat(block)
            if column < len(cells):
                style = Style(bold=is_head, size=0.95)
                self._writer.inline(cursor, cells[column].children or [], style)
                if self._widths is None and not is_tentative:
                    length = min(_WIDEST, len(cells[column].content))
                    self._longest[column] = max(self._longest[column], length)


def _cell_format(formats: Formats, *, is_head: bool) -> QTextTableCellFormat:
    made = QTextTableCellFormat()
    made.setTopPadding(6)
    made.setBottomPadding(6)
    made.setLeftPadding(2)
    made.setRightPadding(16)
    made.setBottomBorder(1.0)
    made.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    made.setBottomBorderBrush(formats.brush("muted" if is_head else "border"))
    made.setProperty(QTextFormat.Property.BlockNonBreakableLines, False)
    return made
