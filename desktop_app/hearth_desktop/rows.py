"""Rows of a list, painted so that the chosen one shows in every scheme, and where the keyboard is too."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from hearth_desktop.theme import Look
from hearth_desktop.widgets import S1, S2, S3
from hearth_shared.theme import CORNER_PX


class Rows(QStyledItemDelegate):
    """One line each, `height` high. What comes from elsewhere is drawn as plain text."""

    def __init__(self, look: Look, height: int) -> None:
        super().__init__()
        self._look = look
        self._height = height

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, self._height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        rect: QRect = option.rect  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownVariableType]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownVariableType]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(self._look.colour("raised"))
            painter.setPen(self._look.colour("accent" if state & QStyle.StateFlag.State_HasFocus else "border"))
            painter.drawRoundedRect(rect.adjusted(S1, 1, -S1, -1), CORNER_PX, CORNER_PX)
        self.paint_row(painter, rect.adjusted(S3, S2, -S3, -S2), index)
        painter.restore()

    def paint_row(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        """What stands in it."""
        self.write(painter, rect, str(index.data()), "text")

    def write(self, painter: QPainter, rect: QRect, text: str, token: str, *, bold: bool = False) -> None:
        """A line in a colour of the palette, cut where there is no room."""
        font = QFont(painter.font())
        font.setBold(bold)
        painter.setFont(font)
        painter.setPen(self._look.colour(token))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), shown)
