"""Streaming Markdown in a document of its own, and everything in that document as values that can be compared."""

from collections.abc import Iterable, Iterator

from PySide6.QtGui import QFont, QTextBlock, QTextDocument

from hearth_desktop.chat.markdown.formats import GROUP, Formats
from hearth_desktop.chat.markdown.fragments import fragments
from hearth_desktop.chat.markdown.slot import Slot
from hearth_desktop.chat.markdown.streaming import StreamingMarkdown
from hearth_shared.theme import PALETTES, Scheme

WIDTH = 700


def formats() -> Formats:
    """In light colours."""
    return Formats(PALETTES[Scheme.LIGHT], QFont("DejaVu Sans", 10), QFont("DejaVu Sans Mono", 9))


class Page:
    """One answer that streams, between what stands before and after it."""

    def __init__(self) -> None:
        self.document = QTextDocument()
        self.document.setUndoRedoEnabled(False)
        self.before = Slot.behind(self.document, formats())
        self.slot = Slot.behind(self.document, formats())
        self.after = Slot.behind(self.document, formats())
        self.before.block(formats().paragraph())
        self.before.text("what stands before", formats().plain)
        self.after.block(formats().paragraph())
        self.after.text("what stands after", formats().plain)
        self.markdown = StreamingMarkdown(self.slot, WIDTH)

    def stream(self, pieces: Iterable[str]) -> "Page":
        """Each piece a frame."""
        for piece in pieces:
            self.markdown.feed(piece)
            self.markdown.render()
        self.markdown.render(final=True)
        while self.markdown.is_busy:
            self.markdown.render(final=True)
        return self

    @property
    def text(self) -> str:
        """All that is to be read."""
        return self.document.toPlainText()

    def links(self) -> list[str]:
        """Where links lead, in order; those inside Hearth left out."""
        found = [part.charFormat().anchorHref() for block in self._blocks() for part in fragments(block)]
        return [href for href in found if href and not href.startswith("hearth:")]

    def colours(self, text: str) -> set[str]:
        """The colours of the line that holds this text."""
        lines = [block for block in self._blocks() if text in block.text()]
        return {part.charFormat().foreground().color().name() for line in lines for part in fragments(line)}

    def _blocks(self) -> Iterator[QTextBlock]:
        block = self.document.begin()
        while block.isValid():
            yield block
            block = block.next()

    def content(self) -> list[object]:
        """Blocks, their formats, their text and its formats."""
        seen: list[int] = []
        return [(_block(block, seen), _fragments(block, seen)) for block in self._blocks()]


def _block(block: QTextBlock, groups: list[int]) -> object:
    made = block.blockFormat()
    table = block.document().frameAt(block.position()).frameFormat().toTableFormat()
    widths = tuple(one.rawValue() for one in table.columnWidthConstraints())
    return (
        *(block.text(), made.leftMargin(), made.topMargin(), made.bottomMargin(), made.textIndent(), made.lineHeight()),
        *(made.headingLevel(), made.alignment().value, _number(made.intProperty(GROUP), groups), widths),
        *(made.intProperty(int(made.Property.UserProperty) + 1), made.intProperty(int(made.Property.UserProperty) + 3)),
    )


def _fragments(block: QTextBlock, groups: list[int]) -> list[object]:
    found: list[object] = []
    for part in fragments(block):
        made = part.charFormat()
        font = made.font()
        href = made.anchorHref()
        if href.startswith("hearth:copy/"):
            href = f"copy {_number(int(href.rpartition('/')[2]), groups)}"
        look = (font.weight(), font.italic(), font.strikeOut(), font.family(), round(font.pointSizeF(), 2))
        value = (part.text(), look, href, made.foreground().color().name())
        found.append(value)
    return found


def _number(group: int, seen: list[int]) -> int:
    """Groups are numbered anew in each document, in the order in which they are met."""
    if not group:
        return 0
    if group not in seen:
        seen.append(group)
    return seen.index(group) + 1
