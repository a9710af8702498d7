"""What an agent sees of the run it works for; the orchestrator implements it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from hearth_backend.agent.guard import Go, Guard
from hearth_backend.agent.run_view import RunView
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Answer

__all__ = ["Executor", "Journal", "RunView"]


class Journal(Protocol):
    """Steps are remembered over a crash; text and events reach the person in commit order."""

    @property
    def run(self) -> RunView: ...

    def act_as(self, agent_id: str) -> None:
        """The run named no agent, and this one does it: `run.agent_id` says so from here on."""
        ...

    async def step(self, name: str, call_id: str, body: Callable[[], Awaitable[Any]]) -> Any:
        """The JSON value of `body`, finished at most once per (run, position) and remembered; a replay that comes to
        another step at the same position fails the run instead of mixing two histories. After a crash in the middle
        of it, it is done again: for what changes something outside there is `effect`."""
        ...

    async def effect(
        self,
        name: str,
        call_id: str,
        args: Mapping[str, Any],
        guard: Guard,
        body: Callable[[Go, str], Awaitable[Any]],
        *,
        repeatable: bool = False,
    ) -> Any:
        """Like `step`, for what changes something outside: its intent, its beginning and its end are on disk in turn.

        `body` gets the leave and an idempotency key that is the same in every attempt. Found begun and not done after
        a crash, it is done again with that key if `repeatable`; else its outcome is unknown, and the guard settles
        it. What the guard refuses is remembered as `{"refused": why}`. Raises Suspended while nobody has decided.
        """
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
