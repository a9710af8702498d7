"""The orchestrator on a real database, with a clock and an executor that tests conduct."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hearth_backend.agent.journal import Executor, Journal
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.approvals import Approvals
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.requester import PERSON, Requester
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.orchestrator.threads import Threads
from hearth_backend.orchestrator.worker import Worker
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.protocol.events import Event, EventGap, EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import Answer
from hearth_shared.settings import Runs as Settings
from support.clock import Clock

AGENT = "assistant"
ME = Requester(PERSON, Door.CLI, "cli", frozenset({"main"}), "request-1")
IN_THE_TRAY = Requester(PERSON, Door.TRAY, "tray", frozenset({"main"}), "request-2")
STRANGER = Requester("client:stranger", Door.HTTP, "stranger", frozenset({"main"}), "request-3")
OTHER_STRANGER = Requester("client:other", Door.HTTP, "other", frozenset({"main"}), "request-4")
Script = Callable[[Journal], Awaitable[Answer]]


@dataclass(frozen=True)
class Orchestra:
    """One process' worth of orchestrator."""

    database: Database
    clock: Clock
    settings: Settings
    events: EventLog
    runs: Runs
    threads: Threads
    approvals: Approvals

    @contextlib.asynccontextmanager
    async def working(self, script: Script) -> AsyncGenerator[Worker]:
        """A worker that does every run by `script`."""
        worker = Worker(self.runs, Scripted(script), self.settings, Tracer(), Metrics())
        worker.start()
        try:
            yield worker
        finally:
            await worker.stop()

    async def story(self, run_id: str, *, owner: str = PERSON) -> list[Event]:
        """All events of a run, up to its end."""
        return only_events([event async for event in self.events.follow(owner, after_seq=None, run_id=run_id)])

    async def until(self, run_id: str, kind: EventType) -> Event:
        """The first event of this kind."""
        following = self.events.follow(PERSON, after_seq=None, run_id=run_id)
        async with contextlib.aclosing(following):
            async for event in following:
                if isinstance(event, Event) and event.type is kind:
                    return event
        raise AssertionError(f"{run_id} ended without {kind}")


@dataclass(frozen=True)
class Scripted(Executor):
    """An executor made of one function."""

    script: Script

    async def __call__(self, journal: Journal) -> Answer:
        return await self.script(journal)


@contextlib.asynccontextmanager
async def orchestra(
    path: Path, *, settings: Settings | None = None, clock: Clock | None = None, waiting: int = 1024
) -> AsyncGenerator[Orchestra]:
    """Opened on the database at `path`, which may have been left by an earlier one."""
    settings, clock = settings or Settings(), clock or Clock()
    database = Database(path, hearth.MIGRATIONS)
    events = EventLog(database, clock=clock, waiting=waiting)
    runs = Runs(database, events, settings, [AGENT, "scribe"], clock=clock)
    try:
        yield Orchestra(
            database=database,
            clock=clock,
            settings=settings,
            events=events,
            runs=runs,
            threads=Threads(database, [AGENT, "scribe"], clock=clock),
            approvals=Approvals(database, events, settings, clock, resumed=runs.wake),
        )
    finally:
        events.close()
        await database.close()


def only_events(items: Iterable[Event | EventGap]) -> list[Event]:
    """The same, sure that nothing is missing in between."""
    events = [item for item in items if isinstance(item, Event)]
    assert len(events) == len(list(items))
    return events


async def first(count: int, items: AsyncIterator[Event | EventGap]) -> list[Event]:
    """The first few events."""
    found: list[Event | EventGap] = []
    async for item in items:
        found.append(item)
        if len(found) == count:
            break
    return only_events(found)


def shown(events: Iterable[Event]) -> str:
    """What a person has on the screen after these events; text that does not fit where it should go is an error."""
    parts: dict[int, str] = {}
    for event in events:
        part = event.data.get("part", 0)
        if event.type is EventType.TEXT_RESET:
            parts.pop(part, None)
        elif event.type is EventType.TEXT_DELTA:
            assert event.data["offset"] == len(parts.get(part, "")), (event, parts)
            parts[part] = parts.get(part, "") + event.data["text"]
    return "".join(text for _, text in sorted(parts.items()))


async def say_ok(_: Journal) -> Answer:
    """The shortest script."""
    return Answer(text="ok")
