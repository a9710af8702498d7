"""What stands between an agent and everything that changes something: whether it may, and what to do when nobody knows
whether it was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hearth_backend.agent.run_view import RunView


class Suspended(BaseException):
    """The run cannot go on yet (a person has not decided, a sub-task is not done). It is laid aside without using up an
    attempt, and comes back to the same step when that has changed."""


@dataclass(frozen=True, slots=True)
class Because:
    """What the run has read until now: whether any of it came from strangers, whether any of it is the person's own,
    and quotes for the person who decides, each {text, source, trusted}."""

    tainted: bool = False
    private: bool = False
    quotes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """One call that changes something. `key` is the same in every attempt: whoever does it may refuse it twice. `begun`
    counts how often it was begun: leave to do it again is for once, too."""

    key: str
    run: RunView
    tool: str
    call_id: str
    args: Mapping[str, Any]
    because: Because = Because()
    begun: int = 0


@dataclass(frozen=True, slots=True)
class Go:
    """Do it, with exactly these arguments (a person may have edited them), and only while `sha256` is what they and the
    state of the world come to (see tools/binding.py); empty for what is bound to nothing."""

    args: Mapping[str, Any]
    approval_id: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Leave it; the run goes on and reads why."""

    text: str


Verdict = Go | Refused


class Guard(Protocol):
    """Decides over effects, by rule or by asking a person. Both questions raise Suspended while nobody has answered;
    asked again for the same key, the same question is meant."""

    def watches(self, run: RunView, tool: str, args: Mapping[str, Any]) -> bool:
        """Whether a call that only reads has to be asked about like one that writes. Must not change over a replay
        of the same step for the worse: what was asked for once is in the journal."""
        ...

    async def ask(self, effect: Effect) -> Verdict:
        """Whether it may be done. A grant may be used again by its own key: the journal sees to it that it is done
        once."""
        ...

    async def settle(self, effect: Effect) -> Verdict:
        """It was begun, Hearth stopped, and nobody knows whether it was done: Go does it (again), Refused leaves it."""
        ...
