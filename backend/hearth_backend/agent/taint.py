"""What a run has read that matters for what it may do: words of strangers, and the person's own things."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from hearth_backend.agent.guard import Because
from hearth_backend.agent.ledger import shortened
from hearth_backend.agent.run_view import RunView
from hearth_shared.protocol.tasks import Source

_QUOTES: Final = 4
_QUOTE: Final = 400


@dataclass(slots=True)
class Taint:
    """Once tainted, a run stays so. The quotes are the latest words of strangers, for the person who decides."""

    tainted: bool = False
    private: bool = False
    quotes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def read(self, sources: Iterable[Source]) -> None:
        """Sources that the model was shown."""
        for source in sources:
            if not source.trusted or source.kind == "page":
                self.hear(source.quote, source.url or source.title or source.id)
            self.private = self.private or source.kind in ("memory", "file")

    def hear(self, text: str, source: str) -> None:
        """Words that nobody vouches for."""
        self.tainted = True
        self.quotes.append({"text": shortened(text, _QUOTE), "source": source, "trusted": False})
        del self.quotes[:-_QUOTES]

    def begin(self, run: RunView) -> None:
        """What a run starts with: what lies beside its question, and what the conversation before it rested on."""
        for message in run.history:
            self.read(source for source in message.sources if source.cited or not source.trusted)
        for file in run.context.files:
            if file.origin == "file":
                self.private = True
            else:
                self.hear(file.text, file.name)

    def because(self) -> Because:
        """As a guard hears it."""
        return Because(self.tainted, self.private, tuple(self.quotes))
