"""What an agent sees of the run it works for; the orchestrator implements it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Answer, Lane, TaskContext
from hearth_shared.protocol.threads import ThreadMessage


@dataclass(frozen=True, slots=True)
class RunView:
    """One attempt at one run."""

    id: str
    agent_id: str
    thread_id: str | None
    goal: str
    context: TaskContext
    history: Sequence[ThreadMessage]
    lane: Lane
    door: str
    owner: str
    principal: str
    spaces: frozenset[str]
    local_only: bool
    attempt: int
    seconds_left: float | None


class Journal(Protocol):
    """Steps are remembered over a crash; text and events reach the person in commit order."""

    @property
    def run(self) -> RunView: ...

    async def step(
        self,
        name: str,
        call_id: str,
        body: Callable[[], Awaitable[Any]],
        *,
        effect: Literal["read", "write"] = "read",
    ) -> Any:
        """The JSON value of `body`, run at most once per (run, position) and remembered; a replay that comes to
        another step at the same position fails the run instead of mixing two histories. After a crash in the middle
        of it, a step that reads is done again; one that writes fails the run, for nobody knows how far it came."""
        ...

    async def emit(self, kind: EventType, data: Mapping[str, Any]) -> None:
        """An event, on disk before it is sent."""
        ...

    async def text(self, part: int, text: str) -> None:
        """More of the answer; joined into frames of 40 ms, the first at once."""
        ...

    async def reset(self, part: int) -> None:
        """What was sent of this part does not count (another model begins again)."""
        ...


class Executor(Protocol):
    """Does one run. Raises HearthError to fail it; asyncio.CancelledError passes through."""

    async def __call__(self, journal: Journal) -> Answer: ...
