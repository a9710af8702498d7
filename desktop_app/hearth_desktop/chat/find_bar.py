"""Looking for words in the open thread."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QTextDocument
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QTextBrowser, QWidget

from hearth_desktop.widgets import S1, S2, button, label, say


class FindBar(QFrame):
    """Enter goes to the next place, Shift+Enter to the one before, Esc away."""

    closed = Signal()

    def __init__(self, view: QTextBrowser, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self.setProperty("kind", "notice")
        self.text = QLineEdit()
        self.text.setPlaceholderText("Find in this thread")
        self.text.setAccessibleName("Find in this thread")
        self.result = label("", "muted")
        self.before = button("Previous", "quiet", hint="Shift+Enter")
        self.next = button("Next", "quiet", hint="Enter")
        self.close_button = button("Close", "quiet", name="Close the search", hint="Esc")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(S2, S1, S2, S1)
        layout.setSpacing(S2)
        layout.addWidget(self.text, 1)
        for widget in (self.result, self.before, self.next, self.close_button):
            layout.addWidget(widget)
        self.text.textChanged.connect(self._on_text)
        self.next.clicked.connect(self._on_next)
        self.before.clicked.connect(self._on_before)
        self.close_button.clicked.connect(self.closed)
        self.hide()

    def begin(self) -> None:
        """Show it, ready to type."""
        self.show()
        self.text.setFocus()
        self.text.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in both directions."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.seek(backward=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            super().keyPressEvent(event)

    def seek(self, *, backward: bool = False) -> bool:
        """The next place with these words, from the other end when there is none further on."""
        sought = self.text.text()
        flags = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        if not sought:
            say(self.result, "")
            return False
        found = self._view.find(sought, flags)
        if not found:
            kept = self._view.textCursor()
            start = self._view.textCursor()
            start.movePosition(start.MoveOperation.End if backward else start.MoveOperation.Start)
            self._view.setTextCursor(start)
            found = self._view.find(sought, flags)
            if not found:
                self._view.setTextCursor(kept)
        say(self.result, "" if found else "Not in this thread")
        return found

    @Slot()
    def _on_text(self) -> None:
        cursor = self._view.textCursor()
        cursor.setPosition(cursor.selectionStart())
        self._view.setTextCursor(cursor)
        self.seek()

    @Slot()
    def _on_next(self) -> None:
        self.seek()

    @Slot()
    def _on_before(self) -> None:
        self.seek(backward=True)
