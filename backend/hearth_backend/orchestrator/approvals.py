"""A person's decisions on exact actions: durable, bound to content, decided once."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from hearth_backend import ids
from hearth_backend.orchestrator import rows, store
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.missing import no_approval
from hearth_backend.orchestrator.requester import Requester
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import Conflict, Forbidden
from hearth_shared.protocol.approvals import Approval, ApprovalList, ApprovalStatus, DecisionRequest
from hearth_shared.protocol.events import Event, EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.settings import Runs as Settings

_DAY: Final = 86_400
_LISTED: Final = 500


class Approvals:
    """The person sees and decides all of them; a third-party program sees those of its own runs."""

    def __init__(
        self,
        database: Database,
        events: EventLog,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        *,
        resumed: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._events = events
        self._settings = settings
        self._clock = clock
        self._resumed = resumed  # runs that waited for a decision are in the queue again

    async def request(
        self,
        *,
        agent_id: str,
        owner: str,
        door: str,
        tool: str,
        args: Mapping[str, Any],
        run_id: str | None = None,
        thread_id: str | None = None,
        reach: Sequence[str] = (),
        undo: str = "",
        quotes: Sequence[Mapping[str, Any]] = (),
        effect_key: str = "",
        kind: Literal["act", "unknown"] = "act",
    ) -> Approval:
        """Ask for one exact action; what is approved is what is done: keep `sha256` and compare it then. `kind`
        "unknown" asks whether something that was begun before Hearth stopped shall be done again."""
        now = self._clock()
        approval_id = ids.new("approval")
        values = {
            "id": approval_id,
            "run_id": run_id,
            "thread_id": thread_id,
            "agent_id": agent_id,
            "owner": owner,
            "door": door,
            "tool": tool,
            "args": _canonical(args),
            "sha256": digest(tool, args),
            "reach": _canonical(list(reach)),
            "undo": undo,
            "quotes": _canonical(list(quotes)),
            "effect_key": effect_key,
            "kind": kind,
            "created_at": now,
            "expires_at": now + self._settings.approval_days * _DAY,
        }

        def work(connection: Connection) -> tuple[Approval, Sequence[Event]]:
            store.add_approval(connection, values)
            row = self._row(connection, owner, approval_id)
            approval = rows.approval(row)
            return approval, (self._note(connection, row, EventType.APPROVAL_REQUESTED, _asked(approval)),)

        return await self._events.write(work)

    async def list(self, requester: Requester, *, status: ApprovalStatus | None = None) -> ApprovalList:
        """Pending first, then newest first."""
        await self.expire_due()
        found = await self._database.read(lambda c: store.approvals_of(c, requester.owner, status, _LISTED))
        return ApprovalList(approvals=[rows.approval(row) for row in found])

    async def get(self, requester: Requester, approval_id: str) -> Approval:
        """One approval."""
        await self.expire_due()
        return rows.approval(await self._database.read(lambda c: self._row(c, requester.owner, approval_id)))

    async def decide(self, requester: Requester, approval_id: str, request: DecisionRequest) -> Approval:
        """The person's answer. A second one is a Conflict that names who was first."""
        if requester.door is Door.INTERNAL:
            raise Forbidden("A run cannot decide for itself.", "Decide in the tray or with `hearth approvals`.")
        await self.expire_due()
        values = {
            "id": approval_id,
            "decision": request.decision,
            "by": requester.principal,
            "at": self._clock(),
            "args": None if request.args is None else _canonical(request.args),
            "text": request.text,
        }

        def work(connection: Connection) -> tuple[Approval, Sequence[Event]]:
            self._row(connection, requester.owner, approval_id)
            decided = store.decide_approval(connection, values)
            row = self._row(connection, requester.owner, approval_id)
            if not decided:
                raise _too_late(row)
            data = {"id": approval_id, "decision": request.decision, "decided_by": requester.principal}
            store.resume_run(connection, row["run_id"])
            return rows.approval(row), (self._note(connection, row, EventType.APPROVAL_DECIDED, data),)

        return await self._events.write(work, lambda _: self._resumed())

    async def expire_due(self) -> int:
        """Deny what was not answered in time; how many."""
        now = self._clock()
        if self._database.peek(store.DUE_APPROVAL, (now,)) is None:
            return 0

        def work(connection: Connection) -> tuple[int, Sequence[Event]]:
            expired = store.expire_approvals(connection, now)
            for row in expired:
                store.resume_run(connection, row["run_id"])
            return len(expired), [
                self._note(connection, row, EventType.APPROVAL_EXPIRED, {"id": row["id"]}) for row in expired
            ]

        return await self._events.write(work, lambda _: self._resumed())

    async def about(self, effect_key: str) -> Approval | None:
        """The latest question that was asked about an effect."""
        row = await self._database.read(lambda c: store.approval_by_effect(c, effect_key))
        return rows.approval(row) if row else None

    async def use(self, approval: Approval) -> None:
        """Note that a grant is being used."""
        now = self._clock()
        await self._database.write(lambda c: store.use_approval(c, approval.id, now))

    async def pending(self) -> int:
        """How many wait for the person."""
        row = self._database.peek(store.PENDING_APPROVALS, (self._clock(),))
        return row[0] if row else 0

    @staticmethod
    def _row(connection: Connection, owner: str, approval_id: str) -> Row:
        row = store.approval_of(connection, owner, approval_id)
        if row is None:
            raise no_approval(approval_id)
        return row

    def _note(self, connection: Connection, row: Row, kind: EventType, data: Mapping[str, Any]) -> Event:
        return self._events.append(
            connection,
            kind,
            run_id=row["run_id"],
            thread_id=row["thread_id"],
            owner=row["owner"],
            door=row["door"],
            data=data,
        )


def digest(tool: str, args: Mapping[str, Any]) -> str:
    """What an approval is bound to."""
    return hashlib.sha256(_canonical({"args": args, "tool": tool}).encode()).hexdigest()


def _canonical(value: object) -> str:
    """The same JSON for the same value, whatever order its keys came in."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _asked(approval: Approval) -> dict[str, Any]:
    return {
        "id": approval.id,
        "agent_id": approval.agent_id,
        "tool": approval.tool,
        "sha256": approval.sha256,
        "expires_at": approval.expires_at,
    }


def _too_late(row: Row) -> Conflict:
    if row["status"] == "expired":
        return Conflict(
            "Nobody decided in time, so it was denied.", "Ask again.", winner="expiry", decision=row["decision"]
        )
    return Conflict(
        f"{row['decided_by']} has decided already: {row['decision']}.",
        "Nothing needs to be done.",
        winner=row["decided_by"],
        decision=row["decision"],
    )
