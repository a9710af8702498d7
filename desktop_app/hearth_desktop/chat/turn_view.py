"""One turn in the document: the question on its card, the answer as it streams, and Hearth's own words around it."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from PySide6.QtGui import QTextCharFormat, QTextDocument

from hearth_desktop.chat import words
from hearth_desktop.chat.markdown.formats import Formats
from hearth_desktop.chat.markdown.lines import shown
from hearth_desktop.chat.markdown.slot import Slot
from hearth_desktop.chat.markdown.streaming import StreamingMarkdown
from hearth_desktop.chat.markdown.writer import new_group
from hearth_desktop.chat.turn import Turn
from hearth_shared.wire import Source

_LONG_QUESTION: Final = 900
_SMALL: Final = 0.88


class TurnView:
    """Four slots, one below the other. `width` is that of the column."""

    def __init__(self, document: QTextDocument, formats: Formats, turn: Turn, width: float) -> None:
        self.turn = turn
        """What it shows, or will with the next frames: text that comes is only put here."""
        self._formats = formats
        self._width = width
        self._question = Slot.behind(document, formats)
        self._thinking = Slot.behind(document, formats)
        self._answer = Slot.behind(document, formats)
        self._foot = Slot.behind(document, formats)
        self._fed = ""
        self._final = False
        self._whole_question = False
        self._open_thinking = False
        self._markdown = self._new_markdown()
        self._ask()
        self._show_around()

    @property
    def end(self) -> int:
        """Where its answer ends in the document."""
        return self._answer.end

    @property
    def begin(self) -> int:
        """Where it begins in the document."""
        return self._question.begin

    @property
    def is_drawn(self) -> bool:
        """Whether all that is known is in the document."""
        return self._fed == self.turn.shown_text and (self._final or self.turn.is_open) and not self._markdown.is_busy

    def update(self, turn: Turn) -> None:
        """Another state; its text is fed or begun anew as needed."""
        before, self.turn = self.turn, turn
        text = turn.shown_text
        if not text.startswith(self._fed) and self._fed.rstrip() != text.rstrip():
            self._answer.clear()
            self._markdown = self._new_markdown()
            self._fed, self._final = "", False
        if before.door != turn.door:
            self._question.clear()
            self._ask()
        if before.reasoning != turn.reasoning or bool(before.text) != bool(turn.text):
            self._think()
        self._show_around()

    def render(self, most: int) -> None:
        """A frame: at most so many characters that were not fed yet, and what the parser has."""
        text = self.turn.shown_text
        if self._final and not self._markdown.is_busy:
            return
        if len(self._fed) < len(text):
            new = text[len(self._fed) : len(self._fed) + most]
            self._fed += new
            self._markdown.feed(new)
        final = not self.turn.is_open and len(self._fed) >= len(text)
        if final and not self._final:
            self._fed = text
        self._final = final
        self._markdown.render(final=final)

    def fit(self, width: float) -> None:
        """The column has another width from now on."""
        self._width = width
        self._markdown.fit(width)

    def toggle_thinking(self) -> None:
        """Unfold what the model thought, or fold it."""
        self._open_thinking = not self._open_thinking
        self._think()

    def show_whole_question(self) -> None:
        """All of a long question."""
        self._whole_question = True
        self._question.clear()
        self._ask()

    def _new_markdown(self) -> StreamingMarkdown:
        return StreamingMarkdown(self._answer, self._width, f"hearth:source/{quote(self.turn.key)}")

    def _link(self, slot: Slot, text: str, verb: str, colour: str = "muted") -> None:
        small = self._formats.char(colour=colour, size=_SMALL)
        href = f"hearth:{verb}/{quote(self.turn.key)}"
        slot.text(text, self._formats.link(href, small, colour=colour, underline=False))

    def _small(self, colour: str = "muted") -> QTextCharFormat:
        return self._formats.char(colour=colour, size=_SMALL)

    # -- the question

    def _ask(self) -> None:
        turn, group = self.turn, new_group()
        text = shown(turn.question.strip("\n"))
        long = len(text) > _LONG_QUESTION and not self._whole_question
        if not text:
            return
        said = [f"with {', '.join(PurePath(name).name for name in turn.files)}"] if turn.files else []
        if turn.door not in ("", "tray"):
            said.append(f"asked in the {words.door(turn.door)}" if turn.door != "http" else "asked by a program")
        is_last = not said and not long
        self._question.block(self._formats.question(group, top=28, bottom=12 if is_last else 0))
        cut = f"{text[:_LONG_QUESTION].rstrip()}…" if long else text
        self._question.text(cut.replace("\n", "\u2028"), self._formats.plain)
        if long:
            self._question.block(self._formats.question(group, top=4, bottom=0 if said else 12))
            self._link(self._question, f"Show all {len(text):,} characters", "whole", "accent")
        if said:
            self._question.block(self._formats.question(group, top=4, bottom=12))
            self._question.text(" · ".join(said), self._small())

    # -- thinking

    def _think(self) -> None:
        self._thinking.clear()
        reasoning = self.turn.reasoning.strip()
        if not reasoning:
            return
        self._thinking.block(self._formats.aside(top=12))
        self._link(self._thinking, "▾ Thinking" if self._open_thinking else "▸ Thinking", "thinking")
        if self._open_thinking:
            block = self._formats.aside(top=4)
            block.setLeftMargin(16)
            for part in shown(reasoning).split("\n\n"):
                self._thinking.block(block)
                self._thinking.text(part.strip().replace("\n", "\u2028"), self._small())

    # -- the foot

    def _show_around(self) -> None:
        turn = self.turn
        self._foot.clear()
        if turn.doing:
            self._line(turn.doing, top=12)
        if turn.state == "failed":
            self._failed()
        elif turn.state == "stopped":
            self._broken("Stopped." if not turn.text else "You stopped it here.", "warn")
        elif turn.state == "finished":
            self._finished()

    def _line(self, text: str, colour: str = "muted", top: int = 4) -> None:
        self._foot.block(self._formats.aside(top=top))
        self._foot.text(shown(text), self._small(colour))

    def _broken(self, text: str, colour: str) -> None:
        self._line(text, colour, top=12)
        self._foot.text("   ", self._small())
        self._link(self._foot, "Ask again", "again", "accent")

    def _failed(self) -> None:
        failure = self.turn.failure
        self._foot.block(self._formats.aside(top=12))
        self._foot.text(
            shown(failure["detail"] if failure else "It came to no answer."), self._formats.char(colour="danger")
        )
        if failure and failure["fix"]:
            self._foot.block(self._formats.aside(top=4))
            self._foot.text(shown(failure["fix"]), self._formats.char(colour="muted"))
        self._foot.block(self._formats.aside(top=8))
        self._link(self._foot, "Try again", "again", "accent")

    def _finished(self) -> None:
        turn = self.turn
        if not turn.complete:
            self._broken("I stopped half way: the model broke off here.", "warn")
        for note in turn.notes:
            self._line(note)
        self._sources(turn.sources)
        self._label()

    def _sources(self, sources: Sequence[Source]) -> None:
        if not sources:
            return
        self._foot.block(self._formats.aside(top=12))
        for source in sources:
            gone = source["id"] in self.turn.forgotten
            colour = "muted" if gone or not source["cited"] else "text"
            pill = self._formats.pill(f"hearth:source/{quote(self.turn.key)}/{source['n']}", size=_SMALL, colour=colour)
            pill.setFontStrikeOut(gone)
            name = words.source_title(source).replace(" ", "\u00a0")
            self._foot.text(f"\u00a0{source['n']}\u00a0\u00a0{name}\u00a0", pill)
            self._foot.text("  ", self._small())

    def _label(self) -> None:
        turn = self.turn
        self._foot.block(self._formats.aside(top=12))
        if turn.made_by is not None:
            self._foot.text("●\u2002", self._formats.char(colour=words.tone(turn.made_by), size=_SMALL * 0.7))
            self._foot.text(words.made(turn.made_by, turn.tokens), self._small())
            self._foot.text("\u2003", self._small())
        if turn.text:
            self._link(self._foot, "Copy", "copy-answer")
            self._foot.text("\u2003", self._small())
        for rating, name in (("good", "Good"), ("bad", "Not\u00a0good")):
            given = turn.feedback == rating
            self._link(self._foot, f"✓ {name}" if given else name, f"rate-{rating}", "accent" if given else "muted")
            self._foot.text("\u2003", self._small())
