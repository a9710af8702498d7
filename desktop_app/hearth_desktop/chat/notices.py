"""What stands around a conversation: the state of things with its way out, and the welcome of an empty thread."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from hearth_desktop.widgets import S1, S2, S3, S4, button, label, say, set_kind
from hearth_shared.theme import STEP_PX

STARTERS = ("What can you do?", "What do you remember about me?", "Remember that ")


class Notice(QFrame):
    """One sentence for what happened, one for what still works, and a button for what to do."""

    acted = Signal(str)
    """The name of the act that the button is for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "notice")
        self._act = ""
        self.text = label("")
        self.detail = label("", "muted")
        self.button = button("")
        self.close_button = button("Dismiss", "quiet")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.text)
        words.addWidget(self.detail)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(S4, S2, S2, S2)
        layout.setSpacing(S2)
        layout.addLayout(words, 1)
        layout.addWidget(self.button)
        layout.addWidget(self.close_button)
        self.button.clicked.connect(self._on_act)
        self.close_button.clicked.connect(self.hide)
        self.hide()

    def tell(
        self, text: str, detail: str = "", *, kind: str = "", act: str = "", verb: str = "", closes: bool = True
    ) -> None:
        """Show it. `kind` colours the first sentence; `act` is emitted when the button `verb` is pressed."""
        self.text.setText(text)
        set_kind(self.text, kind)
        say(self.detail, detail)
        self._act = act
        self.button.setText(verb)
        self.button.setVisible(bool(verb))
        self.close_button.setVisible(closes)
        self.show()

    @property
    def act(self) -> str:
        """What its button is for; empty while it is hidden."""
        return self._act if not self.isHidden() else ""

    @Slot()
    def _on_act(self) -> None:
        self.acted.emit(self._act)


class Above(QWidget):
    """Notices below each other, with room around them only while there is one."""

    def __init__(self, *parts: QWidget) -> None:
        super().__init__()
        self._parts = parts
        layout = QVBoxLayout(self)
        layout.setContentsMargins(S3, S2, S3, 0)
        layout.setSpacing(S2)
        for part in parts:
            layout.addWidget(part)
            part.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """One of them comes or goes."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self.setVisible(any(not part.isHidden() for part in self._parts))
        return super().eventFilter(watched, event)


class Welcome(QWidget):
    """An empty thread."""

    chosen = Signal(str)
    """A question to begin with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = label("", "title")
        font = self.title.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        self.title.setFont(font)
        self.detail = label("", "muted")
        self.starters = [button(text if not text.endswith(" ") else f"{text}…") for text in STARTERS]
        inner = QWidget()
        inner.setMaximumWidth(440)
        column = QVBoxLayout(inner)
        column.setSpacing(S2)
        for widget in (self.title, self.detail):
            widget.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(widget)
        column.addSpacing(S4)
        for starter in self.starters:
            starter.setMinimumHeight(9 * STEP_PX)
            starter.clicked.connect(self._on_starter)
            column.addWidget(starter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(S3, S1, S3, S1)
        layout.addStretch(2)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(inner, 8)
        line.addStretch(1)
        layout.addLayout(line)
        layout.addStretch(3)
        self.show_loading(False)

    def show_loading(self, loading: bool) -> None:
        """The thread is being read."""
        self.title.setText("" if loading else "Ask anything")
        self.detail.setText(
            "Opening the thread…"
            if loading
            else "It is answered on this machine first. Threads are the same in every door."
        )
        for starter in self.starters:
            starter.setVisible(not loading)

    @Slot()
    def _on_starter(self) -> None:
        number = next((n for n, starter in enumerate(self.starters) if starter is self.sender()), 0)
        self.chosen.emit(STARTERS[number])
