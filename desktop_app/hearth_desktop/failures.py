"""What Qt has to say when it cannot go on, as one sentence and an exit status instead of a crash."""

import os
import sys
from typing import Final

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from hearth_desktop.start import screen

_FAILED: Final = 1
_BEFORE_A_FATAL: Final = ("wayland", "display", "platform plugin")


def speak_plainly() -> None:
    """From now on. Qt ends a program that finds no display with an abort; this one ends with a reason."""
    qInstallMessageHandler(_on_message)


def _on_message(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    if kind == QtMsgType.QtFatalMsg:
        sys.stderr.write(f"hearth-tray: {screen.refused(message)}\n")
        sys.stderr.flush()
        os._exit(_FAILED)  # returning would abort; the lock of the seat is freed by the system
    if kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg) and not _belongs_to_a_fatal(message):
        sys.stderr.write(f"{message}\n")


def _belongs_to_a_fatal(message: str) -> bool:
    """What Qt says on the way to one, in its own words: the sentence that follows says it better."""
    return any(part in message.lower() for part in _BEFORE_A_FATAL)
