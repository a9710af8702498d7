"""Shows the code of a pairing, waits, and says who paired."""

import time
from typing import Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QLabel, QWidget

from hearth_desktop import theme
from hearth_desktop.pairing.model import PairingModel
from hearth_desktop.widgets import S1, S3, S5, button, column, frame, heading, label, row, say
from hearth_shared.display import display
from hearth_shared.errors import HearthError
from hearth_shared.wire import Pairing

_WIDTH: Final = 440
_CODE_SIZE: Final = 2.6
HOW: Final = (
    "Open Hearth's extension in your browser, choose its options, and type this code there. "
    "If the extension offers to pair with one click, no code is needed."
)
_HEADINGS: Final = {
    "open": "Type this code in your browser",
    "paired": "Paired",
    "expired": "The code is too old",
    "closed": "This code was closed",
    "none": "There is no code now",
}


class PairingWindow(QWidget):
    """Open as long as the code is good, or until the person is done with it."""

    def __init__(self, model: PairingModel) -> None:
        super().__init__()
        self.setWindowTitle("Pair a browser — Hearth")
        self._model = model
        self._heading = heading("")
        self._code = _code_label()
        self._about = label(kind="muted")
        self._copy = button("&Copy the code")
        self._again = button("&New code", "primary")
        self._done = button("&Done")
        self._box = frame("card", column(self._code, margins=S5))
        buttons = row(-1, self._copy, self._again, self._done)
        self.setLayout(column(self._heading, self._box, self._about, -1, buttons, spacing=S3, margins=S5))
        self._copy.clicked.connect(self._on_copy)
        self._again.clicked.connect(model.begin)
        self._done.clicked.connect(self.close)
        model.changed.connect(self._show)
        model.failed.connect(self._on_failed)
        self._show()

    def begin(self) -> None:
        """With a new code, unless one is still good."""
        if not self._model.is_open:
            self._model.begin()

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, super().sizeHint().height() + S1)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._model.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _show(self) -> None:
        pairing = self._model.pairing
        if pairing is None:
            self._arrange("Getting a code…", "The way to your browser is being opened.")
            return
        state = pairing["state"]
        self._code.setText(spaced(pairing["code"]))
        self._code.setAccessibleName(f"The code: {' '.join(pairing['code'])}")
        self._arrange(_HEADINGS[state], about(pairing, time.time()), state)

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self._arrange("No code could be had", str(error), "failed")

    def _arrange(self, title: str, words: str, state: str = "") -> None:
        self._heading.setText(title)
        say(self._about, words, "danger" if state == "failed" else "muted")
        is_open = state == "open"
        self._box.setVisible(is_open)
        self._copy.setVisible(is_open)
        self._again.setVisible(state in ("expired", "closed", "none", "failed"))
        self._done.setText("&Done" if state == "paired" else "&Cancel" if is_open or not state else "&Close")

    @Slot()
    def _on_copy(self) -> None:
        if self._model.pairing is not None:
            QGuiApplication.clipboard().setText(self._model.pairing["code"])
            self._copy.setText("Copied")


def spaced(code: str) -> str:
    """In two groups, as people read numbers."""
    return f"{code[: len(code) // 2]} {code[len(code) // 2 :]}".strip()


def about(pairing: Pairing, now: float) -> str:
    """What there is to know at this point."""
    match pairing["state"]:
        case "open":
            return f"{HOW}\n\nThe code is good {_until(pairing, now)}, for one browser."
        case "paired":
            client = pairing["client"]
            name = "Your browser" if client is None else display(client["name"], keep="")
            return f"{name} is paired. It can ask, recall and remember; it can never decide an approval for you."
        case "expired":
            return "Nobody typed it in time. Nothing was paired."
        case "closed":
            return "It was closed here or elsewhere, or mistyped too often. Nothing was paired."
        case "none":
            return "Hearth was started anew meanwhile. Nothing was paired."


def _until(pairing: Pairing, now: float) -> str:
    ends = pairing["expires_at"]
    if ends is None or ends <= now:
        return "for a few minutes"
    return time.strftime("until %H:%M", time.localtime(ends))


def _code_label() -> QLabel:
    made = QLabel()
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    made.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    font = theme.code_font()
    font.setPointSizeF(font.pointSizeF() * _CODE_SIZE)
    made.setFont(font)
    return made
