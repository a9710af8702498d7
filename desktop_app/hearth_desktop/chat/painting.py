"""What stands behind the text and no text format can draw: cards with round corners, chips, quote bars, rules."""

from collections.abc import Iterator

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTextBlock, QTextDocument

from hearth_desktop.chat.markdown.formats import GROUP, KIND, PILL, QUOTED, Kind
from hearth_desktop.chat.markdown.fragments import fragments
from hearth_shared.theme import CORNER_PX, Palette

_BELOW_PX = 20
"""How far a card may reach over its first line: seen when that line is not."""
_CARDS = frozenset({Kind.QUESTION, Kind.CODE, Kind.CODE_HEAD})


class Ground:
    """Paints the ground of a run of blocks."""

    def __init__(self, document: QTextDocument, colours: Palette, width: float, *, high_contrast: bool) -> None:
        self._layout = document.documentLayout()
        self._colours = colours
        self._width = width
        self._high_contrast = high_contrast

    def paint(self, painter: QPainter, first: QTextBlock, bottom: float) -> None:
        """Down to a height of the document: the cards first, because they are found at their ends."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plain: list[QTextBlock] = []
        group, card, kind = 0, QRectF(), 0
        block = first
        while block.isValid():
            rect = self._layout.blockBoundingRect(block)
            if rect.top() > bottom + _BELOW_PX:
                break
            made = block.blockFormat()
            here = made.intProperty(GROUP)
            if here != group:
                self._card(painter, card, kind)
                group, card, kind = here, QRectF(), made.intProperty(KIND)
            if here:
                card = card.united(rect)
            self._marks(painter, rect, made.intProperty(QUOTED), made.intProperty(KIND) == Kind.RULE)
            if made.intProperty(KIND) != Kind.CODE:
                plain.append(block)
            block = block.next()
        self._card(painter, card, kind)
        for block in plain:
            self._pills(painter, block)

    def _card(self, painter: QPainter, rect: QRectF, kind: int) -> None:
        if rect.isEmpty() or kind not in _CARDS:
            return
        padding = (8, 10) if kind != Kind.QUESTION else (10, 10)
        whole = QRectF(0, rect.top() - padding[0], self._width, rect.height() + sum(padding))
        if kind != Kind.QUESTION and rect.left() > 16:
            whole.setLeft(rect.left() - 12)
        border = self._colours.border if self._high_contrast or kind != Kind.QUESTION else self._colours.raised
        painter.setPen(QPen(QColor(border), 2 if self._high_contrast else 1))
        painter.setBrush(QColor(self._colours.surface if kind != Kind.QUESTION else self._colours.raised))
        painter.drawRoundedRect(whole.adjusted(0.5, 0.5, -0.5, -0.5), CORNER_PX, CORNER_PX)

    def _marks(self, painter: QPainter, rect: QRectF, quoted: int, is_rule: bool) -> None:
        if not quoted and not is_rule:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colours.border))
        for level in range(quoted):
            painter.drawRoundedRect(QRectF(16 * level, rect.top() - 5, 3, rect.height() + 10), 1.5, 1.5)
        if is_rule:
            painter.drawRect(QRectF(0, rect.center().y(), self._width, 1))

    def _pills(self, painter: QPainter, block: QTextBlock) -> None:
        for fragment in fragments(block):
            if which := fragment.charFormat().intProperty(PILL):
                begin = fragment.position() - block.position()
                origin = self._layout.blockBoundingRect(block).topLeft()
                for rect in _lines(block, begin, begin + fragment.length()):
                    self._pill(painter, rect.translated(origin), which)

    def _pill(self, painter: QPainter, rect: QRectF, which: int) -> None:
        border = QPen(QColor(self._colours.border), 1)
        painter.setPen(border if which == 1 or self._high_contrast else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colours.raised))
        grown = rect.adjusted(-2, 1, 2, -1) if which == 2 else rect
        painter.drawRoundedRect(grown, CORNER_PX / 2, CORNER_PX / 2)


def _lines(block: QTextBlock, begin: int, end: int) -> Iterator[QRectF]:
    """The rectangles of a run of text, one for each line it takes."""
    layout = block.layout()
    while begin < end:
        line = layout.lineForTextPosition(begin)
        if not line.isValid():
            return
        last = min(end, line.textStart() + line.textLength())
        if last <= begin:
            return
        left, right = (_x(line.cursorToX(place)) for place in (begin, last))
        height = line.ascent() + line.descent()
        yield QRectF(left, line.y() + line.height() - height - 1, right - left, height + 2)
        begin = last


def _x(place: object) -> float:
    """Qt gives the place on the line and, in Python, the character it took for it."""
    return float(place[0] if isinstance(place, tuple) else place)  # pyright: ignore[reportUnknownArgumentType, reportArgumentType]
