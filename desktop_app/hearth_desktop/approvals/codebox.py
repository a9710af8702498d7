"""Text shown exactly: complete, in the monospace font, selectable, as high as it needs up to a limit, then scrolled."""

import math
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QSyntaxHighlighter, QTextCharFormat, QTextDocument, QTextOption
from PySide6.QtWidgets import QPlainTextEdit

from hearth_desktop import theme
from hearth_desktop.theme import Look

_MOST_LINES: Final = 14
_ROOM: Final = 24
_TOKENS: Final = {"+": "ok", "-": "danger", "@": "info"}


class CodeBox(QPlainTextEdit):
    """Tab leaves it; a diff gets the colours of its lines."""

    def __init__(self, text: str, name: str, look: Look) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAccessibleName(name)
        self.setFont(theme.code_font())
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setPlainText(text)
        if is_diff(text):
            self._colours = DiffColours(self.document(), look)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        lines = min(max(math.ceil(self.document().size().height()), 1), _MOST_LINES)
        wanted = lines * self.fontMetrics().lineSpacing() + _ROOM
        if self.height() != wanted or self.minimumHeight() != wanted:
            self.setFixedHeight(wanted)


class DiffColours(QSyntaxHighlighter):
    """Added and removed lines; their signs say the same without colour."""

    def __init__(self, document: QTextDocument, look: Look) -> None:
        super().__init__(document)
        self._look = look
        look.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        token = _TOKENS.get(text[:1])
        if token is not None:
            self.setFormat(0, len(text), _coloured(self._look, token))


def is_diff(text: str) -> bool:
    """Whether it is a unified diff."""
    lines = text.split("\n")
    return any(line.startswith("@@ ") for line in lines) and any(line[:1] in ("+", "-") for line in lines)


def _coloured(look: Look, token: str) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(look.colour(token))
    return made
