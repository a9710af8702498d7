"""The tray's chat without a display: opens on a home, asks, and gives back what a person would have seen.

python -P -m support.tray_chat HOME QUESTION [--thread ID] [--dark] [--png FILE]     prints one line of JSON
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from PySide6.QtCore import QBuffer, QByteArray, QEventLoop, QIODevice
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import delete

from hearth_desktop import theme
from hearth_desktop.chat.window import ChatWindow
from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.net.locator import Locator
from hearth_shared.paths import Home
from hearth_shared.theme import Scheme

_LIMIT_S: Final = 120.0


@dataclass
class Seen:
    """What the chat showed."""

    thread_id: str
    transcript: str
    sources: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    threads: list[str] = field(default_factory=list[str])
    png: bytes = b""


class TrayChat:
    """A chat window that a program uses: `with TrayChat(home) as chat: seen = chat.ask("…")`."""

    def __init__(self, home: Home, *, scheme: Scheme = Scheme.LIGHT, size: tuple[int, int] = (1080, 760)) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        self._app = cast("QApplication", QApplication.instance() or QApplication([]))
        self._app.setFont(QFont("DejaVu Sans", 10))
        self._look = theme.apply(self._app, scheme)
        self._api = Api(Locator(home))
        self._events = EventStream(self._api)
        self.window = ChatWindow(self._api, self._events, self._look)
        self.window.resize(*size)
        self.window.show()
        self._events.start()
        self.wait(lambda: self._events.is_open and self.window.threads.is_loaded)

    def __enter__(self) -> "TrayChat":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, question: str, *, thread_id: str = "") -> Seen:
        """Type it, send it, wait for the whole answer; in a new thread unless one is named."""
        self.begin(question, thread_id=thread_id)
        return self.finish()

    def begin(self, question: str, *, thread_id: str = "") -> None:
        """Send it, and come back while the answer is under way."""
        if thread_id:
            self.open(thread_id)
        elif self.window.conversation.thread_id:
            self.window.new_thread()
        self.window.composer.text.put(question)
        self.window.composer.submit()

    def open(self, thread_id: str) -> Seen:
        """Another thread, whichever door it was begun at."""
        self.window.open_thread(thread_id)
        self.wait(lambda: not self.window.conversation.is_loading)
        return self.finish()

    def finish(self) -> Seen:
        """Wait until nothing is under way."""
        conversation = self.window.conversation
        self.wait(lambda: bool(conversation.turns) and not conversation.is_busy and self.window.page.is_drawn)
        self.wait(lambda: self.window.threads.row_of(conversation.thread_id) >= 0)
        return self.seen()

    def seen(self) -> Seen:
        """As it is now."""
        conversation = self.window.conversation
        last = conversation.turns[-1] if conversation.turns else None
        model = self.window.threads
        return Seen(
            conversation.thread_id,
            self.window.view.document().toPlainText(),
            [dict(source) for source in last.sources] if last else [],
            [model.title_at(row) for row in range(model.rowCount())],
            self.picture(),
        )

    def show_sources(self) -> None:
        """As Ctrl+. does."""
        self.window.toggle_sources()
        self.spin()

    def picture(self, widget: QWidget | None = None) -> bytes:
        """The window as PNG."""
        self.spin()
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        (widget or self.window).grab().save(buffer, "PNG")  # pyright: ignore[reportCallIssue, reportArgumentType]
        return bytes(data.data())

    def wait(self, holds: Callable[[], bool]) -> None:
        """Run Qt's loop until it holds. Raises TimeoutError."""
        until = time.monotonic() + _LIMIT_S
        while not holds():
            if time.monotonic() > until:
                raise TimeoutError("the tray's chat did not come so far")
            self.spin()

    def spin(self) -> None:
        """Let Qt do what waits."""
        for _ in range(4):
            self._app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            time.sleep(0.002)

    def close(self) -> None:
        """Leave; the backend goes on."""
        self._events.stop()
        self.window.close()
        for thing in (self.window, self._api, self._look):
            delete(thing)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("question")
    parser.add_argument("--thread", default="")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--png", type=Path)
    options = parser.parse_args(arguments)
    with TrayChat(Home(options.home.absolute()), scheme=Scheme.DARK if options.dark else Scheme.LIGHT) as chat:
        seen = chat.ask(options.question, thread_id=options.thread)
    if options.png:
        options.png.write_bytes(seen.png)
    shown = {
        "thread_id": seen.thread_id,
        "transcript": seen.transcript,
        "sources": seen.sources,
        "threads": seen.threads,
    }
    print(json.dumps(shown, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
