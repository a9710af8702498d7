"""A chat window on a backend, and what a test does with it as a person would."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from hearth_desktop.chat.window import ChatWindow
from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.net.locator import Locator
from hearth_desktop.theme import Look
from hearth_shared.paths import Home
from support.qt_waits import wait


class Chat:
    """The window with what it stands on."""

    def __init__(self, home: Home, app: QApplication) -> None:
        self.api = Api(Locator(home))
        self.events = EventStream(self.api)
        self.look = Look(app)
        self.window = ChatWindow(self.api, self.events, self.look)
        self.window.show()

    @property
    def text(self) -> str:
        """All that is to be read in the open thread."""
        return self.window.view.document().toPlainText()

    def press(self, keys: str, widget: QWidget | None = None) -> None:
        """Keys of the keyboard, to whatever has the focus."""
        target = widget or self.window.focusWidget() or self.window
        sequence = {"Enter": Qt.Key.Key_Return, "Esc": Qt.Key.Key_Escape, "Tab": Qt.Key.Key_Tab}
        *modifiers, name = keys.split("+")
        held = Qt.KeyboardModifier.NoModifier
        for modifier in modifiers:
            held |= {
                "Ctrl": Qt.KeyboardModifier.ControlModifier,
                "Shift": Qt.KeyboardModifier.ShiftModifier,
                "Alt": Qt.KeyboardModifier.AltModifier,
            }[modifier]
        key = sequence.get(name) or Qt.Key(ord(name.upper()))
        QTest.keyClick(target, key, held)

    def write(self, text: str) -> None:
        """Type it."""
        QTest.keyClicks(self.window.composer.text, text)

    def connect(self, qtbot: QtBot) -> "Chat":
        """Events come in, and the list is read."""
        self.events.start()
        wait(qtbot, lambda: self.events.is_open and self.window.threads.is_loaded)
        return self

    def settled(self, qtbot: QtBot) -> None:
        """Nothing is under way, and all is drawn."""
        wait(qtbot, lambda: bool(self.window.conversation.turns) and not self.window.conversation.is_busy)
        wait(qtbot, lambda: self.window.page.is_drawn)

    def close(self) -> None:
        """As at the program's end."""
        self.events.stop()
        self.window.close()
        delete(self.window)
        delete(self.look)
        delete(self.api)


@contextmanager
def chat_on(home: Home, app: QApplication) -> Generator[Chat]:
    """A window on this home, closed with the block."""
    chat = Chat(home, app)
    try:
        yield chat
    finally:
        chat.close()


@contextmanager
def kept(home: Home, **options: Any) -> Generator[Api]:
    """A way to the backend that is gone, with all that belongs to it, when the block is left; `options` are those of
    its Locator."""
    api = Api(Locator(home, **options))
    try:
        yield api
    finally:
        delete(api)
