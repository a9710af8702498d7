"""The queue of runs in hearth.db."""

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, assert_never

from hearth_backend import ids
from hearth_backend.agent.journal import RunView
from hearth_backend.orchestrator import replay, rows, store
from hearth_backend.orchestrator.events import EventLog, Told
from hearth_backend.orchestrator.missing import no_task, no_thread
from hearth_backend.orchestrator.replay import Earlier, StepRecord
from hearth_backend.orchestrator.run_store import Claim, Failed, Finished, Note, Outcome, Stopped
from hearth_backend.orchestrator.store import NewRun
from hearth_backend.orchestrator.stores import deliveries, plans, retries
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import BadRequest, Conflict, GaveUp, HearthError, IdempotencyMismatch
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import (
    FINAL,
    Answer,
    Budget,
    Failure,
    FileText,
    Lane,
    RunStatus,
    TaskAccepted,
    TaskContext,
    TaskDetail,
    TaskList,
)
from hearth_shared.sites import is_page, site_of

LEASE_S: Final = 60.0
_SHOWN_GOAL: Final = 200
_PRUNED_AT_ONCE: Final = 500
_NO_BUDGET: Final = Budget()
_TITLE: Final = 60
_LANES: Final[tuple[Lane, ...]] = tuple(Lane)


class _Whose(NamedTuple):
    """Of which run an event is, where there is only its row."""

    id: str
    thread_id: str | None
    owner: str
    door: str


class SQLiteRunStore:
    """The queue in hearth.db. One process owns it (the home's lock), so claims need no polling and leases only tell
    how fresh a claim is."""

    def __init__(self, database: Database, events: EventLog, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._events = events
        self._clock = clock
        self._queued: Callable[[], None] = _nobody
        self._cancelled: Callable[[str], None] = _nobody
        self._ended: Callable[[], None] = _nobody
        self._has_flagged = False  # a running part of a plan is to stop

    def listen(self, queued: Callable[[], None], cancelled: Callable[[str], None]) -> None:
        self._queued, self._cancelled = queued, cancelled

    def listen_to_ends(self, ended: Callable[[], None]) -> None:
        self._ended = ended

    def wake(self) -> None:
        self._queued()

    async def enqueue(self, run: NewRun) -> TaskAccepted:
        def work(connection: Connection) -> tuple[TaskAccepted, Sequence[Told]]:
            if run.idempotency_key is not None and (known := _made_before(connection, run)):
                return known, ()
            placed = _place(connection, run) if run.thread_id else run
            store.add_run(connection, placed)
            accepted = TaskAccepted.model_construct(
                task_id=run.id, thread_id=run.thread_id, status=RunStatus.QUEUED, webhook_secret=run.webhook_secret
            )
            return accepted, (self._note(connection, placed, _queued_note(run)),)

        return await self._events.write(work, lambda _: self._queued(), patient=True)

    async def claim(self, last_lane: Lane, default_s: float) -> Claim | None:
        now = self._clock()

        def work(connection: Connection) -> tuple[Claim | None, Sequence[Told]]:
            row = store.claim_run(connection, now, now + LEASE_S, _LANES.index(last_lane))
            if row is None:
                return None, ()
            claim = _claim(connection, row, now, default_s)
            notes = (_started_note(claim), *_reset_notes(claim))
            return claim, [self._note(connection, claim.run, note) for note in notes]

        return await self._events.write(work)

    async def heartbeat(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        until = self._clock() + LEASE_S
        return await self._database.write(
            lambda connection: [
                claim for claim in claims if not store.extend_lease(connection, claim.run.id, claim.fence, until)
            ]
        )

    async def append_step(self, claim: Claim, step: StepRecord, notes: Sequence[Note]) -> None:
        values = (
            *(claim.run.id, step.seq, step.name, step.call_id, step.state, claim.run.attempt, step.output),
            *(step.is_effect, self._clock(), claim.fence),
        )

        def work(connection: Connection) -> tuple[None, Sequence[Told]]:
            if not store.set_step(connection, values):
                raise _lost(claim)
            return None, [self._note(connection, claim.run, note) for note in notes]

        await self._events.write(work)

    async def append_events(self, claim: Claim, notes: Sequence[Note]) -> None:
        def work(connection: Connection) -> tuple[None, Sequence[Told]]:
            if not store.holds_run(connection, claim.run.id, claim.fence):
                raise _lost(claim)
            return None, [self._note(connection, claim.run, note) for note in notes]

        await self._events.write(work)

    async def finish(self, claim: Claim, outcome: Outcome, notes: Sequence[Note]) -> bool:
        status, answer, failure, last = _ending(outcome)
        now = self._clock()
        values = {
            "id": claim.run.id,
            "fence": claim.fence,
            "status": status.value,
            "answer": answer.model_dump_json() if answer else None,
            "failure": failure.model_dump_json() if failure else None,
            "now": now,
            "worked": time.monotonic() - claim.began,
        }

        def work(connection: Connection) -> tuple[bool, Sequence[Told]]:
            if not store.finish_run(connection, values):
                return False, ()
            if claim.run.thread_id and answer:
                _add_answer(connection, claim.run, answer, now)
            told = [self._note(connection, claim.run, note) for note in notes]
            brought = self._ending(connection, _whose_view(claim.run))
            return True, [*told, *brought, self._note(connection, claim.run, last)]

        return await self._events.write(work, lambda _: self._tell_end())

    def _tell_end(self) -> None:
        """A run may have waited for this one, and its webhook for word of it."""
        self._queued()
        self._ended()
        if self._has_flagged:
            self._has_flagged = False
            flagged = self._database.peek(plans.TO_STOP)
            for run_id in json.loads(flagged[0]) if flagged else ():
                self._cancelled(run_id)

    async def release(self, claim: Claim) -> bool:
        def work(connection: Connection) -> tuple[bool, Sequence[Told]]:
            _worked(connection, claim)
            if store.release_run(connection, claim.run.id, claim.fence):
                return True, ()
            return self._stopped_instead(connection, claim)

        return await self._events.write(work)

    async def put_off(self, claim: Claim, failure: Failure, pause_s: float, notes: Sequence[Note]) -> bool:
        run = claim.run
        until = self._clock() + pause_s
        values = {"id": run.id, "fence": claim.fence, "failure": failure.model_dump_json(), "until": until}
        why = {"code": failure.code, "detail": failure.detail, "again_in_s": round(pause_s, 3)}
        told = Note(EventType.TASK_QUEUED, {"goal": run.goal[:_SHOWN_GOAL], "lane": run.lane.value, **why})

        def work(connection: Connection) -> tuple[bool, Sequence[Told]]:
            _worked(connection, claim)
            if not retries.put_off(connection, values):
                return False, ()
            return True, [self._note(connection, run, note) for note in (*notes, told)]

        return await self._events.write(work)

    def due_in(self) -> float | None:
        row = self._database.peek(retries.NEXT_DUE, ())
        return None if row is None or row[0] is None else max(0.0, row[0] - self._clock())

    async def wake_due(self) -> None:
        now = self._clock()
        await self._database.write(lambda connection: retries.wake_overdue(connection, now))

    async def retry(self, owner: str, run_id: str) -> None:
        def work(connection: Connection) -> tuple[None, Sequence[Told]]:
            row = retries.revive(connection, owner, run_id)
            if row is None and deliveries.revive(connection, owner, run_id, self._clock()):
                return None, ()
            if row is None:
                raise _not_failed(run_id, store.run_of(connection, owner, run_id))
            told = {"goal": row["goal"][:_SHOWN_GOAL], "lane": row["lane"]}
            return None, (self._note(connection, _whose(row), Note(EventType.TASK_QUEUED, told)),)

        await self._events.write(work, lambda _: self._tell_end())

    async def prune(self, before: float) -> int:
        total = 0
        while gone := await self._database.write(lambda c: retries.prune_steps(c, before, _PRUNED_AT_ONCE)):
            total += gone
        return total

    async def suspend(self, claim: Claim, notes: Sequence[Note]) -> bool:
        def work(connection: Connection) -> tuple[tuple[bool, bool], Sequence[Told]]:
            _worked(connection, claim)
            if status := store.suspend_run(connection, claim.run.id, claim.fence):
                events = [self._note(connection, claim.run, note) for note in notes]
                return (True, status == RunStatus.QUEUED), events
            held, events = self._stopped_instead(connection, claim)
            return (held, False), events

        return (await self._events.write(work, lambda result: self._queued() if result[1] else None))[0]

    def _stopped_instead(self, connection: Connection, claim: Claim) -> tuple[bool, Sequence[Told]]:
        """A claim that cannot be laid aside: the person cancelled the run meanwhile, or it is somebody else's."""
        if not store.holds_run(connection, claim.run.id, claim.fence):
            return False, ()
        return True, self._end(connection, _whose_view(claim.run), RunStatus.CANCELLED, None)

    async def recover(self, attempts: int) -> int:
        def work(connection: Connection) -> tuple[int, Sequence[Told]]:
            interrupted = store.interrupted_runs(connection)
            events = [event for row in interrupted for event in self._recover(connection, row, attempts)]
            return len(interrupted), events

        return await self._events.write(work, lambda _: self._tell_end())

    async def cancel(self, owner: str, run_id: str) -> None:
        def work(connection: Connection) -> tuple[bool, Sequence[Told]]:
            row = store.run_of(connection, owner, run_id)
            if row is None:
                raise no_task(run_id)
            if row["status"] == RunStatus.RUNNING:
                store.request_cancel(connection, run_id)
                return True, ()
            if row["status"] in FINAL:
                return False, ()
            return False, self._end(connection, _whose(row), RunStatus.CANCELLED, None)

        # Without the run before it, the next one of a thread can be claimed.
        await self._events.write(work, lambda running: self._cancelled(run_id) if running else self._tell_end())

    def get(self, owner: str, run_id: str) -> TaskDetail:
        row = self._database.peek(store.TASK_WITH_STEPS, (run_id, owner))
        if row is None:
            raise no_task(run_id)
        return rows.task_detail(row)

    async def list(self, owner: str, status: RunStatus | None, limit: int, after: str | None) -> TaskList:
        def read(connection: Connection) -> TaskList:
            below = store.place_of_run(connection, owner, after) if after else None
            if after and below is None:
                raise BadRequest("This list cannot be continued from there.", "Pass `next` as it came.")
            found = store.runs_of(connection, owner, status.value if status else None, below, limit + 1)
            tasks = [rows.task(row) for row in found[:limit]]
            return TaskList(tasks=tasks, next=tasks[-1].id if len(found) > limit else None)

        return await self._database.read(read)

    async def counts(self) -> dict[str, int]:
        found = await self._database.read(store.open_by_lane)
        return {lane.value: 0 for lane in Lane} | {row[0]: row[1] for row in found}

    async def waiting(self) -> dict[str, int]:
        found = await self._database.read(store.queued_by_lane)
        return {lane.value: 0 for lane in Lane} | {_LANES[int(row[0])].value: row[1] for row in found}

    def _recover(self, connection: Connection, row: Row, attempts: int) -> Sequence[Told]:
        if row["cancel_requested"]:
            return self._end(connection, _whose(row), RunStatus.CANCELLED, None)
        if row["attempt"] < attempts:
            store.requeue_run(connection, row["id"], LEASE_S)
            return ()
        return self._end(connection, _whose(row), RunStatus.DEAD, _gave_up(row["attempt"]))

    def _end(self, connection: Connection, run: "_Whose", status: RunStatus, failure: Failure | None) -> Sequence[Told]:
        """End a run that nobody is doing."""
        store.end_run(connection, run.id, status.value, failure.model_dump_json() if failure else None, self._clock())
        kind = EventType.TASK_FAILED if failure else EventType.TASK_CANCELLED
        brought = self._ending(connection, run)
        return [*brought, self._note(connection, run, Note(kind, failure.model_dump() if failure else {}))]

    def _ending(self, connection: Connection, run: "_Whose") -> Sequence[Told]:
        """What the end of a run brings with it, told before it: nobody needs to decide for it any more, its webhook is
        to be told, and the task above it may go on."""
        now = self._clock()
        deliveries.add(connection, run.id, now)
        stopped = self._stop_plan(connection, run)
        plans.resume_parent(connection, run.id)
        withdrawn = store.withdraw_approvals(connection, run.id, now)
        return [
            *stopped,
            *(self._note(connection, run, Note(EventType.APPROVAL_EXPIRED, {"id": row["id"]})) for row in withdrawn),
        ]

    def _stop_plan(self, connection: Connection, run: "_Whose") -> Sequence[Told]:
        """Nobody needs the parts of its plan any more; nor, if it did not succeed, what was to come after it."""
        events: list[Told] = []
        useless = plans.open_children(connection, run.id)
        if not store.has_finished(connection, run.id):
            useless += plans.dependents(connection, run.id)
        for row in useless:
            if row["status"] == RunStatus.RUNNING:
                store.request_cancel(connection, row["id"])
                self._has_flagged = True
            else:
                events += self._end(connection, _whose(row), RunStatus.CANCELLED, None)
        return events

    def _note(self, connection: Connection, run: RunView | NewRun | _Whose, note: Note) -> Told:
        return self._events.put(connection, note.kind, run.id, run.thread_id, run.owner, run.door, note.data)


def _nobody(*_: object) -> None:
    """Nobody listens."""


def _whose(row: Row) -> _Whose:
    return _Whose(row["id"], row["thread_id"], row["owner"], row["door"])


def _whose_view(run: RunView) -> _Whose:
    return _Whose(run.id, run.thread_id, run.owner, run.door)


def _not_failed(run_id: str, row: Row | None) -> HearthError:
    if row is None:
        return no_task(run_id)
    return Conflict(f"The task {run_id} is {row['status']}: only a failed one is tried again.", "Ask again instead.")


def _made_before(connection: Connection, run: NewRun) -> TaskAccepted | None:
    row = store.run_by_key(connection, run.owner, run.idempotency_key or "")
    if row is None:
        return None
    if row["request_sha256"] != run.request_sha256:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used before, with another request.", "Use a new key for a new request."
        )
    return TaskAccepted(
        task_id=row["id"],
        thread_id=row["thread_id"],
        status=RunStatus(row["status"]),
        webhook_secret=row["webhook_secret"],
    )


def _place(connection: Connection, run: NewRun) -> NewRun:
    """The run as a turn of its thread, whose agent it takes when it names none."""
    thread_id = run.thread_id or ""
    thread = store.thread_of(connection, run.owner, thread_id)
    if thread is None:
        raise no_thread(thread_id)
    if run.seen_version not in (None, thread["version"]):
        versions = {"version": thread["version"], "seen_version": run.seen_version}
        raise Conflict("The thread has gone on since.", "Read it again, then say it.", **versions)
    store.touch_thread(connection, thread_id, run.created_at, "" if thread["title"] else title_of(_first_words(run)))
    store.add_question(connection, (ids.new("msg"), thread_id, run.id, run.goal, run.created_at))
    return dataclasses.replace(
        run,
        agent_id=run.agent_id or thread["agent_id"],
        local_only=run.local_only or bool(thread["local_only"]),
    )


def _first_words(run: NewRun) -> str:
    """What is said, and about which page: "Summarise this" alone would name nothing."""
    if run.context == "{}":
        return run.goal
    files = TaskContext.model_validate_json(run.context).files
    names = (file.title or site_of(file.name) for file in files if file.origin != "file" or is_page(file.name))
    about = next(filter(None, names), "")
    return f"{about}: {run.goal}" if about else run.goal


def title_of(text: str) -> str:
    """A thread's name from the first thing said in it: its first line, cut between words."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if len(line) <= _TITLE:
        return line
    return f"{line[: _TITLE - 1].rsplit(' ', 1)[0].rstrip()}…"


def _claim(connection: Connection, row: Row, now: float, default_s: float) -> Claim:
    run_id, thread_id = row["id"], row["thread_id"]
    history = store.history_of(connection, thread_id, run_id) if thread_id else ()
    left = default_s if row["deadline_at"] is None else min(default_s, row["deadline_at"] - now)
    run = RunView(
        id=run_id,
        agent_id=row["agent_id"],
        thread_id=thread_id,
        goal=row["goal"],
        context=_context(connection, row),
        history=tuple(rows.message(message) for message in history),
        lane=Lane(row["lane"]),
        door=row["door"],
        owner=row["owner"],
        principal=row["principal"],
        spaces=frozenset(json.loads(row["spaces"])),
        local_only=bool(row["local_only"]),
        attempt=row["attempt"],
        seconds_left=left,
        budget=Budget.model_validate_json(row["budget"]) if row["budget"] != "{}" else _NO_BUDGET,
        depth=row["depth"],
        worked_s=row["worked_s"],
    )
    earlier = _earlier(connection, run_id) if row["fence"] > 1 else Earlier()
    return Claim(run, row["fence"], earlier, row["trace_id"])


def _context(connection: Connection, row: Row) -> TaskContext:
    """What the asker laid beside it; for a part of a plan, what the parts before it came to, as texts from outside."""
    context = TaskContext.model_validate_json(row["context"])
    if not row["depth"]:
        return context
    before = plans.before(connection, row["id"])
    results = [
        FileText.model_construct(name=f"part {n}", text=plans.outcome(one), origin="page", title=one["goal"][:_TITLE])
        for n, one in enumerate(before, 1)
    ]
    return context.model_copy(update={"files": [*context.files, *results]})


def _earlier(connection: Connection, run_id: str) -> Earlier:
    steps = [
        StepRecord(row["seq"], row["name"], row["call_id"], row["state"], row["output"], bool(row["effect"]))
        for row in store.steps_of(connection, run_id)
    ]
    story = ((EventType(row["type"]), json.loads(row["data"])) for row in store.story_of(connection, run_id))
    return replay.earlier(steps, story)


def _worked(connection: Connection, claim: Claim) -> None:
    """A budget of seconds is for all attempts together."""
    store.add_work(connection, claim.run.id, claim.fence, time.monotonic() - claim.began)


def _lost(claim: Claim) -> Conflict:
    return Conflict(f"The task {claim.run.id} is not this worker's any more.", "Nothing needs to be done.")


def _queued_note(run: NewRun) -> Note:
    return Note(EventType.TASK_QUEUED, {"goal": run.goal[:_SHOWN_GOAL], "lane": run.lane})


def _started_note(claim: Claim) -> Note:
    return Note(EventType.TASK_STARTED, {"attempt": claim.run.attempt})


def _reset_notes(claim: Claim) -> list[Note]:
    attempt = claim.run.attempt
    return [Note(EventType.TEXT_RESET, {"part": part, "attempt": attempt}) for part in claim.earlier.shown]


def _ending(outcome: Outcome) -> tuple[RunStatus, Answer | None, Failure | None, Note]:
    match outcome:
        case Finished(answer):
            note = Note(EventType.TASK_FINISHED, {"answer": answer.model_dump(mode="json")})
            return RunStatus.FINISHED, answer, None, note
        case Failed(failure, answer, is_dead):
            status = RunStatus.DEAD if is_dead else RunStatus.FAILED
            return status, answer, failure, Note(EventType.TASK_FAILED, failure.model_dump())
        case Stopped(answer):
            return RunStatus.CANCELLED, answer, None, Note(EventType.TASK_CANCELLED, {})
        case _:
            assert_never(outcome)


def _add_answer(connection: Connection, run: RunView, answer: Answer, now: float) -> None:
    kept = answer.model_copy(update={"text": ""}).model_dump_json()
    store.add_answer(connection, (ids.new("msg"), run.thread_id, run.id, answer.text, kept, now))
    store.touch_thread(connection, run.thread_id or "", now)


def _gave_up(attempts: int) -> Failure:
    error = GaveUp(f"It was begun {attempts} times, and Hearth stopped each time before it was done.", "Ask again.")
    return Failure(code=error.code, detail=error.detail, fix=error.fix, retryable=error.retryable)
