"""The guide: one small card at a time, one key to accept it, one to skip it."""

from typing import Final

from PySide6.QtCore import QSize, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QLabel, QWidget

from hearth_desktop import theme
from hearth_desktop.guide.model import GuideModel
from hearth_desktop.guide.steps import Does, Step
from hearth_desktop.tray import icon
from hearth_desktop.widgets import S1, S2, S3, S5, button, clear, column, frame, heading, holding, label, row, say
from hearth_shared.errors import HearthError
from hearth_shared.paths import Home
from hearth_shared.theme import Scheme, State

_SIZE: Final = QSize(480, 480)
_ICON: Final = 48
_BEFORE: Final = "Looking at what is here…"
_AFTER: Final = "“Finish setting up” in Hearth's menu has these steps again."


class GuideWindow(QWidget):
    """Shows the step in sight and emits what needs another window."""

    pairing_wanted = Signal()
    keys_wanted = Signal()
    asked = Signal()

    def __init__(self, model: GuideModel, home: Home, scheme: Scheme) -> None:
        super().__init__()
        self.setWindowTitle("Welcome — Hearth")
        self._model = model
        self._home = home
        self._looks_again = False
        self._picture = QLabel()
        self._count = label(kind="muted")
        self._heading = heading("")
        self._text = label()
        self._lines = column(spacing=S2)
        self._note = label(kind="muted")
        self._skip = button("Skip", hint="S")
        self._other = button("")
        self._accept = button("", "primary", hint="Enter")
        self._build()
        self._connect()
        self.show_scheme(scheme)
        self._show()
        self.resize(_SIZE)

    @property
    def accept(self) -> QWidget:
        """The button that Enter stands for."""
        return self._accept

    def begin(self) -> None:
        """From the first step that is left."""
        say(self._note, "")
        self._model.begin()

    @Slot()
    def look_again(self) -> None:
        """Hearth is there, for the first time or again: while the guide is in sight, what it shows must be true."""
        if self.isVisible():
            self._model.load()

    def show_scheme(self, scheme: Scheme) -> None:
        """In the colours of another scheme."""
        self._picture.setPixmap(icon.pixmap(State.THINKING, scheme, _ICON))

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._model.seen()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        self._count.setWordWrap(False)
        top = row(self._picture, -1, self._count)
        top.setAlignment(self._count, Qt.AlignmentFlag.AlignTop)
        buttons = row(self._skip, -1, self._other, self._accept)
        content = (top, S2, self._heading, self._text, S1, self._lines, -1, self._note, buttons)
        self.setLayout(column(*content, spacing=S2, margins=S5))
        say(self._note, "")

    def _connect(self) -> None:
        self._model.changed.connect(self._show)
        self._model.failed.connect(self._on_failed)
        self._accept.clicked.connect(self._on_accept)
        self._skip.clicked.connect(self._on_skip)
        self._other.clicked.connect(self._on_other)
        for keys, slot in (("Return", self._on_accept), ("Enter", self._on_accept), ("S", self._on_skip)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(slot)

    @Slot()
    def _show(self) -> None:
        step = self._model.step
        clear(self._lines)
        if step is None:
            self._show_none()
            return
        self._count.setText(f"{self._model.number} of {len(self._model.all_steps)}")
        self._heading.setText(step.title)
        say(self._text, step.text, "")
        for text in step.lines:
            self._lines.addWidget(_command(text) if text == step.with_ else _line(text))
        self._accept.setText(step.accept)
        self._accept.setVisible(True)
        self._skip.setVisible(step.does is not Does.ASK)
        self._looks_again = False
        self._other.setText("Keys…" if step.does is Does.OPEN_MODELS else "Close")
        self._other.setVisible(step.does in (Does.OPEN_MODELS, Does.ASK))
        self._accept.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_none(self) -> None:
        if self._model.is_loaded:
            self.close()
            return
        self._heading.setText("Hearth")
        say(self._text, _BEFORE, "muted")
        for widget in (self._accept, self._skip, self._other):
            widget.setVisible(False)

    @Slot()
    def _on_accept(self) -> None:
        step = self._model.step
        if step is None or not self._accept.isVisible():
            return
        say(self._note, "")
        match step.does:
            case Does.GO_ON:
                self._model.go_on()
            case Does.USE_MODEL:
                say(self._note, "Hearth starts again…")
                self._model.use_model(step.with_)
            case Does.OPEN_MODELS:
                self._open_models()
            case _:
                self._do(step)

    def _do(self, step: Step) -> None:
        """What is done in another window, or has nothing to wait for."""
        self._model.go_on()
        match step.does:
            case Does.COPY:
                QGuiApplication.clipboard().setText(step.with_)
                say(self._note, f"Copied: {step.with_}")
            case Does.PAIR:
                self.pairing_wanted.emit()
            case _:
                self.asked.emit()

    def _open_models(self) -> None:
        """The card stays; what is in the folder by then is found when the guide is looked at again."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._home.models)))
        say(self._note, f"Put a .gguf file into {self._home.models}; then press “Look again”.")
        self._looks_again = True
        self._other.setText("Look again")

    @Slot()
    def _on_skip(self) -> None:
        if self._skip.isVisible():
            say(self._note, _AFTER)
            self._model.skip()

    @Slot()
    def _on_other(self) -> None:
        step = self._model.step
        if step is None or step.does is Does.ASK:
            self._model.go_on()
            self.close()
        elif self._looks_again:
            say(self._note, _BEFORE)
            self._model.load()
        else:
            self.keys_wanted.emit()

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        say(self._note, str(error), "danger")


def _line(text: str) -> QWidget:
    dot = label("•", "muted")
    dot.setWordWrap(False)
    made = row(dot, label(text, selectable=True), spacing=S3)
    made.setStretch(1, 1)
    made.setAlignment(dot, Qt.AlignmentFlag.AlignTop)
    return holding(made)


def _command(text: str) -> QWidget:
    made = label(text, selectable=True)
    made.setFont(theme.code_font())
    return frame("notice", column(made, margins=S3))
