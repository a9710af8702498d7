"""How an approval stands in the list: what it wants, and below it, quieter, how it stands."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QPainter

from hearth_desktop.rows import Rows
from hearth_desktop.theme import Look

TITLE: Final = Qt.ItemDataRole.DisplayRole
STANDING: Final = Qt.ItemDataRole.UserRole + 1
WAITS: Final = Qt.ItemDataRole.UserRole + 2
_HEIGHT: Final = 56


class ApprovalLines(Rows):
    """Two lines each; one that waits is bold, and says so in the colour of what needs the person."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, _HEIGHT)

    def paint_row(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        waits = bool(index.data(WAITS))
        upper = QRect(rect.left(), rect.top(), rect.width(), rect.height() // 2)
        self.write(painter, upper, str(index.data(TITLE)), "text", bold=waits)
        lower = upper.translated(0, upper.height())
        self.write(painter, lower, str(index.data(STANDING)), "warn" if waits else "muted")
