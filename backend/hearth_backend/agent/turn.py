"""What one run has come to so far."""

from dataclasses import dataclass, field

from hearth_backend.agent.journal import Journal
from hearth_backend.agent.ledger import Ledger
from hearth_backend.agent.meter import Meter
from hearth_backend.agent.taint import Taint
from hearth_shared.protocol.tasks import Answer, Budget, MadeBy, Tokens


@dataclass(slots=True)
class Turn:
    """The sources read, the text said, and by whom; parts of an answer count from 0, one for each model call."""

    journal: Journal
    ledger: Ledger = field(default_factory=Ledger)
    parts: list[str] = field(default_factory=list[str])
    made_by: MadeBy = field(default_factory=MadeBy)
    tokens: Tokens = field(default_factory=Tokens)
    notes: list[str] = field(default_factory=list[str])
    kept: bool = False
    meter: Meter = field(default_factory=lambda: Meter(Budget()))
    taint: Taint = field(default_factory=Taint)

    def __post_init__(self) -> None:
        self.taint.begin(self.journal.run)

    @property
    def text(self) -> str:
        """Everything said so far."""
        return "".join(self.parts)

    def note(self, text: str) -> None:
        """Something the person should know, said once."""
        if text and text not in self.notes:
            self.notes.append(text)

    def spend(self, more: Tokens) -> None:
        """Add a call's tokens; a cost that is not known makes the whole not known."""
        known = self.tokens.cost is not None and more.cost is not None
        self.tokens = Tokens(
            input=self.tokens.input + more.input,
            output=self.tokens.output + more.output,
            cost=(self.tokens.cost or 0.0) + (more.cost or 0.0) if known else None,
        )
        self.meter.spent(self.tokens)

    def answer(self, *, complete: bool = True) -> Answer:
        """The answer as it stands."""
        return Answer(
            text=self.text,
            sources=self.ledger.answering(self.text),
            made_by=self.made_by,
            tokens=self.tokens,
            complete=complete,
            notes=self.notes,
            local_only=any(entry.source.local_only for entry in self.ledger.entries()),
        )
