"""The box under a card in which a person changes what is to be done, or says why not."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from hearth_desktop import theme
from hearth_desktop.approvals import words
from hearth_desktop.widgets import S1, S2, button, column, label, row, say

_HEIGHT: Final = 168


class AnswerBox(QWidget):
    """Closed, or open for one of the two. Ctrl+Enter sends, Esc leaves without an answer."""

    sent = Signal(object)
    """A DecisionRequest."""
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._kind = ""
        self._title = label(kind="title")
        self._json, self._words = _box(), _box()
        self._json.setFont(theme.code_font())
        self._text = self._words
        self._fault = label(kind="danger")
        self._send = button("Send", "primary", hint="Ctrl+Enter")
        self._leave = button("Cancel", hint="Esc")
        buttons = row(self._send, self._leave, -1)
        self.setLayout(column(self._title, self._json, self._words, self._fault, buttons, spacing=S2))
        self.layout().setContentsMargins(0, S1, 0, 0)  # pyright: ignore[reportOptionalMemberAccess]
        for box in (self._json, self._words):
            box.textChanged.connect(self._check)
        self._send.clicked.connect(self._on_send)
        self._leave.clicked.connect(self._on_leave)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self._on_send)
        self.hide()

    @property
    def box(self) -> QPlainTextEdit:
        """Where it is written."""
        return self._text

    @property
    def is_open(self) -> bool:
        """Whether something is being written."""
        return bool(self._kind)

    def edit(self, text: str) -> None:
        """Change the arguments, which are JSON."""
        self._text = self._json
        self._open("edit", "Do this instead", "The arguments, as JSON", "Do &this instead", text)

    def respond(self) -> None:
        """Say why not."""
        self._text = self._words
        self._open("respond", "Do not do it, because", "Your answer; the task reads it", "&Send", "")

    def close_box(self) -> None:
        """Nothing is being written any more."""
        self._kind = ""
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._on_leave()
        else:
            super().keyPressEvent(event)

    def _open(self, kind: str, title: str, name: str, verb: str, text: str) -> None:
        self._kind = kind
        self._json.setVisible(self._text is self._json)
        self._words.setVisible(self._text is self._words)
        self._title.setText(title)
        self._text.setAccessibleName(name)
        self._text.setPlaceholderText(name)
        self._send.setText(verb)
        self._text.setPlainText(text)
        self._check()
        self.show()
        self._text.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _check(self) -> None:
        fault = self._why_not()
        say(self._fault, fault if self._kind == "edit" else "", "danger")
        self._send.setEnabled(not fault)

    def _why_not(self) -> str:
        text = self._text.toPlainText()
        if self._kind != "edit":
            return "" if text.strip() else "Nothing is written yet."
        try:
            words.edited(text)
        except ValueError as error:
            return str(error)
        return ""

    @Slot()
    def _on_send(self) -> None:
        if not self._kind or self._why_not():
            return
        text = self._text.toPlainText()
        if self._kind == "edit":
            self.sent.emit({"decision": "edit", "args": words.edited(text)})
        else:
            self.sent.emit({"decision": "respond", "text": text.strip()})

    @Slot()
    def _on_leave(self) -> None:
        self.close_box()
        self.left.emit()


def _box() -> QPlainTextEdit:
    made = QPlainTextEdit()
    made.setTabChangesFocus(True)
    made.setFixedHeight(_HEIGHT)
    return made
