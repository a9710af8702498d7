"""Where a question is written: text that grows with it, files beside it, what may leave the machine, send and stop."""

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final

from PySide6.QtCore import QMimeData, QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from hearth_desktop.chat.attachments import LONGEST_TEXT, added
from hearth_desktop.widgets import S1, S2, button, label, say, set_kind
from hearth_shared.errors import HearthError
from hearth_shared.wire import FileText

_LINES: Final = 8
_NAME: Final = 28
_BARE: Final = (
    "QPlainTextEdit#question, QPlainTextEdit#question:focus { border: none; background: transparent; padding: 4px; }"
)


class Composer(QFrame):
    """Shows and emits; what is sent is for the window to decide."""

    sent = Signal(str, object, bool)
    """Text, files, whether it must stay on this machine."""
    stopped = Signal()
    changed = Signal()
    """The text is another: keep it as a draft."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._files: list[FileText] = []
        self._busy = False
        self.text = QuestionEdit()
        self.attach = button("Attach", "quiet", name="Attach files", hint="Text files that the answer may quote")
        self.local = button("Local only", "quiet", hint="This question must never leave the machine")
        self.local.setCheckable(True)
        self.local.setAccessibleName("Local only: this question must never leave the machine")
        self.send = button("Send", "primary", hint="Enter, or Ctrl+Enter")
        self.stop = button("Stop", name="Stop the answer", hint="Esc")
        self.stop.hide()
        self.hint = label("", "muted")
        self._chips = QHBoxLayout()
        self._arrange()
        self._connect()
        self._show_state()

    @property
    def files(self) -> Sequence[FileText]:
        """What lies beside the question."""
        return tuple(self._files)

    def add_files(self, paths: Sequence[Path]) -> None:
        """Lay files beside it; what does not fit is said."""
        try:
            self._files = added(self._files, paths)
        except HearthError as error:
            say(self.hint, str(error), "warn")
            return
        say(self.hint, "")
        self._show_files()

    def set_busy(self, busy: bool) -> None:
        """An answer is under way: it can be stopped, and the next question be written."""
        self._busy = busy
        self._show_state()

    def set_local(self, *, forced: bool, reason: str = "") -> None:
        """A thread that is local only leaves no choice."""
        if forced:
            self.local.setChecked(True)
        self.local.setEnabled(not forced)
        self.local.setToolTip(reason if forced else "This question must never leave the machine")

    def clear(self) -> None:
        """It was sent."""
        self.text.clear()
        self._files = []
        self._show_files()

    def submit(self) -> None:
        """Send what is there, if there is something."""
        text = self.text.toPlainText().strip()
        if not text:
            return
        if len(text) > LONGEST_TEXT:
            say(self.hint, f"This has {len(text):,} characters; {LONGEST_TEXT:,} fit. Attach it as a file.", "warn")
            return
        say(self.hint, "")
        self.sent.emit(text, self.files, self.local.isChecked())

    def _arrange(self) -> None:
        self._chips.setSpacing(S1)
        bar = QHBoxLayout()
        bar.setSpacing(S1)
        for widget in (self.attach, self.local):
            bar.addWidget(widget)
        bar.addStretch(1)
        for widget in (self.stop, self.send):
            bar.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(S2, S2, S2, S2)
        layout.setSpacing(S1)
        layout.addLayout(self._chips)
        layout.addWidget(self.text)
        layout.addWidget(self.hint)
        layout.addLayout(bar)
        self.hint.hide()

    def _connect(self) -> None:
        self.text.wanted.connect(self.submit)
        self.text.dropped.connect(self._on_dropped)
        self.text.textChanged.connect(self._on_text)
        self.send.clicked.connect(self.submit)
        self.stop.clicked.connect(self.stopped)
        self.attach.clicked.connect(self._on_attach)

    @Slot()
    def _on_text(self) -> None:
        self._show_state()
        self.changed.emit()

    @Slot()
    def _on_attach(self) -> None:
        dialog = QFileDialog(self, "Attach text files")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._on_chosen)
        dialog.open()

    @Slot("QStringList")
    def _on_chosen(self, names: list[str]) -> None:
        self.add_files([Path(name) for name in names])

    @Slot(object)
    def _on_dropped(self, paths: list[Path]) -> None:
        self.add_files(paths)

    @Slot()
    def _on_remove(self) -> None:
        name = self.sender().property("file")
        self._files = [file for file in self._files if file["name"] != name]
        self._show_files()
        self.text.setFocus()

    def _show_files(self) -> None:
        while (item := self._chips.takeAt(0)) is not None:  # pyright: ignore[reportUnnecessaryComparison]
            if (widget := item.widget()) is not None:  # pyright: ignore[reportUnnecessaryComparison]
                widget.hide()
                widget.deleteLater()
        for file in self._files:
            name = PurePath(file["name"]).name
            short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
            chip = button(f"{short}  ×", "chip", name=f"Remove the file {name}", hint=file["name"])
            chip.setProperty("file", file["name"])
            chip.clicked.connect(self._on_remove)
            self._chips.addWidget(chip)
        if self._files:
            self._chips.addStretch(1)

    def _show_state(self) -> None:
        self.send.setEnabled(bool(self.text.toPlainText().strip()))
        self.stop.setVisible(self._busy)
        set_kind(self.stop, "primary" if self._busy and not self.send.isEnabled() else "")
        self.send.setVisible(not self._busy or self.send.isEnabled())


class QuestionEdit(QPlainTextEdit):
    """Plain text. Enter sends, Shift+Enter begins a line, Tab leaves."""

    wanted = Signal()
    """Send it."""
    dropped = Signal(object)
    """Paths of files."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("question")
        self.setAccessibleName("Your question")
        self.setAccessibleDescription("Enter sends, Shift and Enter begin a new line")
        self.setPlaceholderText("Ask anything")
        self.setTabChangesFocus(True)
        self.setStyleSheet(_BARE)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.textChanged.connect(self._fit)
        self._fit()

    def put(self, text: str) -> None:
        """This text, the cursor behind it."""
        self.setPlainText(text)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Ctrl+Enter send; with Shift, or while a word is composed, it is a line."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.wanted.emit()
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Files are welcome."""
        return bool(_paths(source)) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Pasted or dropped files lie beside the question; text goes into it."""
        if paths := _paths(source):
            self.dropped.emit(paths)
        elif source.hasText():
            self.insertPlainText(source.text())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and text."""
        if self.canInsertFromMimeData(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """As if pasted."""
        if paths := _paths(event.mimeData()):
            event.acceptProposedAction()
            self.dropped.emit(paths)
        else:
            super().dropEvent(event)

    def sizeHint(self) -> QSize:
        """As high as its text, up to a limit."""
        return QSize(240, self._height())

    @Slot()
    def _fit(self) -> None:
        self.setFixedHeight(self._height())

    def _height(self) -> int:
        lines = max(1, min(_LINES, int(self.document().size().height())))
        return lines * self.fontMetrics().lineSpacing() + 2 * S2 + 4


def _paths(source: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
