"""The approval card: who asks, what exactly, because of what, what it can reach, what undo would do; four answers.

Nothing is default. Keys and buttons work only once the card has been in sight for half a second, so that what a person
was typing elsewhere can never decide.
"""

from typing import Any, Final

from PySide6.QtCore import QEvent, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from hearth_desktop.approvals import words
from hearth_desktop.approvals.answer import AnswerBox
from hearth_desktop.approvals.codebox import CodeBox
from hearth_desktop.marks import Radio
from hearth_desktop.theme import Look
from hearth_desktop.widgets import (
    S1,
    S2,
    S3,
    S4,
    button,
    clear,
    column,
    frame,
    heading,
    holding,
    label,
    line,
    row,
    say,
)
from hearth_shared.wire import Approval

ARMED_AFTER_MS: Final = 500
_CHOICES: Final = (
    ("accept", "A", "&Accept"),
    ("edit", "E", "&Edit…"),
    ("respond", "R", "&Respond…"),
    ("ignore", "I", "&Ignore"),
)
_MEANS: Final = {
    "accept": "Do exactly this, once (A)",
    "edit": "Do something else instead: change what it does first (E)",
    "respond": "Do not do it, and say why: the task reads it (R)",
    "ignore": "Do not do it; the task goes on without it (I)",
}


class ApprovalCard(QWidget):
    """Shows one approval and emits what the person decides about it."""

    decided = Signal(str, object)
    """The id, and a DecisionRequest."""

    def __init__(self, look: Look, *, armed_after_ms: int = ARMED_AFTER_MS) -> None:
        super().__init__()
        self._look = look
        self._approval: Approval | None = None
        self._sent = False
        self._content = column(spacing=S3, margins=S4)
        self._state = label(kind="muted")
        self._note = label()
        self._once = Radio("Once: for exactly this, now")
        self._once.setChecked(True)
        self._run = Radio("Until the task ends: for this, and for calls like it")
        self._answer = AnswerBox()
        self._buttons = {choice: button(text, hint=_MEANS[choice]) for choice, _, text in _CHOICES}
        self._shortcuts = {choice: QShortcut(QKeySequence(key), self) for choice, key, _ in _CHOICES}
        self._arming = QTimer(self, singleShot=True, interval=armed_after_ms)
        self._choices = self._bottom()
        self._build()
        self._connect()
        self._arm(False)

    @property
    def is_armed(self) -> bool:
        """Whether an answer would count."""
        return self._buttons["accept"].isEnabled()

    @property
    def answer(self) -> AnswerBox:
        """Where the person changes it, or says why not."""
        return self._answer

    @property
    def shortcuts(self) -> list[QShortcut]:
        """The keys that decide."""
        return list(self._shortcuts.values())

    @property
    def approval_id(self) -> str:
        """The id of what is shown; empty for nothing."""
        return "" if self._approval is None else self._approval["id"]

    def show_approval(self, approval: Approval, now: float) -> None:
        """The card of this one. The same one again only tells how it stands: what is being typed stays."""
        is_new = self._approval is None or self._approval["id"] != approval["id"]
        was_pending = self._approval is not None and self._approval["status"] == "pending"
        self._approval = approval
        self.setAccessibleName(words.aloud(approval))
        if is_new:
            self._sent = False
            self._answer.close_box()
            self._once.setChecked(True)
            self._run.setVisible(approval["run_id"] is not None and approval["kind"] == "act")
            self._fill(approval)
            say(self._note, "")
        pending = approval["status"] == "pending"
        self._tell_state(approval, now)
        self._choices.setVisible(pending)
        if not pending:
            self._answer.close_box()
        if is_new or pending != was_pending:
            self._await_sight()

    def say_refused(self, text: str) -> None:
        """The answer did not count."""
        self._sent = False
        say(self._note, text, "warn")
        self._choices.setVisible(self._is_open())
        self._await_sight()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._await_sight()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._arm(False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self._answer.is_open:
            self._await_sight()

    def _build(self) -> None:
        inner = holding(self._content)
        inner.setObjectName("cardContent")
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("What is asked")
        below = column(self._state, self._note, self._answer, self._choices, spacing=S2, margins=S4)
        below.setContentsMargins(S4, S3, S4, S4)
        self.setLayout(column(scroll, line(), holding(below), spacing=0))
        scroll.setSizePolicy(scroll.sizePolicy().horizontalPolicy(), scroll.sizePolicy().Policy.Expanding)

    def _bottom(self) -> QWidget:
        buttons = row(*self._buttons.values(), -1, spacing=S2)
        return holding(column(self._once, self._run, S1, buttons, spacing=S1))

    def _connect(self) -> None:
        self._arming.timeout.connect(self._on_seen)
        self._answer.sent.connect(self._on_answer)
        self._answer.left.connect(self._on_left)
        slots = {"accept": self._accept, "edit": self._edit, "respond": self._respond, "ignore": self._ignore}
        for choice, slot in slots.items():
            self._buttons[choice].clicked.connect(slot)
            self._shortcuts[choice].setAutoRepeat(False)
            self._shortcuts[choice].activated.connect(slot)

    def _fill(self, approval: Approval) -> None:
        clear(self._content)
        add = self._content.addWidget
        task = words.task(approval)
        add(_part("Who asks", label(words.who(approval) + (f", for task {task}" if task else ""), selectable=True)))
        add(self._what(approval))
        if why := words.why(approval):
            add(_part("Why it asks", label(why, selectable=True)))
        if quotes := [self._quote(quote) for quote in words.quotes(approval)]:
            add(_part("Because of", holding(column(*quotes, spacing=S2))))
        add(_part("Can reach", label(words.reach(approval), selectable=True)))
        add(_part("Undo", label(words.undo(approval), selectable=True)))
        add(_part("Fingerprint", label(approval["sha256"], "muted", selectable=True)))
        self._content.addStretch(1)

    def _what(self, approval: Approval) -> QWidget:
        parts: list[QWidget] = [heading(words.tool(approval))]
        if note := words.hidden_words(words.hidden(approval)):
            parts.append(label(note, "warn"))
        for field in words.fields(approval["args"]):
            parts.append(label(field.name, "muted"))
            parts.append(CodeBox(field.text, f"{words.tool(approval)}: {field.name}", self._look))
        if shown := words.preview(approval):
            parts.append(label("What would change", "muted"))
            parts.append(CodeBox(shown, f"{words.tool(approval)}: what would change", self._look))
        if not approval["args"]:
            parts.append(label("Without arguments.", "muted"))
        return _part("What exactly", holding(column(*parts, spacing=S1)))

    def _quote(self, quote: words.Quote) -> QWidget:
        parts = [label(f"“{quote.text}”", selectable=True), label(quote.source, "muted", selectable=True)]
        if quote.mark:
            parts.insert(0, label(f"{quote.mark[0].upper()}{quote.mark[1:]}: nobody vouches for it", "warn"))
        return frame("notice", column(*parts, spacing=S1, margins=S3))

    def _tell_state(self, approval: Approval, now: float) -> None:
        if outcome := words.outcome(approval, now):
            said = words.reply(approval)
            say(
                self._state,
                f"{outcome}\n{said}" if said else outcome,
                "ok" if approval["decision"] == "accept" else "muted",
            )
        else:
            say(self._state, words.expires(approval, now))

    @Slot()
    def _await_sight(self) -> None:
        """Seen anew: half a second from now."""
        self._arm(False)
        if self.isVisible() and self._is_open():
            self._arming.start()

    @Slot()
    def _on_seen(self) -> None:
        self._arm(self.isVisible() and self._is_open())

    def _arm(self, armed: bool) -> None:
        if not armed:
            self._arming.stop()
        for choice, made in self._buttons.items():
            made.setEnabled(armed)
            self._shortcuts[choice].setEnabled(armed)

    def _is_open(self) -> bool:
        pending = self._approval is not None and self._approval["status"] == "pending"
        return pending and not self._sent and not self._answer.is_open

    @Slot()
    def _accept(self) -> None:
        self._send({"decision": "accept", **self._remembered()})

    @Slot()
    def _ignore(self) -> None:
        self._send({"decision": "ignore", **self._remembered()})

    @Slot()
    def _edit(self) -> None:
        if self.is_armed and self._approval is not None:
            self._answer.edit(words.editable(self._approval["args"]))
            self._while_writing()

    @Slot()
    def _respond(self) -> None:
        if self.is_armed and self._approval is not None:
            self._answer.respond()
            self._while_writing()

    @Slot(object)
    def _on_answer(self, decision: dict[str, Any]) -> None:
        self._answer.close_box()
        self._send(decision, armed=True)

    @Slot()
    def _on_left(self) -> None:
        self._choices.setVisible(True)
        self._await_sight()

    def _remembered(self) -> dict[str, str]:
        """How long the answer holds; once is what nobody has to say."""
        return {"remember": "run"} if self._run.isChecked() else {}

    def _while_writing(self) -> None:
        self._choices.setVisible(False)
        self._arm(False)

    def _send(self, decision: dict[str, Any], *, armed: bool = False) -> None:
        if self._approval is None or self._sent or not (armed or self.is_armed):
            return
        self._sent = True
        self._arm(False)
        say(self._note, "")
        self.decided.emit(self._approval["id"], decision)


def _part(title: str, content: QWidget) -> QWidget:
    return holding(column(label(title, "muted"), content, spacing=S1))
