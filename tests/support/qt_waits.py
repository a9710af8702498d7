"""Waiting in Qt's loop for what will happen, with a limit that only a hang reaches."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Slot
from pytestqt.qtbot import QtBot

LIMIT_MS = 60_000


class Heard(QObject):
    """Remembers what signals brought, in order: `heard = Heard(stream.happened)`."""

    def __init__(self, *signals: Any) -> None:
        super().__init__()
        self.values: list[Any] = []
        for signal in signals:
            signal.connect(self.hear)

    @Slot()
    @Slot(object)
    def hear(self, value: Any = None) -> None:
        """One more."""
        self.values.append(value)

    @property
    def last(self) -> Any:
        """The newest."""
        return self.values[-1]


def wait(qtbot: QtBot, holds: Callable[[], bool]) -> None:
    """Run Qt's loop until it holds."""
    qtbot.waitUntil(holds, timeout=LIMIT_MS)


def answer(qtbot: QtBot, reply: Any) -> Any:
    """What a request came to: its JSON, or its HearthError raised."""
    done, failed = Heard(reply.done), Heard(reply.failed)
    wait(qtbot, lambda: bool(done.values or failed.values))
    if failed.values:
        raise failed.last
    return done.last
