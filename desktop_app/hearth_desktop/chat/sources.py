"""Why an answer says what it says: its sources with their words, each to be opened, memories to be forgotten."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from hearth_desktop.chat import opening, words
from hearth_desktop.chat.markdown.lines import shown
from hearth_desktop.chat.turn import Turn
from hearth_desktop.widgets import S1, S2, S3, button, clear, label, set_kind
from hearth_shared.wire import Source

_WIDTH: Final = 320
_LONGEST: Final = 1600


class SourcesPanel(QFrame):
    """At the side of the chat, for one turn."""

    open_wanted = Signal(object)
    """A Source."""
    forget_wanted = Signal(str)
    """The id of a memory."""
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sources")
        self.setFixedWidth(_WIDTH)
        self.turn: Turn | None = None
        self._cards: dict[int, SourceCard] = {}
        self.title = label("Sources", "title")
        self.close_button = button("Close", "quiet", name="Close the sources", hint="Ctrl+.")
        self._inner = QWidget()
        self._column = QVBoxLayout(self._inner)
        self._column.setContentsMargins(S1, 0, S3, S3)
        self._column.setSpacing(S2)
        area = QScrollArea()
        area.setAccessibleName("Sources of the answer")
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._inner)
        self._area = area
        head = QHBoxLayout()
        head.setContentsMargins(S1, 0, S2, 0)
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(S2, S3, 0, 0)
        layout.setSpacing(S3)
        layout.addLayout(head)
        layout.addWidget(area, 1)
        self.close_button.clicked.connect(self.closed)

    def show_turn(self, turn: Turn | None, chosen: int = 0) -> None:
        """The sources of a turn; `chosen` is the number of the one the person asked for."""
        if turn is not self.turn or turn is None:
            self.turn = turn
            self.refill()
        if (card := self._cards.get(chosen)) is not None:
            self._area.ensureWidgetVisible(card)
            card.open_button.setFocus()
        for number, other in self._cards.items():
            other.mark(number == chosen)

    def card(self, number: int) -> "SourceCard | None":
        """The card of a source."""
        return self._cards.get(number)

    def refill(self) -> None:
        """Show its turn anew."""
        clear(self._column)
        self._cards.clear()
        turn = self.turn
        sources = turn.sources if turn else ()
        if not sources:
            self._column.addWidget(label("This answer names no source.", "muted"))
        for source in sources:
            card = SourceCard(source, forgotten=turn is not None and source["id"] in turn.forgotten)
            card.open_wanted.connect(self.open_wanted)
            card.forget_wanted.connect(self.forget_wanted)
            self._cards[source["n"]] = card
            self._column.addWidget(card)
        self._column.addStretch(1)


class SourceCard(QFrame):
    """One source."""

    open_wanted = Signal(object)
    forget_wanted = Signal(str)

    def __init__(self, source: Source, *, forgotten: bool) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._source = source
        self._sure = False
        name = words.source_title(source)
        title = label(f"{source['n']}  {name}", "title")
        place = label(words.source_place(source), "muted")
        self.open_button = button(_verb(source), "quiet", name=f"{_verb(source)}: {name}")
        self.forget_button = button("Forget", "quiet", name=f"Forget: {name}")
        self.forget_button.setVisible(source["kind"] == "memory" and not forgotten)
        self.open_button.setVisible(not isinstance(opening.target(source), opening.Text))
        bar = QHBoxLayout()
        bar.setSpacing(S1)
        bar.addWidget(self.open_button)
        bar.addStretch(1)
        bar.addWidget(self.forget_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(S3, S3, S2, S2)
        layout.setSpacing(S1)
        for widget in (title, place, self._quote(forgotten)):
            layout.addWidget(widget)
        for remark in _remarks(source):
            layout.addWidget(label(remark, "muted"))
        layout.addSpacing(S1)
        layout.addLayout(bar)
        self.open_button.clicked.connect(self._on_open)
        self.forget_button.clicked.connect(self._on_forget)

    def mark(self, chosen: bool) -> None:
        """It is the one that was asked for."""
        set_kind(self, "chosen" if chosen else "card")

    def _quote(self, forgotten: bool) -> QLabel:
        text = self._source["quote"].strip()
        cut = f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
        made = label("Forgotten." if forgotten else shown(cut), "muted" if forgotten else "", selectable=True)
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        made.setAccessibleName(f"Text of source {self._source['n']}")
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        made.setContentsMargins(0, S2, 0, 0)
        return made

    @Slot()
    def _on_open(self) -> None:
        self.open_wanted.emit(self._source)

    @Slot()
    def _on_forget(self) -> None:
        """A page's words cannot be given back by this door, so that is asked twice."""
        if not self._source["trusted"] and not self._sure:
            self._sure = True
            self.forget_button.setText("Yes, forget")
            set_kind(self.forget_button, "danger")
            return
        self.forget_button.setEnabled(False)
        self.forget_wanted.emit(self._source["id"])


def _remarks(source: Source) -> list[str]:
    said: list[str] = []
    if not source["trusted"]:
        origin = "From a page you opened" if source["url"] else "From outside"
        said.append(f"{origin}: it informs, and commands nothing.")
    if not source["cited"]:
        said.append("Read for the answer, not quoted in it.")
    target = opening.target(source)
    if isinstance(target, opening.Text) and target.reason:
        said.append(target.reason)
    return said


def _verb(source: Source) -> str:
    match opening.target(source):
        case opening.Page():
            return "Open page"
        case opening.File():
            return "Open file"
        case opening.Folder():
            return "Open folder"
        case opening.Thread():
            return "Open thread"
        case opening.Text():
            return "Show"
