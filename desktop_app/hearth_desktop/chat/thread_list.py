"""The threads at the side of the chat: search, the list, a new thread."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from hearth_desktop.chat.threads import BUSY, SUBTITLE, ThreadModel, thread_index
from hearth_desktop.theme import Look
from hearth_desktop.widgets import S2, S3, button, label
from hearth_shared.theme import CORNER_PX

_SMALL: Final = 0.88
_Index = QModelIndex | QPersistentModelIndex


class ThreadPane(QWidget):
    """Shows and emits; the model decides what is in the list."""

    chosen = Signal(str, str)
    """The id of a thread, and its title."""
    new_wanted = Signal()

    def __init__(self, model: ThreadModel, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._current = ""
        self.new = button("New thread", name="New thread", hint="Ctrl+N")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search threads")
        self.search.setAccessibleName("Search threads by title")
        self.search.setClearButtonEnabled(True)
        self.list = _ThreadView()
        self.list.setModel(model)
        self.list.setItemDelegate(_ThreadDelegate(look, self.list))
        self.nothing = label("", "muted")
        self.nothing.setContentsMargins(S2, S2, S2, S2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(S3, S3, S2, S3)
        layout.setSpacing(S2)
        for widget in (self.new, self.search, self.nothing):
            layout.addWidget(widget)
        layout.addWidget(self.list, 1)
        self.new.clicked.connect(self.new_wanted)
        self.search.textChanged.connect(self._on_sought)
        self.search.returnPressed.connect(self._on_first_wanted)
        self.list.picked.connect(self._on_picked)
        model.modelReset.connect(self._on_reset)
        model.loaded.connect(self._on_reset)
        self._on_reset()

    def show_current(self, thread_id: str) -> None:
        """Mark the thread that is open; none for a new one."""
        self._current = thread_id
        self._mark()

    @Slot(str)
    def _on_sought(self, text: str) -> None:
        self._model.find(text)
        self._on_reset()

    @Slot()
    def _on_first_wanted(self) -> None:
        if self._model.rowCount():
            self._on_picked(self._model.index(0))

    @Slot(QModelIndex)
    def _on_picked(self, index: QModelIndex) -> None:
        if thread_id := thread_index(index):
            self._current = thread_id
            self.chosen.emit(thread_id, self._model.title_at(index.row()))

    @Slot()
    def _on_reset(self) -> None:
        empty = self._model.rowCount() == 0
        self.nothing.setVisible(empty)
        if not self._model.is_loaded:
            self.nothing.setText("")
        else:
            self.nothing.setText("No thread has these words." if self.search.text().strip() else "No threads yet.")
        self._mark()

    def _mark(self) -> None:
        row = self._model.row_of(self._current) if self._current else -1
        if row >= 0:
            self.list.setCurrentIndex(self._model.index(row))
        else:
            self.list.clearSelection()
            self.list.setCurrentIndex(QModelIndex())


class _ThreadView(QListView):
    """Enter or a click opens; arrows only move."""

    picked = Signal(QModelIndex)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Threads")
        self.setObjectName("threads")
        self.setStyleSheet("QListView#threads { border: none; background: transparent; }")
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self.picked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.picked.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class _ThreadDelegate(QStyledItemDelegate):
    """Two lines: the title, and when and where."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """All the same."""
        small = QFontMetrics(_small(option.font))
        return QSize(120, option.fontMetrics.height() + small.height() + 2 * S2 + 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Ground, title, subtitle."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, option)
        inner = option.rect.adjusted(S3, S2, -S3, -S2)
        self._line(painter, inner, option.font, str(index.data() or ""), "text")
        below = inner.adjusted(0, option.fontMetrics.height() + 2, 0, 0)
        colour = "accent" if index.data(BUSY) else "muted"
        self._line(painter, below, _small(option.font), str(index.data(SUBTITLE) or ""), colour)
        painter.restore()

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if not (selected or hovered):
            return
        focused = selected and bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.setBrush(self._look.colour("raised"))
        if focused or (selected and self._look.is_high_contrast):
            painter.setPen(self._look.colour("accent"))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(option.rect.adjusted(1, 1, -1, -1), CORNER_PX, CORNER_PX)

    def _line(self, painter: QPainter, rect: QRect, font: QFont, text: str, colour: str) -> None:
        painter.setFont(font)
        painter.setPen(self._look.colour(colour))
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect.x(), rect.y() + metrics.ascent(), shown)


def _small(font: QFont) -> QFont:
    made = QFont(font)
    made.setPointSizeF(font.pointSizeF() * _SMALL)
    return made
