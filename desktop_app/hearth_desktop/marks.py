"""Boxes to tick and the dot of a choice, painted from the palette: Fusion's own can hardly be seen on dark."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QRadioButton

from hearth_shared.theme import CORNER_PX, STEP_PX

_SIDE: Final = 18
_GAP: Final = 2 * STEP_PX
_ROLE: Final = QPalette.ColorRole


class Check(QCheckBox):
    """A box with a tick; the tick itself tells, not only its colour."""

    def sizeHint(self) -> QSize:
        return _size(self)

    def hitButton(self, pos: object) -> bool:
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, box = _begun(self)
        corner = CORNER_PX / 2
        painter.drawRoundedRect(box, corner, corner)
        if self.isChecked():
            x, y = box.left(), box.top()
            points = [QPointF(x + 4, y + 8.5), QPointF(x + 7.2, y + 11.7), QPointF(x + 13, y + 5.2)]
            painter.setPen(QPen(self.palette().color(_ROLE.HighlightedText), 2))
            painter.drawPolyline(points)
        _end(self, painter)


class Radio(QRadioButton):
    """A ring with a dot."""

    def sizeHint(self) -> QSize:
        return _size(self)

    def hitButton(self, pos: object) -> bool:
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, box = _begun(self)
        painter.drawEllipse(box)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(_ROLE.HighlightedText))
            painter.drawEllipse(box.center(), 3.5, 3.5)
        _end(self, painter)


def _size(button: QAbstractButton) -> QSize:
    metrics = button.fontMetrics()
    text = metrics.size(int(Qt.TextFlag.TextShowMnemonic), button.text())
    return QSize(_SIDE + _GAP + text.width() + _GAP, max(_SIDE + 4, metrics.height() + 4))


def _begun(button: QAbstractButton) -> tuple[QPainter, QRectF]:
    painter = QPainter(button)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box = QRectF(1.5, (button.height() - _SIDE) / 2 + 0.5, _SIDE - 1, _SIDE - 1)
    palette = button.palette()
    chosen = palette.color(_ROLE.Highlight)
    muted = palette.color(_ROLE.PlaceholderText)
    if not button.isEnabled():
        chosen = muted
    marked = button.isChecked() or button.hasFocus()
    painter.setPen(QPen(chosen if marked else muted, 2 if button.hasFocus() else 1.25))
    painter.setBrush(chosen if button.isChecked() else palette.color(_ROLE.Base))
    return painter, box


def _end(button: QAbstractButton, painter: QPainter) -> None:
    role = _ROLE.WindowText if button.isEnabled() else _ROLE.PlaceholderText
    painter.setPen(button.palette().color(role))
    rect = button.rect().adjusted(_SIDE + _GAP, 0, 0, 0)
    flags = int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextShowMnemonic)
    painter.drawText(rect, flags, button.text())
    painter.end()
