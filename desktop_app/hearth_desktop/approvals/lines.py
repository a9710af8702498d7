"""How an approval stands in the list: what it wants, and below it, quieter, how it stands."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from hearth_desktop.theme import Look
from hearth_desktop.widgets import S1, S2, S3
from hearth_shared.theme import CORNER_PX

TITLE: Final = Qt.ItemDataRole.DisplayRole
STANDING: Final = Qt.ItemDataRole.UserRole + 1
WAITS: Final = Qt.ItemDataRole.UserRole + 2
_HEIGHT: Final = 56


class ApprovalLines(QStyledItemDelegate):
    """Two lines each; one that waits is bold, and says so in the colour of what needs the person."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, _HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        rect: QRect = option.rect  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownVariableType]
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownVariableType]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            self._paint_choice(painter, rect, bool(state & QStyle.StateFlag.State_HasFocus))
        waits = bool(index.data(WAITS))
        inner = rect.adjusted(S3, S2, -S3, -S2)
        upper = QRect(inner.left(), inner.top(), inner.width(), inner.height() // 2)
        font = painter.font()
        self._write(painter, upper, str(index.data(TITLE)), "text", bold=waits)
        painter.setFont(font)
        lower = upper.translated(0, upper.height())
        self._write(painter, lower, str(index.data(STANDING)), "warn" if waits else "muted", bold=False)
        painter.restore()

    def _paint_choice(self, painter: QPainter, rect: QRect, has_focus: bool) -> None:
        """The chosen line; where the keyboard is shows in its border."""
        painter.setBrush(self._look.colour("raised"))
        painter.setPen(self._look.colour("accent" if has_focus else "border"))
        painter.drawRoundedRect(rect.adjusted(S1, 1, -S1, -1), CORNER_PX, CORNER_PX)

    def _write(self, painter: QPainter, rect: QRect, text: str, token: str, *, bold: bool) -> None:
        font = QFont(painter.font())
        font.setBold(bold)
        painter.setFont(font)
        painter.setPen(self._look.colour(token))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), shown)
