"""What a frame of a streaming answer costs in the tray's chat: `python -P -m bench.door_tray_stream`.

A page with one turn takes a seeded answer of 30,000 tokens, two tokens a frame, in the window's own view: fed, laid
out, scrolled to the end and painted each time. Processor time of the GUI thread, whatever else the machine does.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from PySide6.QtCore import QEventLoop, QObject
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from hearth_desktop import theme
from hearth_desktop.chat.conversation import Conversation
from hearth_desktop.chat.markdown.formats import Formats
from hearth_desktop.chat.page import Page
from hearth_desktop.chat.turn import Turn
from hearth_desktop.chat.view import AnswerView
from hearth_desktop.net.api import Api
from hearth_desktop.net.locator import Locator
from hearth_shared.paths import Home
from support.markdown_corpus import Kind, corpus

TOKENS: Final = 30_000
BAR_P99_MS: Final = 10.0
_PER_FRAME: Final = 2


def measure(tokens: int = TOKENS, kind: Kind = "mixed") -> dict[str, float]:
    """Milliseconds of processor time a frame: p50, p95, p99, the longest, and the mean of the last twentieth."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = cast("QApplication", QApplication.instance() or QApplication([]))
    app.setFont(QFont("DejaVu Sans", 10))
    stage = _Stage(theme.apply(app), QObject())
    cost = [stage.frame(piece) for piece in _pieces(tokens, kind)]
    sorted_cost = sorted(cost)
    count = len(cost)
    tail = cost[-max(10, count // 20) :]
    return {
        "frames": float(count),
        "p50_ms": sorted_cost[count // 2],
        "p95_ms": sorted_cost[int(count * 0.95)],
        "p99_ms": sorted_cost[int(count * 0.99)],
        "max_ms": sorted_cost[-1],
        "last_ms": sum(tail) / len(tail),
    }


class _Stage:
    """The view with one turn that is written."""

    def __init__(self, look: theme.Look, parent: QObject) -> None:
        self._parent = parent
        conversation = Conversation(Api(Locator(Home(Path("nowhere"))), parent), parent)
        self._turn = Turn(key="one", question="Tell me everything.", asked_at=0.0, state="writing")
        conversation.turns = [self._turn]
        self._conversation = conversation
        self._view = AnswerView(look)
        self._view.resize(816, 700)
        formats = Formats(look.palette, theme.text_font(), theme.code_font())
        self._page = Page(conversation, self._view.document(), formats, self._view.column())
        self._view.show()
        self._page.draw_all()
        QApplication.processEvents()

    def frame(self, piece: str) -> float:
        """One more piece; its cost in milliseconds."""
        before = time.thread_time()
        self._turn = replace(self._turn, text=self._turn.text + piece)
        self._conversation.said.emit(self._turn, piece)
        self._page.draw_all()
        self._view.document().documentLayout().documentSize()
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
        return 1000 * (time.thread_time() - before)


def _pieces(tokens: int, kind: Kind) -> list[str]:
    made = corpus(tokens, kind)
    return ["".join(made[start : start + _PER_FRAME]) for start in range(0, len(made), _PER_FRAME)]


if __name__ == "__main__":
    kinds: tuple[tuple[Kind, int], ...] = (("mixed", TOKENS), ("code", 10_000), ("list", 10_000), ("table", 6_000))
    for wanted, length in kinds:
        found = measure(length, wanted)
        print(f"{wanted:6s} {length:6d} tokens: " + ", ".join(f"{name} {value:.2f}" for name, value in found.items()))
    sys.exit(0)
