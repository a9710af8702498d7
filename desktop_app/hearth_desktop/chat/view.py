"""The document as a person reads it: a column of text, links that are followed by hand, copying without the frills."""

import re
from typing import Final

from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QTextBlock, QTextCursor
from PySide6.QtWidgets import QFrame, QPushButton, QTextBrowser, QWidget

from hearth_desktop.chat.follow import Follow
from hearth_desktop.chat.markdown.formats import GROUP, KIND, Kind
from hearth_desktop.chat.markdown.fragments import fragments
from hearth_desktop.chat.painting import Ground
from hearth_desktop.theme import Look

COLUMN_PX: Final = 720
_LEAST_MARGIN_PX: Final = 24
_NEAR: Final = 200
"""Blocks that are walked before Qt is asked."""
_CITED: Final = re.compile(r"hearth:source/[^/]+/(\d+)")


class AnswerView(QTextBrowser):
    """Shows a Page's document."""

    followed = Signal(str)
    """A link that a person chose."""
    fitted = Signal()
    """`column` is another now."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._top = 0
        self.setObjectName("answers")
        self.setAccessibleName("Conversation")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QTextBrowser.LineWrapMode.FixedPixelWidth)  # a scroll bar that comes moves nothing
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setStyleSheet(
            "QTextBrowser#answers { border: none; border-radius: 0; padding: 0; background: transparent; }"
        )
        self.anchorClicked.connect(self._on_link)
        self.follow = Follow(self)
        self.jump = QPushButton("Jump to latest", self)
        self.jump.setAccessibleName("Jump to the latest answer")
        self.jump.hide()
        self.jump.clicked.connect(self._on_jump)
        self.follow.changed.connect(self._on_follow)

    def column(self) -> int:
        """How wide the text is."""
        return min(COLUMN_PX, max(240, self.width() - 2 * _LEAST_MARGIN_PX))

    def code_of(self, group: int) -> str:
        """The text of a block of code."""
        lines: list[str] = []
        block = self.document().begin()
        while block.isValid():
            made = block.blockFormat()
            if made.intProperty(GROUP) == group and made.intProperty(KIND) == Kind.CODE:
                lines.append(block.text())
            elif lines:
                break
            block = block.next()
        return "\n".join(lines)

    def minimumSizeHint(self) -> QSize:
        """Small windows are fine."""
        return QSize(280, 160)

    # -- Qt's questions

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The column stays in the middle."""
        column = self.column()
        margin = max(_LEAST_MARGIN_PX, (self.width() - column) // 2)
        self.setLineWrapColumnOrWidth(column)
        self.setViewportMargins(margin, 0, 0, 0)
        super().resizeEvent(event)
        self._place_jump()
        self.fitted.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground first, then the text."""
        offset = self.verticalScrollBar().value()
        painter = QPainter(self.viewport())
        painter.translate(0, -offset)
        rect = event.rect()
        width, strong = self.column(), self._look.is_high_contrast
        ground = Ground(self.document(), self._look.palette, width, high_contrast=strong)
        ground.paint(painter, self._first_block(rect.top() + offset), rect.bottom() + offset)
        painter.end()
        super().paintEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home and End go to the beginning and the end of the thread."""
        if event.key() == Qt.Key.Key_End and not event.modifiers():
            self.follow.jump()
        elif event.key() == Qt.Key.Key_Home and not event.modifiers():
            self.verticalScrollBar().setValue(0)
        else:
            super().keyPressEvent(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        """Text alone: without Hearth's own words, and numbers of sources as they were written."""
        data = QMimeData()
        data.setText(self._selected())
        return data

    def loadResource(self, type: int, name: QUrl | str) -> None:
        """Nothing is loaded for a document, from nowhere."""

    def _first_block(self, top: float) -> QTextBlock:
        """The block before the one at this height, looked for from where it was last: Qt's own search is longer the
        longer the document is."""
        layout = self.document().documentLayout()
        block = self.document().findBlockByNumber(min(self._top, self.document().blockCount() - 1))
        for _ in range(_NEAR):
            rect = layout.blockBoundingRect(block)
            if rect.top() > top and block.previous().isValid():
                block = block.previous()
            elif rect.bottom() < top and block.next().isValid():
                block = block.next()
            else:
                break
        else:
            block = self.cursorForPosition(QPoint(0, int(top) - self.verticalScrollBar().value())).block()
        self._top = block.blockNumber()
        return block.previous() if block.previous().isValid() else block

    def _selected(self) -> str:
        cursor = self.textCursor()
        block = self.document().findBlock(cursor.selectionStart())
        lines: list[str] = []
        while block.isValid() and block.position() < cursor.selectionEnd():
            if block.blockFormat().intProperty(KIND) not in (Kind.ASIDE, Kind.CODE_HEAD):
                lines.append(_text_within(block, cursor))
            block = block.next()
        return "\n".join(lines)

    # -- slots

    @Slot(QUrl)
    def _on_link(self, url: QUrl) -> None:
        self.followed.emit(url.toString(QUrl.ComponentFormattingOption.FullyEncoded))

    @Slot()
    def _on_jump(self) -> None:
        self.follow.jump()
        self.setFocus()

    @Slot(bool)
    def _on_follow(self, on: bool) -> None:
        self.jump.setVisible(not on)
        self._place_jump()

    def _place_jump(self) -> None:
        self.jump.adjustSize()
        self.jump.move((self.width() - self.jump.width()) // 2, self.height() - self.jump.height() - 16)


def _text_within(block: QTextBlock, cursor: QTextCursor) -> str:
    """The part of a block that is selected."""
    found: list[str] = []
    for part in fragments(block):
        begin = max(part.position(), cursor.selectionStart())
        end = min(part.position() + part.length(), cursor.selectionEnd())
        if begin < end:
            cited = _CITED.fullmatch(part.charFormat().anchorHref())
            text = part.text()[begin - part.position() : end - part.position()]
            found.append(f"[{cited[1]}]" if cited else text)
    return "".join(found).replace("\u2028", "\n").replace("\u00a0", " ")
