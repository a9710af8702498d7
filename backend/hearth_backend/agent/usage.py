"""Which of the passages laid before a model its answer used. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hearth_backend.agent.ledger import Entry, cited_numbers
from hearth_backend.memory.text import STOP, words

_ECHOED: Final = 0.5  # of a passage's telling words stand in the answer
_FEWEST: Final = 3  # words; fewer stand anywhere by chance


@dataclass(frozen=True, slots=True)
class Use:
    """Passages by what became of them."""

    cited: int = 0
    echoed: int = 0
    unused: int = 0


def use_of(entries: Iterable[Entry], answer: str) -> Use:
    """A passage is used when it is cited, or when the answer says what it says without citing it."""
    numbers, said = cited_numbers(answer), _telling(answer)
    laid = list(entries)
    cited = [entry for entry in laid if entry.source.n in numbers]
    echoed = [entry for entry in laid if entry.source.n not in numbers and _echoes(entry, said)]
    return Use(len(cited), len(echoed), len(laid) - len(cited) - len(echoed))


def _echoes(entry: Entry, said: set[str]) -> bool:
    telling = _telling(entry.text)
    return len(telling) >= _FEWEST and len(telling & said) >= _ECHOED * len(telling)


def _telling(text: str) -> set[str]:
    return {word for word in words(text) if word not in STOP}
