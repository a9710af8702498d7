"""The durable queue of runs, as `Runs` and `Worker` see it: the seam at which several machines would put another
engine. The form for one machine is sqlite_run_store.py.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hearth_backend.agent.journal import RunView
from hearth_backend.orchestrator.replay import Earlier, StepRecord
from hearth_backend.orchestrator.store import NewRun
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Answer, Failure, Lane, RunStatus, TaskAccepted, TaskDetail, TaskList


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one run, until the fence moves on."""

    run: RunView
    fence: int
    earlier: Earlier
    trace_id: str = ""
    began: float = field(default_factory=time.monotonic, compare=False)


@dataclass(frozen=True, slots=True)
class Note:
    """An event of a run, not stored yet."""

    kind: EventType
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """It came to an answer."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Failed:
    """It came to none; `answer` is what had been said before. `is_dead`: it was tried as often as it may be."""

    failure: Failure
    answer: Answer | None = None
    is_dead: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """The person cancelled it."""

    answer: Answer | None = None


Outcome = Finished | Failed | Stopped


class RunStore(Protocol):
    """What `Runs` and `Worker` need of a queue. Whatever is done with a claim fails with Conflict, or answers False,
    once somebody else has the run."""

    def listen(self, queued: Callable[[], None], cancelled: Callable[[str], None]) -> None:
        """Call `queued` when there may be something to claim, `cancelled` when a running run shall stop."""
        ...

    def listen_to_ends(self, ended: Callable[[], None]) -> None:
        """Call `ended` when a run has come to its end."""
        ...

    def wake(self) -> None:
        """There may be something to claim: a decision queued a waiting run again."""
        ...

    async def enqueue(self, run: NewRun) -> TaskAccepted:
        """Store a run; with the idempotency key of an earlier one, answer with that."""
        ...

    async def claim(self, last_lane: Lane, default_s: float) -> Claim | None:
        """The next run of the lanes up to `last_lane`, with `default_s` to do it in if its deadline is not nearer."""
        ...

    async def heartbeat(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Keep these; those that are lost."""
        ...

    async def append_step(self, claim: Claim, step: StepRecord, notes: Sequence[Note]) -> None:
        """Write a step and, before its own event, what led up to it."""
        ...

    async def append_events(self, claim: Claim, notes: Sequence[Note]) -> None: ...

    async def finish(self, claim: Claim, outcome: Outcome, notes: Sequence[Note]) -> bool: ...

    async def release(self, claim: Claim) -> bool:
        """Queue it again, this attempt not counted (Hearth is stopping)."""
        ...

    async def put_off(self, claim: Claim, failure: Failure, pause_s: float, notes: Sequence[Note]) -> bool:
        """Queue it again for later; what failed is tried again. False when that would be after its deadline, or when it
        is to be cancelled, or another's."""
        ...

    def due_in(self) -> float | None:
        """Seconds until something that was put off or that waits is due; None when nothing is."""
        ...

    async def wake_due(self) -> None:
        """Queue what waits beyond its deadline, so that its end is told."""
        ...

    async def retry(self, owner: str, run_id: str) -> None:
        """Queue a failed or dead run again, from where it failed. Raises Conflict for one that is neither."""
        ...

    async def prune(self, before: float) -> int:
        """Forget the steps of runs that ended before this; how many."""
        ...

    async def suspend(self, claim: Claim, notes: Sequence[Note]) -> bool:
        """Lay it aside until a person has decided or its sub-tasks have ended, this attempt not counted. Where that has
        happened meanwhile, it is queued at once."""
        ...

    async def recover(self, attempts: int) -> int:
        """At the start of the one process that owns this store: queue what was running when the last one died, and
        set aside what has used up its attempts. How many were running."""
        ...

    async def cancel(self, owner: str, run_id: str) -> None: ...

    def get(self, owner: str, run_id: str) -> TaskDetail: ...

    async def list(self, owner: str, status: RunStatus | None, limit: int, after: str | None) -> TaskList: ...

    async def counts(self) -> dict[str, int]:
        """Open runs by lane."""
        ...

    async def waiting(self) -> dict[str, int]:
        """Queued runs by lane."""
        ...
