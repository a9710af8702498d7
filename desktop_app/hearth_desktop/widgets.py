"""The few building blocks that Hearth's windows share: spacing, and kinds of text and buttons."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeVar

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from hearth_shared.theme import STEP_PX

S1, S2, S3, S4, S5, S6 = (STEP_PX * number for number in range(1, 7))
_LARGER: Final = 1.35
_Box = TypeVar("_Box", bound=QBoxLayout)


def column(*parts: QWidget | QLayout | int, spacing: int = S2, margins: int = 0) -> QVBoxLayout:
    """Below each other; a number is a space of its own, -1 one that takes what is left."""
    return _filled(QVBoxLayout(), parts, spacing, margins)


def row(*parts: QWidget | QLayout | int, spacing: int = S2, margins: int = 0) -> QHBoxLayout:
    """Beside each other."""
    return _filled(QHBoxLayout(), parts, spacing, margins)


def frame(kind: str, layout: QLayout) -> QFrame:
    """A `card`, `bar` or `notice`."""
    made = QFrame()
    made.setProperty("kind", kind)
    made.setLayout(layout)
    return made


def holding(layout: QLayout) -> QWidget:
    """A plain widget with a layout."""
    made = QWidget()
    made.setLayout(layout)
    return made


def label(text: str = "", kind: str = "", *, selectable: bool = False) -> QLabel:
    """Wrapped plain text: nothing that comes from elsewhere is ever taken for markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    if kind:
        made.setProperty("kind", kind)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def heading(text: str) -> QLabel:
    """The title of a window or a step."""
    made = label(text, "title")
    font = made.font()
    font.setPointSizeF(font.pointSizeF() * _LARGER)
    made.setFont(font)
    return made


def button(text: str, kind: str = "", *, name: str = "", hint: str = "") -> QPushButton:
    """A button that a stray Enter never presses; `name` is what a screen reader says when the text is not enough."""
    made = QPushButton(text)
    made.setAutoDefault(False)
    made.setDefault(False)
    if kind:
        made.setProperty("kind", kind)
    if name:
        made.setAccessibleName(name)
    if hint:
        made.setToolTip(hint)
    return made


def line() -> QFrame:
    """A thin line across."""
    made = QFrame()
    made.setProperty("kind", "bar")
    made.setFixedHeight(1)
    return made


class Choice(QComboBox):
    """A list to choose from, with the sign that it is one; scrolling over it changes nothing by accident."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(self.palette().placeholderText().color(), 1.5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        x, y = self.width() - S4, self.height() / 2
        painter.drawPolyline([QPointF(x - S1, y - 2), QPointF(x, y + 2), QPointF(x + S1, y - 2)])
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def set_kind(widget: QWidget, kind: str) -> None:
    """Another kind, drawn at once: a stylesheet reads properties only when it is told to."""
    if widget.property("kind") != kind:
        widget.setProperty("kind", kind)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def say(line: QLabel, text: str, kind: str = "muted") -> None:
    """Text in a label that is not there while it has nothing to say."""
    line.setText(text)
    set_kind(line, kind)
    line.setVisible(bool(text))


def clear(layout: QLayout) -> None:
    """Take everything out of it."""
    while (item := layout.takeAt(0)) is not None:  # pyright: ignore[reportUnnecessaryComparison]
        if (widget := item.widget()) is not None:  # pyright: ignore[reportUnnecessaryComparison]
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:  # pyright: ignore[reportUnnecessaryComparison]
            clear(inner)


def order(widgets: Sequence[QWidget]) -> None:
    """The way of the Tab key."""
    for before, after in pairwise(widgets):
        QWidget.setTabOrder(before, after)


def icon_size(pixels: int) -> QSize:
    """A square."""
    return QSize(pixels, pixels)


def _filled(box: _Box, parts: Sequence[QWidget | QLayout | int], spacing: int, margins: int) -> _Box:
    box.setSpacing(spacing)
    box.setContentsMargins(margins, margins, margins, margins)
    for part in parts:
        match part:
            case QWidget():
                box.addWidget(part)
            case QLayout():
                box.addLayout(part)
            case -1:
                box.addStretch(1)
            case _:
                box.addSpacing(part)
    return box
