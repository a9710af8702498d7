"""Plans of a run: each part is a run of its own, which may wait for others; the run above waits for them all."""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from typing import Final

from hearth_backend import ids
from hearth_backend.agent.guard import Suspended
from hearth_backend.agent.meter import share
from hearth_backend.agent.routing import AUTO
from hearth_backend.orchestrator import store
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.missing import no_task
from hearth_backend.orchestrator.store import NewRun
from hearth_backend.orchestrator.stores import plans
from hearth_backend.storage.driver import Connection, Row
from hearth_backend.tools.delegate import Part, in_order
from hearth_backend.tools.tool import ToolContext
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.events import Event, EventType
from hearth_shared.protocol.tasks import FINAL, Budget

DEEPEST: Final = 2
_SHOWN_GOAL: Final = 200


class Delegation:
    """`tools.delegate.Plans` on hearth.db."""

    def __init__(
        self, events: EventLog, agents: Collection[str], wake: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._events = events
        self._agents = agents
        self._wake = wake
        self._clock = clock

    async def carry_out(self, context: ToolContext, parts: tuple[Part, ...]) -> str:
        """Make the plan's runs, once; the results when all have ended, and Suspended until then."""
        for part in parts:
            if part.agent != AUTO and part.agent not in self._agents:
                raise BadRequest(f"There is no agent {part.agent!r}.", f"There are: {', '.join(self._agents)}.")
        key = _plan_key(context.run_id, parts)

        def work(connection: Connection) -> tuple[Sequence[Row], Sequence[Event]]:
            made = _of_plan(connection, context.run_id, key)
            if made:
                return made, ()
            events = self._make(connection, context.run_id, key, parts)
            return _of_plan(connection, context.run_id, key), events

        rows = await self._events.write(work, lambda _: self._wake())
        if any(row["status"] not in FINAL for row in rows):
            raise Suspended
        return "\n\n".join(_result(row, key) for row in rows)

    def _make(self, connection: Connection, parent_id: str, key: str, parts: tuple[Part, ...]) -> Sequence[Event]:
        parent = connection.execute("select * from run where id = ?", (parent_id,)).fetchone()
        if parent is None:
            raise no_task(parent_id)
        if parent["depth"] >= DEEPEST:
            raise BadRequest("This task is itself part of a part of a plan.", "Do it without giving it on.")
        budget = share(Budget.model_validate_json(parent["budget"]), len(parts))
        made: dict[str, str] = {}
        events: list[Event] = []
        for part in in_order(parts):
            run = self._run(parent, part, f"{key}:{part.id}", budget)
            store.add_run(connection, run)
            made[part.id] = run.id
            plans.add_after(connection, run.id, [made[name] for name in dict.fromkeys(part.after)])
            events.append(self._queued(connection, run))
        return events

    def _run(self, parent: Row, part: Part, key: str, budget: Budget) -> NewRun:
        return NewRun(
            id=ids.new("run"),
            agent_id=part.agent,
            thread_id=None,
            goal=part.goal,
            context="{}",
            lane=parent["lane"],
            priority=parent["priority"],
            owner=parent["owner"],
            door=parent["door"],
            principal=parent["principal"],
            spaces=parent["spaces"],
            local_only=bool(parent["local_only"]),
            deadline_at=parent["deadline_at"],
            idempotency_key=key,
            request_sha256=None,
            trace_id=parent["trace_id"],
            created_at=self._clock(),
            budget=budget.model_dump_json(exclude_none=True),
            parent_id=parent["id"],
            depth=parent["depth"] + 1,
        )

    def _queued(self, connection: Connection, run: NewRun) -> Event:
        data = {"goal": run.goal[:_SHOWN_GOAL], "lane": run.lane, "parent_id": run.parent_id}
        return self._events.append(
            connection, EventType.TASK_QUEUED, run_id=run.id, owner=run.owner, door=run.door, data=data
        )


def _plan_key(run_id: str, parts: tuple[Part, ...]) -> str:
    """The same plan of the same run is the same plan, also after a crash."""
    text = json.dumps([part.model_dump(mode="json") for part in parts], sort_keys=True)
    return f"{run_id}:plan:{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def _of_plan(connection: Connection, run_id: str, key: str) -> list[Row]:
    rows = plans.children(connection, run_id)
    return [row for row in rows if (row["idempotency_key"] or "").startswith(f"{key}:")]


def _result(row: Row, key: str) -> str:
    name = row["idempotency_key"].removeprefix(f"{key}:")
    return f"## {name} ({row['agent_id']}): {row['status']}\n{plans.outcome(row)}"
