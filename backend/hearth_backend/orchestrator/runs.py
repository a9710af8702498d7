"""Tasks as their askers see them: submitted, listed, looked at, cancelled."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import lru_cache
from typing import Final

from hearth_backend import ids
from hearth_backend.agent.routing import AUTO
from hearth_backend.orchestrator import run_log
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.missing import no_agent
from hearth_backend.orchestrator.requester import Requester
from hearth_backend.orchestrator.run_store import RunStore
from hearth_backend.orchestrator.sqlite_run_store import SQLiteRunStore
from hearth_backend.orchestrator.store import NewRun
from hearth_backend.storage.database import Database
from hearth_shared.protocol.tasks import (
    Lane,
    RunStatus,
    Task,
    TaskAccepted,
    TaskContext,
    TaskDetail,
    TaskList,
    TaskRequest,
)
from hearth_shared.protocol.threads import MessageRequest
from hearth_shared.settings import Runs as Settings

_DAY: Final = 86_400
_NOTHING: Final = TaskContext()


class Runs:
    """Every method sees only what belongs to the requester's owner; anybody else's id is NotFound."""

    def __init__(
        self,
        database: Database,
        events: EventLog,
        settings: Settings,
        agents: Collection[str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store: RunStore = SQLiteRunStore(database, events, clock=clock)
        self._events = events
        self._settings = settings
        self._agents = agents
        self._clock = clock

    async def submit(
        self,
        requester: Requester,
        agent_id: str,
        request: TaskRequest,
        *,
        lane: Lane = Lane.CHAT,
        idempotency_key: str | None = None,
    ) -> TaskAccepted:
        """Store a task; when this returns it is on disk. In a thread, its goal is a turn of the conversation."""
        if agent_id != AUTO and agent_id not in self._agents:
            raise no_agent(agent_id)
        digest = _digest("task", agent_id, lane.value, request) if idempotency_key is not None else None
        return await self.store.enqueue(self._new(requester, agent_id, request, lane, idempotency_key, digest))

    async def say(
        self,
        requester: Requester,
        thread_id: str,
        request: MessageRequest,
        *,
        idempotency_key: str | None = None,
    ) -> TaskAccepted:
        """Store a message and the run that answers it, together. It waits for the thread's earlier runs."""
        digest = _digest("message", thread_id, "", request) if idempotency_key is not None else None
        task = TaskRequest.model_construct(  # each field was checked as the message's
            goal=request.text,
            context=request.context,
            thread_id=thread_id,
            local_only=request.local_only,
            deadline_s=request.deadline_s,
        )
        agent_id = ""  # the thread's
        run = self._new(requester, agent_id, task, Lane.CHAT, idempotency_key, digest)
        return await self.store.enqueue(run if request.version is None else replace(run, seen_version=request.version))

    async def get(self, requester: Requester, task_id: str) -> TaskDetail:
        """One task with its steps, and what happened in it."""
        task = self.store.get(requester.owner, task_id)
        return task.model_copy(update={"logs": run_log.lines(await self._events.told(task_id, run_log.TOLD))})

    async def list(
        self, requester: Requester, *, status: RunStatus | None = None, limit: int = 50, after: str | None = None
    ) -> TaskList:
        """Newest first; `after` is the `next` of the list before."""
        return await self.store.list(requester.owner, status, limit, after)

    async def cancel(self, requester: Requester, task_id: str) -> Task:
        """Stop a task: at once if it is not running, else within its present step. One that has ended stays as it
        ended."""
        await self.store.cancel(requester.owner, task_id)
        return self.store.get(requester.owner, task_id)

    async def retry(self, requester: Requester, task_id: str) -> Task:
        """Try a failed or dead task again, from where it failed. Raises Conflict for one that is neither."""
        await self.store.retry(requester.owner, task_id)
        return self.store.get(requester.owner, task_id)

    def wake(self) -> None:
        """Somebody put runs back into the queue, beside the store."""
        self.store.wake()

    async def counts(self) -> dict[str, int]:
        """Open tasks, those that wait and those that run, by lane."""
        return await self.store.counts()

    async def waiting(self) -> dict[str, int]:
        """Tasks that nobody has begun, by lane."""
        return await self.store.waiting()

    async def prune(self) -> int:
        """Delete events and steps of tasks that ended longer ago than the setting says; how many went."""
        before = self._clock() - self._settings.keep_days * _DAY
        return await self._events.prune(before) + await self.store.prune(before)

    def _new(
        self,
        requester: Requester,
        agent_id: str,
        request: TaskRequest,
        lane: Lane,
        idempotency_key: str | None,
        digest: bytes | None,
    ) -> NewRun:
        now = self._clock()
        return NewRun(
            id=ids.new("run"),
            agent_id=agent_id,
            thread_id=request.thread_id,
            goal=request.goal,
            context="{}" if request.context == _NOTHING else request.context.model_dump_json(),
            lane=lane.value,
            priority=request.priority,
            owner=requester.owner,
            door=requester.door.value,
            principal=requester.principal,
            spaces=_listed(requester.spaces),
            local_only=request.local_only,
            deadline_at=None if request.deadline_s is None else now + request.deadline_s,
            idempotency_key=idempotency_key,
            request_sha256=digest,
            trace_id=requester.trace_id,
            created_at=now,
            webhook_url=request.webhook_url,
            webhook_secret=None if request.webhook_url is None else f"whs_{secrets.token_urlsafe(32)}",
            budget=request.budget.model_dump_json(exclude_none=True) if request.budget.model_fields_set else "{}",
        )


@lru_cache
def _listed(spaces: frozenset[str]) -> str:
    """As the table keeps them; there are few different ones."""
    return json.dumps(sorted(spaces))


def _digest(kind: str, where: str, lane: str, request: TaskRequest | MessageRequest) -> bytes:
    return hashlib.sha256(f"{kind}\0{where}\0{lane}\0{request.model_dump_json()}".encode()).digest()
