"""A journal in memory that remembers steps as the real one does, and a run to go with it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hearth_backend.agent.guard import Effect, Go, Guard
from hearth_backend.agent.run_view import RunView
from hearth_shared.errors import HearthError
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Lane, TaskContext

RUN = RunView(
    id="run_1",
    agent_id="assistant",
    thread_id="thread_1",
    goal="Who is my dentist?",
    context=TaskContext(),
    history=(),
    lane=Lane.CHAT,
    door="cli",
    owner="person",
    principal="cli",
    spaces=frozenset({"main"}),
    local_only=False,
    attempt=1,
    seconds_left=None,
)


@dataclass
class MemoryJournal:
    """Keeps steps, events and text where a test can look."""

    run: RunView = RUN
    steps: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    events: list[tuple[EventType, Mapping[str, Any]]] = field(default_factory=list[tuple[EventType, Mapping[str, Any]]])
    parts: dict[int, str] = field(default_factory=dict[int, str])
    resets: list[int] = field(default_factory=list[int])
    done: list[str] = field(default_factory=list[str])
    speaking: asyncio.Event = field(default_factory=asyncio.Event)
    _position: int = 0

    def act_as(self, agent_id: str) -> None:
        self.run = replace(self.run, agent_id=agent_id)

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
        key = f"{self.run.id}:{self._position}"

        async def permitted() -> Any:
            verdict = await guard.ask(Effect(key, self.run, name, call_id, args))
            return await body(verdict, key) if isinstance(verdict, Go) else {"refused": verdict.text}

        return await self.step(name, call_id, permitted)

    async def step(self, name: str, call_id: str, body: Callable[[], Awaitable[Any]]) -> Any:
        if self._position < len(self.steps):
            known, known_id, value = self.steps[self._position]
            assert (known, known_id) == (name, call_id), "a replay came to another step"
        else:
            try:
                value = json.loads(json.dumps(await body()))
            except HearthError as error:
                value = error
            self.steps.append((name, call_id, value))
            self.done.append(name)
        self._position += 1
        if isinstance(value, HearthError):
            raise value
        return value

    async def emit(self, kind: EventType, data: Mapping[str, Any]) -> None:
        self.events.append((kind, json.loads(json.dumps(data))))

    async def text(self, part: int, text: str) -> None:
        self.parts[part] = self.parts.get(part, "") + text
        self.speaking.set()

    async def reset(self, part: int) -> None:
        self.parts.pop(part, None)
        self.resets.append(part)

    def said(self) -> str:
        """What a client shows."""
        return "".join(text for _, text in sorted(self.parts.items()))

    def kinds(self) -> list[EventType]:
        """The types of the events, in order."""
        return [kind for kind, _ in self.events]

    def again(self, steps: int) -> "MemoryJournal":
        """The journal of the next attempt, after a crash that left the first `steps` steps."""
        return MemoryJournal(replace(self.run, attempt=self.run.attempt + 1), self.steps[:steps])
