"""The open thread as one document: drawn turn by turn, a few milliseconds at a time; answers frame by frame.

One document keeps selection, search, copying and reading aloud as the system has them.
"""

import time
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QTextCursor, QTextDocument, QTextOption

from hearth_desktop.chat.conversation import Conversation
from hearth_desktop.chat.markdown.formats import CODE_MARGIN, GROUP, KIND, Formats, Kind
from hearth_desktop.chat.turn import Turn
from hearth_desktop.chat.turn_view import TurnView

FRAME_MS: Final = 16
_SLICE_S: Final = 0.008
_AT_ONCE: Final = 4000
_ABOVE_PX, _BELOW_PX = 24, 24
_FIRST_SHOWN: Final = 40_000
"""Characters of the newest turns that are drawn when a thread opens; older ones when the person asks for them."""


class Page(QObject):
    """Keeps a document equal to what the conversation tells."""

    drawn = Signal()
    """All that is known stands in the document."""

    def __init__(self, conversation: Conversation, document: QTextDocument, formats: Formats, width: float) -> None:
        super().__init__(conversation)
        self._conversation = conversation
        self.document = document
        self._formats = formats
        self._width = width
        self._views: dict[str, TurnView] = {}
        self._waiting: list[Turn] = []
        self._shown_length = _FIRST_SHOWN
        self.earlier = 0
        self._frame = QTimer(self, singleShot=True)
        self._frame.timeout.connect(self._on_frame)
        document.setUndoRedoEnabled(False)
        conversation.opened.connect(self._on_opened)
        conversation.added.connect(self._on_added)
        conversation.said.connect(self._on_said)
        conversation.changed.connect(self._on_changed)
        self._dress()
        self._on_opened()

    @property
    def is_drawn(self) -> bool:
        """Whether nothing waits to be drawn."""
        return not self._waiting and not self._frame.isActive()

    def view(self, key: str) -> TurnView | None:
        """How a turn is drawn."""
        return self._views.get(key)

    def look(self, formats: Formats, width: float) -> None:
        """Another look or width: all is drawn anew."""
        self._formats, self._width = formats, width
        self._dress()
        self._redraw()

    def fit(self, width: float) -> None:
        """Another width of the column: only what stands at its right edge has to move."""
        if abs(width - self._width) < 1:
            return
        self._width = width
        for view in self._views.values():
            view.fit(width)
        cursor = QTextCursor(self.document)
        cursor.beginEditBlock()
        block = self.document.begin()
        while block.isValid():
            made = block.blockFormat()
            if made.intProperty(KIND) == Kind.CODE_HEAD:
                cursor.setPosition(block.position())
                left = int(made.leftMargin()) - CODE_MARGIN
                cursor.setBlockFormat(self._formats.code_head(made.intProperty(GROUP), left=left, width=width))
            block = block.next()
        cursor.endEditBlock()

    @Slot()
    def show_earlier(self) -> None:
        """Draw older turns too."""
        self._shown_length *= 8
        self._redraw()

    def draw_all(self) -> None:
        """At once, however long it takes."""
        while not self.is_drawn:
            self._frame.stop()
            self._draw(float("inf"))

    def _dress(self) -> None:
        option = QTextOption(self.document.defaultTextOption())
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document.setDefaultTextOption(option)
        self.document.setDefaultFont(self._formats.font)
        self.document.setDocumentMargin(0)

    @Slot()
    def _on_opened(self) -> None:
        self._shown_length = _FIRST_SHOWN
        self._redraw()

    def _redraw(self) -> None:
        self._views.clear()
        self.document.clear()
        cursor = QTextCursor(self.document)
        cursor.setBlockFormat(self._formats.nothing())
        frame = self.document.rootFrame()
        made = frame.frameFormat()
        made.setTopMargin(_ABOVE_PX)  # a first block has no margin of its own
        made.setBottomMargin(_BELOW_PX)
        frame.setFrameFormat(made)
        self._waiting = self._newest()
        self._draw_soon(0)

    def _newest(self) -> list[Turn]:
        """As many of the newest turns as are drawn at first, oldest first."""
        turns, length = self._conversation.turns, 0
        for number, turn in enumerate(reversed(turns)):
            length += len(turn.text) + len(turn.question)
            if length > self._shown_length and number:
                self.earlier = len(turns) - number
                return turns[-number:]
        self.earlier = 0
        return list(turns)

    @Slot(object)
    def _on_added(self, turn: Turn) -> None:
        if turn.key not in self._views and all(other.key != turn.key for other in self._waiting):
            self._waiting.append(turn)
            self._draw_soon(0)

    @Slot(object, str)
    def _on_said(self, turn: Turn, text: str) -> None:
        view = self._views.get(turn.key)
        if view is None:
            self._replace_waiting(turn)
            return
        view.turn = turn
        self._draw_soon(FRAME_MS)

    @Slot(object)
    def _on_changed(self, turn: Turn) -> None:
        if (view := self._views.get(turn.key)) is None:
            self._replace_waiting(turn)
            return
        edit = QTextCursor(self.document)
        edit.beginEditBlock()
        view.update(turn)
        edit.endEditBlock()
        self._draw_soon(0)

    def _replace_waiting(self, turn: Turn) -> None:
        self._waiting = [turn if other.key == turn.key else other for other in self._waiting]

    def _draw_soon(self, pause_ms: int) -> None:
        if not self._frame.isActive() or self._frame.remainingTime() > pause_ms:
            self._frame.start(pause_ms)

    @Slot()
    def _on_frame(self) -> None:
        began = time.perf_counter()
        self._draw(began + _SLICE_S)
        if any(not view.is_drawn for view in self._views.values()) or self._waiting:
            spent = 1000 * (time.perf_counter() - began)
            self._draw_soon(0 if self._waiting else max(FRAME_MS, int(2 * spent)))
        else:
            self.drawn.emit()

    def _draw(self, until: float) -> None:
        while True:
            unfinished = [view for view in self._views.values() if not view.is_drawn]
            for view in unfinished:
                view.render(_AT_ONCE)
            if not unfinished and self._waiting:
                turn = self._waiting.pop(0)
                self._views[turn.key] = TurnView(self.document, self._formats, turn, self._width)
            elif not unfinished or time.perf_counter() > until:
                return
            if time.perf_counter() > until:
                return
