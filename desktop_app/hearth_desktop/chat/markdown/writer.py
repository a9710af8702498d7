"""Writes parsed Markdown at the end of a slot."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final
from urllib.parse import urlsplit

from markdown_it.token import Token
from PySide6.QtGui import QTextCharFormat, QTextCursor

from hearth_desktop.chat.markdown import lexer
from hearth_desktop.chat.markdown.formats import Formats
from hearth_desktop.chat.markdown.lines import shown
from hearth_desktop.chat.markdown.slot import Slot

_CITED: Final = re.compile(r"(?<![\w\]])\[(\d{1,2})\](?![\w(\[])")
_TASK: Final = re.compile(r"\[([ xX])\] ")
_BULLETS: Final = ("•", "◦", "▪")
_INDENT, _HANG = 24, 20
_OPENED: Final = frozenset({"http", "https", "mailto"})
_groups = count(1)


@dataclass(slots=True)
class _List:
    ordered: bool
    next: int


@dataclass(slots=True)
class Style:
    """What holds for the text that comes."""

    bold: bool = False
    italic: bool = False
    strike: bool = False
    size: float = 1.0
    href: str = ""


def new_group() -> int:
    """A number that no other card of this program has."""
    return next(_groups)


def safe_link(href: str) -> str:
    """An address that a click may open; nothing for all others."""
    try:
        return href if urlsplit(href).scheme.lower() in _OPENED else ""
    except ValueError:
        return ""


class Writer:
    """Blocks and text of Markdown tokens, in a slot."""

    def __init__(self, slot: Slot, width: float, cites: str = "hearth:source") -> None:
        self.slot = slot
        self.width = width
        self.cites = cites
        self._lists: list[_List] = []
        self._quoted = 0
        self._heading = 0
        self._item_open = False
        self._in_cell = False
        self._first_number: int | None = None

    @property
    def formats(self) -> Formats:
        """How it looks."""
        return self.slot.formats

    def write(self, tokens: Sequence[Token], first_number: int | None = None) -> None:
        """Whole blocks; `first_number` is that of a list which goes on. Lists still open at the end are closed."""
        self._lists, self._quoted, self._heading, self._item_open, self._in_cell = [], 0, 0, False, False
        self._first_number = first_number
        for token in tokens:
            if token.nesting == 1:
                self._open(token)
            elif token.nesting == -1:
                self._close(token)
            else:
                self._block(token)

    def _open(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self._heading = int(token.tag[1])
            case "blockquote_open":
                self._quoted += 1
            case "bullet_list_open" | "ordered_list_open":
                self._open_list(token)
            case "list_item_open":
                self._item_open = True
            case "tr_open":
                self._mark_item()
                self.slot.block(self.formats.paragraph(left=self._left, quoted=self._quoted, top=4))
            case "th_open" | "td_open":
                self._in_cell = True
            case _:
                pass

    def _close(self, token: Token) -> None:
        match token.type:
            case "heading_close":
                self._heading = 0
            case "blockquote_close":
                self._quoted -= 1
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_close":
                self._mark_item()
            case "th_close" | "td_close":
                self._in_cell = False
                self.slot.text("  ", self.formats.plain)
            case _:
                pass

    def _block(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._paragraph(token)
            case "fence" | "code_block":
                self._mark_item()
                self._code(token)
            case "hr":
                self._mark_item()
                self.slot.block(self.formats.rule())
            case _:
                pass

    # -- blocks

    @property
    def _left(self) -> int:
        return _INDENT * len(self._lists)

    def _open_list(self, token: Token) -> None:
        self._mark_item()
        start = token.attrGet("start")
        number = 1 if start is None else int(start)
        if self._first_number is not None:
            number, self._first_number = self._first_number, None
        self._lists.append(_List(token.type.startswith("ordered"), number))

    def _paragraph(self, token: Token) -> None:
        children = token.children or []
        if self._in_cell:
            self.inline(self.slot.cursor, children)
        elif self._heading:
            self._mark_item()
            self.slot.block(self.formats.heading(self._heading, left=self._left, quoted=self._quoted))
            self.inline(self.slot.cursor, children, Style(bold=True, size=_size(self.formats, self._heading)))
        elif self._item_open:
            self._mark_item()
            self.inline(self.slot.cursor, _as_task(children))
        else:
            top = 4 if self._lists else 8
            self.slot.block(self.formats.paragraph(left=self._left, quoted=self._quoted, top=top))
            self.inline(self.slot.cursor, children)

    def _mark_item(self) -> None:
        """The marker of the item that was opened, at the head of its first block."""
        if not self._item_open or not self._lists:
            return
        self._item_open = False
        here = self._lists[-1]
        marker = f"{here.next}." if here.ordered else _BULLETS[min(len(self._lists), 3) - 1]
        here.next += 1
        hang = _HANG if len(marker) < 3 else 8 * len(marker) + 4
        self.slot.block(self.formats.item(left=max(self._left, hang), hang=hang, quoted=self._quoted))
        self.slot.text(f"{marker}\t", self.formats.char(colour="muted"))

    def _code(self, token: Token) -> None:
        words = token.info.split()
        group = self.code_head(words[0] if words else "", left=self._left)
        text = token.content.removesuffix("\n")
        lines = list(lexer.whole(lexer.lexer_for(words[0] if words else ""), text))
        for number, line in enumerate(lines):
            self.code_line(group, left=self._left, last=number == len(lines) - 1)
            self.code_text(line)

    def code_head(self, language: str, *, left: int = 0) -> int:
        """The line above code; gives the group of its lines."""
        group = new_group()
        small = self.formats.char(colour="muted", size=0.85)
        self.slot.block(self.formats.code_head(group, left=left, width=self.width))
        self.slot.text(f"{shown(language) or 'code'}\t", small)
        self.slot.text("Copy", self.formats.link(f"hearth:copy/{group}", small, colour="muted", underline=False))
        return group

    def code_line(self, group: int, *, left: int = 0, last: bool = False) -> None:
        """A line of code; an empty one is as high as the others."""
        self.slot.block(self.formats.code_line(group, left=left, last=last), self.formats.token(None))

    def code_text(self, line: Iterable[lexer.Token]) -> None:
        """The tokens of one line; neighbours of one look are written at once."""
        run, run_format = "", None
        for kind, text in line:
            text = shown(text.replace("\n", ""))
            made = self.formats.token(kind)
            if made is not run_format and run and run_format is not None:
                self.slot.text(run, run_format)
                run = ""
            run, run_format = run + text, made
        if run and run_format is not None:
            self.slot.text(run, run_format)

    # -- text

    def inline(self, cursor: QTextCursor, children: Sequence[Token], style: Style | None = None) -> None:
        """Text with its emphasis, links and code."""
        now = style or Style()
        stack: list[Style] = []
        for token in children:
            if token.nesting == 1:
                stack.append(now)
                now = _opened(now, token)
            elif token.nesting == -1:
                now = stack.pop() if stack else now
            else:
                self._leaf(cursor, token, now)

    def _leaf(self, cursor: QTextCursor, token: Token, style: Style) -> None:
        match token.type:
            case "text":
                self._text(cursor, token.content, style)
            case "code_inline":
                made = self.formats.char(code=True, bold=style.bold, size=style.size)
                cursor.insertText(shown(token.content), self._linked(made, style))
            case "softbreak" | "hardbreak":
                cursor.insertText("\u2028", self._format(style))
            case "image":
                name = token.content or "picture"
                href = safe_link(str(token.attrGet("src") or ""))
                cursor.insertText(f"[picture: {shown(name)}]", self._format(Style(href=href)))
            case _:
                cursor.insertText(shown(token.content), self._format(style))

    def _text(self, cursor: QTextCursor, text: str, style: Style) -> None:
        made = self._format(style)
        at = 0
        if not style.href:
            for cited in _CITED.finditer(text):
                if cited.start() > at:
                    cursor.insertText(shown(text[at : cited.start()]), made)
                pill = self.formats.pill(f"{self.cites}/{cited[1]}", size=0.8 * style.size, colour="accent")
                cursor.insertText(f"\u2009{cited[1]}\u2009", pill)
                at = cited.end()
        if at < len(text):
            cursor.insertText(shown(text[at:]), made)

    def _format(self, style: Style) -> QTextCharFormat:
        made = self.formats.char(bold=style.bold, italic=style.italic, strike=style.strike, size=style.size)
        return self._linked(made, style)

    def _linked(self, made: QTextCharFormat, style: Style) -> QTextCharFormat:
        return self.formats.link(style.href, made) if style.href else made


def _opened(style: Style, token: Token) -> Style:
    made = Style(style.bold, style.italic, style.strike, style.size, style.href)
    match token.type:
        case "strong_open":
            made.bold = True
        case "em_open":
            made.italic = True
        case "s_open":
            made.strike = True
        case "link_open":
            made.href = safe_link(str(token.attrGet("href") or ""))
        case _:
            pass
    return made


def _as_task(children: list[Token]) -> list[Token]:
    """`[ ]` and `[x]` at the head of an item as boxes."""
    if not children or children[0].type != "text" or not (box := _TASK.match(children[0].content)):
        return children
    sign = "☐" if box[1] == " " else "☑"
    first = children[0].copy(content=f"{sign} {children[0].content[box.end() :]}")
    return [first, *children[1:]]


def _size(formats: Formats, level: int) -> float:
    return formats.heading_text(level).font().pointSizeF() / formats.font.pointSizeF()
