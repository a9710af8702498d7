"""How each kind of block and text looks, made once for a scheme and a font."""

from enum import IntEnum
from typing import Final

from pygments.token import Token, _TokenType  # pyright: ignore[reportPrivateUsage]
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextFormat, QTextOption

from hearth_shared.theme import STEP_PX, Palette

_USER: Final = int(QTextFormat.Property.UserProperty)
KIND: Final = _USER + 1
GROUP: Final = _USER + 2
QUOTED: Final = _USER + 3
PILL: Final = _USER + 4
CODE_MARGIN: Final = 3 * STEP_PX
_PROPORTIONAL: Final = QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
_FIXED: Final = QTextBlockFormat.LineHeightTypes.FixedHeight.value
_HEADINGS: Final = {1: (1.45, 20), 2: (1.25, 20), 3: (1.1, 16)}
_CODE_COLOURS: Final[tuple[tuple[_TokenType, str, bool], ...]] = (
    (Token.Comment, "muted", True),
    (Token.Keyword, "accent", False),
    (Token.Literal.String, "ok", False),
    (Token.Literal.Number, "warn", False),
    (Token.Name.Function, "info", False),
    (Token.Name.Class, "info", False),
    (Token.Name.Decorator, "warn", False),
    (Token.Name.Builtin, "info", False),
    (Token.Name.Tag, "accent", False),
    (Token.Name.Attribute, "info", False),
    (Token.Operator.Word, "accent", False),
    (Token.Generic.Deleted, "danger", False),
    (Token.Generic.Inserted, "ok", False),
    (Token.Generic.Heading, "info", False),
)


class Kind(IntEnum):
    """What a block is, beyond text: read by whoever paints or copies."""

    TEXT = 0
    QUESTION = 1
    CODE = 2
    CODE_HEAD = 3
    RULE = 4
    ASIDE = 5
    """Hearth's own words around an answer: not part of what is copied."""


class Formats:
    """Char and block formats of one look."""

    def __init__(self, colours: Palette, text: QFont, code: QFont) -> None:
        self.colours = colours
        self.font = text
        self._code_font = code
        self._chars: dict[tuple[object, ...], QTextCharFormat] = {}
        self._code: dict[_TokenType | None, QTextCharFormat] = {}
        self.plain = self.char()

    # -- text

    def char(
        self,
        *,
        bold: bool = False,
        italic: bool = False,
        strike: bool = False,
        code: bool = False,
        colour: str = "text",
        size: float = 1.0,
    ) -> QTextCharFormat:
        """Text; the same object for the same wish: make a copy before changing it."""
        wish = (bold, italic, strike, code, colour, size)
        if (known := self._chars.get(wish)) is None:
            known = self._chars[wish] = self._made(*wish)
        return known

    def link(
        self, href: str, base: QTextCharFormat, *, colour: str = "accent", underline: bool = True
    ) -> QTextCharFormat:
        """Text that leads somewhere."""
        made = QTextCharFormat(base)
        made.setAnchor(True)
        made.setAnchorHref(href)
        made.setForeground(self.brush(colour))
        made.setFontUnderline(underline)
        return made

    def pill(self, href: str, *, size: float = 0.85, colour: str = "text") -> QTextCharFormat:
        """A chip that leads somewhere; its ground is painted by the view."""
        made = self.link(href, self.char(size=size), colour=colour, underline=False)
        made.setProperty(PILL, 1)
        return made

    def token(self, kind: _TokenType | None) -> QTextCharFormat:
        """Code by its kind."""
        if (known := self._code.get(kind)) is None:
            known = self._code[kind] = self._coloured(kind)
        return known

    def brush(self, token: str) -> QBrush:
        """A colour by its name in the palette."""
        return QBrush(QColor(str(getattr(self.colours, token))))

    def _made(self, bold: bool, italic: bool, strike: bool, code: bool, colour: str, size: float) -> QTextCharFormat:
        made = QTextCharFormat()
        font = QFont(self._code_font if code else self.font)
        font.setPointSizeF(font.pointSizeF() * size)
        font.setItalic(italic)
        font.setStrikeOut(strike)
        if bold:
            font.setWeight(QFont.Weight.DemiBold)
        made.setFont(font)
        made.setForeground(self.brush(colour))
        if code:
            made.setProperty(PILL, 2)
        return made

    def _coloured(self, kind: _TokenType | None) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setFont(self._code_font)
        made.setForeground(self.brush("text"))
        for family, colour, italic in _CODE_COLOURS:
            if kind is not None and kind in family:
                made.setForeground(self.brush(colour))
                made.setFontItalic(italic)
        return made

    # -- blocks

    def paragraph(self, *, left: int = 0, quoted: int = 0, top: int = 8) -> QTextBlockFormat:
        """Running text."""
        made = QTextBlockFormat()
        made.setTopMargin(top)
        made.setLeftMargin(left + 16 * quoted)
        made.setLineHeight(132, _PROPORTIONAL)
        if quoted:
            made.setProperty(QUOTED, quoted)
        return made

    def heading(self, level: int, *, left: int = 0, quoted: int = 0) -> QTextBlockFormat:
        """A heading, also for those who only hear it."""
        made = self.paragraph(left=left, quoted=quoted, top=_HEADINGS.get(level, (1.0, 16))[1])
        made.setHeadingLevel(level)
        made.setLineHeight(120, _PROPORTIONAL)
        return made

    def heading_text(self, level: int) -> QTextCharFormat:
        """Its letters."""
        return self.char(bold=True, size=_HEADINGS.get(level, (1.0, 0))[0])

    def item(self, *, left: int, hang: int, quoted: int = 0) -> QTextBlockFormat:
        """The first paragraph of a list item: its marker hangs to the left."""
        made = self.paragraph(left=left, quoted=quoted, top=4)
        made.setTextIndent(-hang)
        tab = QTextOption.Tab()
        tab.position = hang  # Qt counts from where the line begins
        tab.type = QTextOption.TabType.LeftTab
        made.setTabPositions([tab])
        return made

    def code_head(self, group: int, *, left: int = 0, width: float) -> QTextBlockFormat:
        """Above code: its language, and at the right what can be done with it."""
        made = self._code_block(Kind.CODE_HEAD, group, left)
        made.setTopMargin(16)
        made.setLineHeight(150, _PROPORTIONAL)
        tab = QTextOption.Tab()
        tab.position = width - left - 2 * CODE_MARGIN - 1  # at the very edge it would wrap
        tab.type = QTextOption.TabType.RightTab
        made.setTabPositions([tab])
        return made

    def code_line(self, group: int, *, left: int = 0, last: bool = False) -> QTextBlockFormat:
        """A line of code."""
        made = self._code_block(Kind.CODE, group, left)
        made.setLineHeight(125, _PROPORTIONAL)
        if last:
            made.setBottomMargin(20)
        return made

    def rule(self) -> QTextBlockFormat:
        """A line across; painted by the view."""
        made = QTextBlockFormat()
        made.setTopMargin(8)
        made.setProperty(KIND, int(Kind.RULE))
        return made

    def aside(self, *, top: int = 8) -> QTextBlockFormat:
        """Hearth's own words."""
        made = self.paragraph(top=top)
        made.setProperty(KIND, int(Kind.ASIDE))
        return made

    def question(self, group: int, *, top: int, bottom: int = 0) -> QTextBlockFormat:
        """What the person said; its ground is painted by the view."""
        made = QTextBlockFormat()
        made.setTopMargin(top)
        made.setBottomMargin(bottom)
        made.setLeftMargin(STEP_PX * 4)
        made.setRightMargin(STEP_PX * 4)
        made.setLineHeight(132, _PROPORTIONAL)
        made.setProperty(KIND, int(Kind.QUESTION))
        made.setProperty(GROUP, group)
        return made

    def nothing(self) -> QTextBlockFormat:
        """A block that must be there and takes no room."""
        made = QTextBlockFormat()
        made.setLineHeight(1, _FIXED)
        made.setProperty(KIND, int(Kind.ASIDE))
        return made

    def _code_block(self, kind: Kind, group: int, left: int) -> QTextBlockFormat:
        made = QTextBlockFormat()
        made.setLeftMargin(left + CODE_MARGIN)
        made.setRightMargin(CODE_MARGIN)
        made.setProperty(KIND, int(kind))
        made.setProperty(GROUP, group)
        made.setAlignment(Qt.AlignmentFlag.AlignLeft)
        return made
