"""A run of whole blocks in a document that may be written and written again, whatever stands before and after it."""

from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument

from hearth_desktop.chat.markdown.formats import Formats


class Slot:
    """Begins as one empty block, and always keeps at least that one.

    `end` is a cursor behind the last character; `fresh` says that the last block is still to be used.
    """

    def __init__(self, document: QTextDocument, formats: Formats, begin: int, end: int) -> None:
        self.document = document
        self.formats = formats
        self.cursor = QTextCursor(document)
        self.cursor.setPosition(end)
        self._begin = _staying(document, begin)
        self.fresh = True

    @classmethod
    def behind(cls, document: QTextDocument, formats: Formats) -> "Slot":
        """A new one, behind all others. The document's last block belongs to none: so no slot's end is the document's,
        where every insertion would move it."""
        last = QTextCursor(document)
        last.movePosition(QTextCursor.MoveOperation.End)
        at = last.position()
        last.insertBlock(formats.nothing(), formats.plain)
        slot = cls(document, formats, at, at)
        slot.cursor.setBlockFormat(formats.nothing())
        return slot

    def within(self, begin: "Place", end: "Place") -> "Slot":
        """A part of it, emptied to be written again."""
        part = Slot(self.document, self.formats, begin.position, end.position)
        part.clear()
        return part

    @property
    def begin(self) -> int:
        """Where it begins."""
        return self._begin.position()

    @property
    def end(self) -> int:
        """Behind its last character."""
        return self.cursor.position()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return self.fresh and self.begin == self.end

    def block(self, made: QTextBlockFormat, char: QTextCharFormat | None = None) -> None:
        """A new block at the end, or the empty one that is there."""
        if self.fresh:
            self.fresh = False
            self.cursor.setBlockFormat(made)
            self.cursor.setBlockCharFormat(char or self.formats.plain)
        else:
            self.cursor.insertBlock(made, char or self.formats.plain)

    def text(self, text: str, char: QTextCharFormat) -> None:
        """Text at the end."""
        self.cursor.insertText(text, char)

    def cut(self, place: "Place") -> None:
        """Forget all behind a place."""
        self.cursor.setPosition(place.position, QTextCursor.MoveMode.KeepAnchor)
        self.cursor.removeSelectedText()
        self.fresh = place.fresh
        if self.cursor.block().length() == 1:  # Qt gives an empty block the format of the one that was joined to it
            self.cursor.setBlockFormat(self.formats.nothing() if place.fresh else place.format)

    def place(self) -> "Place":
        """The end as it is now, to come back to."""
        return Place(self.document, self.end, self.fresh)

    def clear(self) -> None:
        """Begin again."""
        self.cut(Place(self.document, self.begin, True))


class Place:
    """A place in a slot that stays where it is while text is added behind it."""

    def __init__(self, document: QTextDocument, position: int, fresh: bool) -> None:
        self._at = _staying(document, position)
        self.fresh = fresh
        self.format = self._at.blockFormat()

    @property
    def position(self) -> int:
        """Where it is now."""
        return self._at.position()


def _staying(document: QTextDocument, position: int) -> QTextCursor:
    """Only its position may be used: Qt moves the other end of such a cursor along with the text."""
    cursor = QTextCursor(document)
    cursor.setPosition(position)
    cursor.setKeepPositionOnInsert(True)
    return cursor
