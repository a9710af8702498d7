"""A person's decisions on exact actions: durable, bound to content, decided once."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from hearth_backend import ids
from hearth_backend.orchestrator import rows, rules, store
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.missing import no_approval
from hearth_backend.orchestrator.requester import Requester
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_backend.tools.binding import canonical, digest
from hearth_shared.errors import Conflict, Forbidden
from hearth_shared.protocol.approvals import Approval, ApprovalList, ApprovalStatus, DecisionRequest
from hearth_shared.protocol.events import Event, EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.settings import Runs as Settings

_DAY: Final = 86_400
_LISTED: Final = 500
_AS_JSON: Final = ("args", "reach", "paths", "quotes", "subject", "pattern")
_PLAIN: Final = (
    *("agent_id", "owner", "door", "tool", "sha256", "run_id", "thread_id", "kind", "effect_key", "why", "preview"),
    "undo",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: what exactly, for whom, and all that the card shows. `subject` and `pattern` are what rules are held
    against, and what a rule for calls like this one would say."""

    agent_id: str
    owner: str
    door: str
    tool: str
    args: Mapping[str, Any]
    sha256: str
    run_id: str | None = None
    thread_id: str | None = None
    kind: Literal["act", "unknown"] = "act"
    effect_key: str = ""
    why: str = ""
    reach: Sequence[str] = ()
    paths: Sequence[str] = ()
    preview: str = ""
    undo: str = ""
    quotes: Sequence[Mapping[str, Any]] = ()
    subject: Mapping[str, str] = field(default_factory=dict[str, str])
    pattern: Mapping[str, str] = field(default_factory=dict[str, str])


class Known(NamedTuple):
    """An approval, whose it is, and what its grant is bound to."""

    approval: Approval
    owner: str
    sha256: str


Rebind = Callable[[str, Mapping[str, Any], Known], Awaitable[str]]


class Approvals:
    """The person sees and decides all of them; a third-party program sees those of its own runs.

    `rebind` says what an edited call is bound to, and refuses one that does not hold.
    """

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
        self.rebind: Rebind = _same_tool

    async def request(self, asked: Asked) -> Approval:
        """Ask for one exact action; what is approved is what is done: keep `sha256` and compare it then."""
        now, approval_id = self._clock(), ids.new("approval")
        values: dict[str, Any] = {
            **{name: getattr(asked, name) for name in _PLAIN},
            **{name: canonical(getattr(asked, name)) for name in _AS_JSON},
            "id": approval_id,
            "created_at": now,
            "expires_at": now + self._settings.approval_days * _DAY,
        }

        def work(connection: Connection) -> tuple[Approval, Sequence[Event]]:
            store.add_approval(connection, values)
            row = self._row(connection, asked.owner, approval_id)
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
        sha256 = await self._bound(requester, approval_id, request)
        now = self._clock()
        values = {
            "id": approval_id,
            "decision": request.decision,
            "by": requester.principal,
            "at": now,
            "args": None if request.args is None else canonical(request.args),
            "sha256": sha256,
            "text": request.text,
            "remember": request.remember,
        }

        def work(connection: Connection) -> tuple[Approval, Sequence[Event]]:
            self._row(connection, requester.owner, approval_id)
            decided = store.decide_approval(connection, values)
            row = self._row(connection, requester.owner, approval_id)
            if not decided:
                raise _too_late(row)
            rules.consider(connection, row, now)
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

    async def about(self, effect_key: str) -> Known | None:
        """The latest question that was asked about an effect."""
        row = await self._database.read(lambda c: store.approval_by_effect(c, effect_key))
        return _known(row) if row else None

    async def use(self, known: Known, user: str) -> None:
        """Use a grant up. Raises Conflict when something else has used it."""
        now = self._clock()
        if not await self._database.write(lambda c: store.use_approval(c, known.approval.id, user, now)):
            raise Conflict("That grant has been used already.", "Ask anew.")

    async def pending(self) -> int:
        """How many wait for the person."""
        row = self._database.peek(store.PENDING_APPROVALS, (self._clock(),))
        return row[0] if row else 0

    async def _bound(self, requester: Requester, approval_id: str, request: DecisionRequest) -> str:
        """What an edited call is bound to; empty for every other answer. Refused while it waits, it goes on waiting."""
        if request.args is None:
            return ""
        row = await self._database.read(lambda c: self._row(c, requester.owner, approval_id))
        if row["status"] != "pending":
            raise _too_late(row)
        return await self.rebind(row["tool"], request.args, _known(row))

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


async def _same_tool(tool: str, args: Mapping[str, Any], known: Known) -> str:
    """Where nothing is known of tools."""
    return digest(tool, args)


def _known(row: Row) -> Known:
    return Known(rows.approval(row), row["owner"], row["decided_sha256"] or row["sha256"])


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
