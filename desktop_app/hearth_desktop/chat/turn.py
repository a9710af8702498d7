"""One turn of a conversation: what was asked, and how far its answer is. Values, that need no Qt to think about."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from hearth_shared.wire import Failure, MadeBy, Source, Task, ThreadMessage, Tokens

State = Literal["sending", "waiting", "writing", "finished", "failed", "stopped"]
OPEN: Final = frozenset({"sending", "waiting", "writing"})


@dataclass(frozen=True, slots=True)
class Turn:
    """`text` is the answer so far. `doing` says what happens while no text comes."""

    key: str
    """What it is known by here, before the backend has given it ids."""
    question: str
    asked_at: float
    run_id: str = ""
    door: str = ""
    files: tuple[str, ...] = ()
    state: State = "waiting"
    doing: str = ""
    text: str = ""
    reasoning: str = ""
    message_id: str = ""
    sources: tuple[Source, ...] = ()
    made_by: MadeBy | None = None
    tokens: Tokens | None = None
    complete: bool = True
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    feedback: Literal["good", "bad"] | None = None
    forgotten: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def is_open(self) -> bool:
        """Whether more is to come."""
        return self.state in OPEN

    @property
    def shown_text(self) -> str:
        """The answer as Markdown."""
        no_model = self.made_by is not None and self.made_by["where"] == "no model"
        return quotes_as_markdown(self.text) if no_model and self.sources else self.text

    def without(self, ids: Sequence[str]) -> "Turn":
        """The same, when these memories are forgotten."""
        gone = frozenset(source["id"] for source in self.sources if source["id"] in ids)
        return replace(self, forgotten=self.forgotten | gone) if gone - self.forgotten else self


def turns_of(messages: Sequence[ThreadMessage]) -> list[Turn]:
    """A thread's turns; a question without an answer is open until its task says more."""
    turns: list[Turn] = []
    for message in messages:
        if message["role"] == "user":
            turns.append(_asked(message))
        elif turns and turns[-1].run_id == (message["run_id"] or ""):
            turns[-1] = answered(turns[-1], message)
        else:
            turns.append(answered(_unasked(message), message))
    return turns


def answered(turn: Turn, message: ThreadMessage) -> Turn:
    """With its stored answer."""
    return replace(
        turn,
        state="finished",
        text=message["text"],
        message_id=message["id"],
        sources=tuple(message["sources"]),
        made_by=message["made_by"],
        complete=message["complete"],
        feedback=message["feedback"],
        doing="",
    )


def settled(turn: Turn, task: Task) -> Turn:
    """With what its task came to, when it did not come to an answer that was stored."""
    answer = task["answer"]
    if answer is not None:
        turn = replace(
            turn,
            text=answer["text"],
            sources=tuple(answer["sources"]),
            made_by=answer["made_by"],
            tokens=answer["tokens"],
            complete=answer["complete"],
            notes=tuple(answer["notes"]),
        )
    match task["status"]:
        case "finished":
            return replace(turn, state="finished", doing="")
        case "failed" | "dead":
            return replace(turn, state="failed", failure=task["failure"], doing="")
        case "cancelled":
            return replace(turn, state="stopped", doing="")
        case _:
            return turn


def quotes_as_markdown(text: str) -> str:
    """An answer made of quotes: each head a paragraph, each quote (indented by four) a quote of Markdown's."""
    out: list[str] = []
    quoting = False
    for line in text.split("\n"):
        is_quote = line.startswith("    ") or (quoting and not line.strip())
        if is_quote and not quoting:
            out.append("")
        if quoting and not is_quote and line.strip():
            out.append("")
        quoting = is_quote
        out.append(f"> {line[4:]}".rstrip() if line.startswith("    ") else line)
    return "\n".join(out)


def _asked(message: ThreadMessage) -> Turn:
    return Turn(
        key=message["id"], question=message["text"], asked_at=message["created_at"], run_id=message["run_id"] or ""
    )


def _unasked(message: ThreadMessage) -> Turn:
    return Turn(key=message["id"], question="", asked_at=message["created_at"], run_id=message["run_id"] or "")
