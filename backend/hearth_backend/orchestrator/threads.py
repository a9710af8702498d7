"""Conversations, shared by all doors of one owner."""

import time
from collections.abc import Callable, Collection

from hearth_backend import ids
from hearth_backend.agent.routing import AUTO
from hearth_backend.orchestrator import rows, store
from hearth_backend.orchestrator.missing import no_agent, no_answer, no_thread
from hearth_backend.orchestrator.requester import Requester
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.threads import (
    FeedbackRequest,
    Thread,
    ThreadDetail,
    ThreadList,
    ThreadMessage,
    ThreadRequest,
)


class Threads:
    """Every method sees only what belongs to the requester's owner; anybody else's id is NotFound. What is said in a
    thread comes through `Runs.say`."""

    def __init__(self, database: Database, agents: Collection[str], *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._agents = agents
        self._clock = clock

    async def create(self, requester: Requester, request: ThreadRequest) -> Thread:
        """A new, empty thread."""
        if request.agent_id != AUTO and request.agent_id not in self._agents:
            raise no_agent(request.agent_id)
        now = self._clock()
        thread = Thread(
            id=ids.new("thread"),
            title=request.title,
            agent_id=request.agent_id,
            door=requester.door.value,
            local_only=request.local_only,
            created_at=now,
            updated_at=now,
        )
        values = (
            *(thread.id, thread.title, thread.agent_id, requester.owner, thread.door, thread.local_only),
            *(thread.created_at, thread.updated_at),
        )
        await self._database.write(lambda connection: store.add_thread(connection, values))
        return thread

    async def get(self, requester: Requester, thread_id: str) -> ThreadDetail:
        """One thread with its turns; each answer stands behind its question."""

        def read(connection: Connection) -> ThreadDetail:
            row = store.thread_of(connection, requester.owner, thread_id)
            if row is None:
                raise no_thread(thread_id)
            messages = [rows.message(message) for message in store.messages_of(connection, thread_id)]
            return ThreadDetail(**rows.thread_fields(row), messages=messages)

        return await self._database.read(read)

    async def so_far(self, requester: Requester, thread_id: str) -> ThreadDetail:
        """A thread with as many of its newest turns as a run sees."""
        thread = await self.get(requester, thread_id)
        return thread.model_copy(update={"messages": thread.messages[-store.HISTORY :]})

    async def list(self, requester: Requester, *, limit: int = 50, after: str | None = None) -> ThreadList:
        """Last used first; `after` is the `next` of the list before."""
        place = _place(after) if after else None
        found = await self._database.read(lambda c: store.threads_of(c, requester.owner, place, limit + 1))
        threads = [rows.thread(row) for row in found[:limit]]
        last = threads[-1] if len(found) > limit else None
        return ThreadList(threads=threads, next=f"{last.updated_at!r}~{last.id}" if last else None)

    async def feedback(self, requester: Requester, thread_id: str, request: FeedbackRequest) -> ThreadMessage:
        """Rate an answer; a second rating replaces the first."""
        values = (request.message_id, request.rating, request.note, requester.owner, self._clock())

        def work(connection: Connection) -> ThreadMessage:
            answer = (requester.owner, thread_id, request.message_id)
            if store.answer_of(connection, *answer) is None:
                raise no_answer(request.message_id)
            store.set_feedback(connection, values)
            row = store.answer_of(connection, *answer)
            assert row is not None
            return rows.message(row)

        return await self._database.write(work)


def _place(after: str) -> tuple[float, str]:
    at, _, identifier = after.partition("~")
    try:
        return float(at), identifier
    except ValueError:
        raise BadRequest("This list cannot be continued from there.", "Pass `next` as it came.") from None
