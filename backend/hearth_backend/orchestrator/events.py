"""The event log: on disk before anybody hears of it, and followed from any place in it without gap or repeat."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import Field
from pydantic_core import to_json

from hearth_backend.orchestrator import store
from hearth_backend.orchestrator.missing import no_task
from hearth_backend.orchestrator.requester import PERSON
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.protocol.events import Event, EventGap, EventType
from hearth_shared.protocol.tasks import FINAL

T = TypeVar("T")
ENDS_RUN: Final = frozenset({EventType.TASK_FINISHED, EventType.TASK_FAILED, EventType.TASK_CANCELLED})
_APPROVALS: Final = frozenset({EventType.APPROVAL_REQUESTED, EventType.APPROVAL_DECIDED, EventType.APPROVAL_EXPIRED})
_PAGE: Final = 256
_LOGGED: Final = 500
_PRUNED_AT_ONCE: Final = 2000
_WAITING: Final = 1024


class LoggedEvent(Event):
    """An event and whose it is; the owner does not go over the wire."""

    owner: str = Field(default=PERSON, exclude=True)


class Stored(NamedTuple):
    """An event that is stored and not made yet: most are heard by nobody, and making one costs more than storing it."""

    seq: int
    at: float
    kind: EventType
    run_id: str | None
    thread_id: str | None
    owner: str
    door: str
    data: Mapping[str, Any]

    def made(self) -> LoggedEvent:
        return LoggedEvent.model_construct(
            seq=self.seq,
            time=self.at,
            type=self.kind,
            run_id=self.run_id,
            thread_id=self.thread_id,
            door=self.door,
            data=self.data,
            owner=self.owner,
        )


Told = Event | Stored
"""What may be published."""


class EventLog:
    """Writes events inside other rooms' transactions, and tells followers once they are on disk."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time, waiting: int = _WAITING) -> None:
        self._database = database
        self._clock = clock
        self._waiting = waiting
        self._inboxes: set[_Inbox] = set()
        self._closed = False

    def append(
        self,
        connection: Connection,
        kind: EventType,
        *,
        run_id: str | None = None,
        thread_id: str | None = None,
        owner: str = PERSON,
        door: str = "",
        data: Mapping[str, Any],
    ) -> Event:
        """Store an event inside a `Database.write` closure; give it to `publish` once that is committed."""
        return self.put(connection, kind, run_id, thread_id, owner, door, data).made()

    def put(
        self,
        connection: Connection,
        kind: EventType,
        run_id: str | None,
        thread_id: str | None,
        owner: str,
        door: str,
        data: Mapping[str, Any],
    ) -> Stored:
        """`append` for the paths that every task takes."""
        at = self._clock()
        seq = store.add_event(connection, (at, kind.value, run_id, thread_id, owner, door, to_json(data).decode()))
        return Stored(seq, at, kind, run_id, thread_id, owner, door, data)

    def publish(self, events: Iterable[Told]) -> None:
        """Tell the followers, on the event loop and in commit order: as `committed=` of the write."""
        if not self._inboxes:
            return
        for told in events:
            event = told.made() if isinstance(told, Stored) else told
            for inbox in self._inboxes:
                inbox.offer(event)

    async def write(
        self,
        work: Callable[[Connection], tuple[T, Sequence[Told]]],
        committed: Callable[[T], None] | None = None,
        *,
        patient: bool = False,
    ) -> T:
        """`Database.write` for `work` that returns events beside its value: they are published."""

        def done(result: tuple[T, Sequence[Told]]) -> None:
            self.publish(result[1])
            if committed is not None:
                committed(result[0])

        return (await self._database.write(work, done, patient=patient))[0]

    async def record(
        self,
        kind: EventType,
        *,
        run_id: str | None = None,
        thread_id: str | None = None,
        owner: str = PERSON,
        door: str = "",
        data: Mapping[str, Any],
    ) -> Event:
        """Store and publish one event."""

        def work(connection: Connection) -> tuple[Event, Sequence[Event]]:
            event = self.append(connection, kind, run_id=run_id, thread_id=thread_id, owner=owner, door=door, data=data)
            return event, (event,)

        return await self.write(work)

    async def follow(
        self, owner: str, *, after_seq: int | None, run_id: str | None = None
    ) -> AsyncGenerator[Event | EventGap]:
        """What `owner` may see after `after_seq`, first from the table and then live; it ends with `close`.

        With `run_id`, that run's events alone, up to its last. `after_seq` None means from the run's beginning, or
        without a run from now on. Nothing is lost or doubled: a follower too slow for its queue reads the table
        again. An EventGap comes first when what was asked for is not kept any more.
        """
        with self._inbox(owner, run_id) as inbox:
            cursor = after_seq if after_seq is not None else 0 if run_id else await self.now()
            if run_id is None and (gap := await self._gap(cursor)):
                cursor = gap.seq
                yield gap
            while batch := await self._next(inbox, cursor):
                for event in batch:
                    cursor = event.seq
                    yield event
                    if run_id and event.type in ENDS_RUN and await self._is_over(inbox, cursor):
                        return
            if run_id and not await self._page(inbox, 0, limit=1):  # a run's events are pruned all together
                yield EventGap(seq=cursor)

    async def now(self) -> int:
        """The place after all that has happened. `follow` looks for it when it is first read; who says sooner that
        everything from now on will be told asks for it here, and follows from there."""
        return await self._database.read(store.newest_seq)

    async def told(self, run_id: str, kinds: Collection[EventType]) -> list[tuple[float, EventType, Mapping[str, Any]]]:
        """The last events of these types in a run, in order: when, what, and its data."""
        rows = await self._database.read(lambda c: store.events_of_run(c, run_id, kinds, _LOGGED))
        return [(row["at"], EventType(row["type"]), json.loads(row["data"])) for row in rows]

    async def prune(self, before: float) -> int:
        """Delete events older than `before`, except those of open runs; how many went."""
        total = 0
        while gone := await self._database.write(lambda c: store.prune_events(c, before, _PRUNED_AT_ONCE)):
            total += gone
        return total

    def close(self) -> None:
        """End every `follow`, so that open streams do not hold up a stop."""
        self._closed = True
        for inbox in self._inboxes:
            inbox.shut()

    async def _next(self, inbox: "_Inbox", cursor: int) -> Sequence[Event]:
        """The next events after `cursor`, from the table until it is read up, then live; none at the end."""
        while not self._closed:
            if not inbox.is_open:
                inbox.open()  # before the table is read: what is not in there yet will come in here
                inbox.is_reading = True
                inbox.is_last = self._has_ended(inbox)
            if inbox.is_reading:
                if page := await self._page(inbox, cursor):
                    return page
                inbox.is_reading = False
                if inbox.is_last:
                    break
            if fresh := [event for event in await inbox.take() if event.seq > cursor]:
                return fresh
        return ()

    async def _is_over(self, inbox: "_Inbox", cursor: int) -> bool:
        """Whether this end of a run was the last: a failed one may have been taken up again."""
        return self._has_ended(inbox) and not await self._page(inbox, cursor, limit=1)

    async def _gap(self, cursor: int) -> EventGap | None:
        """Where to go on for who asks for what is not kept any more, or, since a backup was restored, not yet there."""
        kept_after, newest = await self._database.read(lambda c: (store.oldest_seq(c) - 1, store.newest_seq(c)))
        return None if kept_after <= cursor <= newest else EventGap(seq=min(max(cursor, kept_after), newest))

    async def _page(self, inbox: "_Inbox", after: int, limit: int = _PAGE) -> list[Event]:
        rows = await self._database.read(lambda c: store.events_after(c, inbox.owner, after, inbox.run_id, limit))
        return [_event(row) for row in rows]

    def _has_ended(self, inbox: "_Inbox") -> bool:
        if inbox.run_id is None:
            return False
        row = self._database.peek(store.STATUS, (inbox.run_id, inbox.owner))
        if row is None:
            raise no_task(inbox.run_id)
        return row["status"] in FINAL

    @contextlib.contextmanager
    def _inbox(self, owner: str, run_id: str | None) -> Generator["_Inbox"]:
        inbox = _Inbox(owner, run_id, self._waiting)
        self._inboxes.add(inbox)
        try:
            yield inbox
        finally:
            self._inboxes.discard(inbox)


class _Inbox:
    """What one follower has not read yet. When it overflows it is shut, and the follower goes back to the table."""

    def __init__(self, owner: str, run_id: str | None, size: int) -> None:
        self.owner = owner
        self.run_id = run_id
        self.is_open = False
        self.is_reading = False
        self.is_last = False
        self._size = size
        self._events: list[Event] = []
        self._ready = asyncio.Event()

    def open(self) -> None:
        """Take what comes from now on."""
        self.is_open = True

    def shut(self) -> None:
        """Drop what waits and let the follower know."""
        self._events = []
        self.is_open = False
        self._ready.set()

    def offer(self, event: Event) -> None:
        """An event, if the follower may see it."""
        if not self.is_open or not self._wants(event):
            return
        if len(self._events) >= self._size:
            self.shut()
        else:
            self._events.append(event)
            self._ready.set()

    async def take(self) -> list[Event]:
        """What came, as soon as there is some; nothing when the inbox was shut."""
        while self.is_open and not self._events:
            self._ready.clear()
            await self._ready.wait()
        events, self._events = self._events, []
        return events

    def _wants(self, event: Event) -> bool:
        if self.run_id is not None and event.run_id != self.run_id:
            return False
        owner = event.owner if isinstance(event, LoggedEvent) else PERSON
        return owner == self.owner or (self.owner == PERSON and event.type in _APPROVALS)


def _event(row: Row) -> Event:
    return LoggedEvent.model_construct(
        seq=row["seq"],
        time=row["at"],
        type=EventType(row["type"]),
        run_id=row["run_id"],
        thread_id=row["thread_id"],
        door=row["door"],
        data=json.loads(row["data"]),
        owner=row["owner"],
    )
