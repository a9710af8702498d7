"""Does the queued runs: so many at once, woken by events alone, asleep when there is nothing to do."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from hearth_backend.agent.guard import Suspended
from hearth_backend.agent.journal import Executor
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.journal import RunJournal
from hearth_backend.orchestrator.retry import is_dead, pause_after
from hearth_backend.orchestrator.run_store import Claim, Failed, Finished, Outcome, Stopped
from hearth_backend.orchestrator.runs import Runs
from hearth_shared import logs
from hearth_shared.errors import DeadlineExceeded, HearthError
from hearth_shared.protocol.tasks import Answer, Failure, Lane
from hearth_shared.settings import Runs as Settings

log = logging.getLogger(__name__)
T = TypeVar("T")
BEAT_S: Final = 20.0
LARGEST_ANSWER: Final = 1_000_000
LARGEST_DETAIL: Final = 4000
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_GRACE_S: Final = 10.0
_SHORTEST_ALARM: Final = 0.01
_LONGEST_ALARM: Final = 3600.0  # the clock may be set meanwhile


@dataclass(frozen=True, slots=True)
class Again:
    """It failed, and is to be tried again after a pause; if there is no time for that, this is how it ended."""

    failed: Failed
    pause_s: float


class Worker:
    """Claims runs from the store and gives each to the executor, in a task of its own with its deadline.

    The last free place is kept for the lanes of people (inline, chat), so that long work in the background does not
    make a person wait. While storage refuses (disk full) it tries again, less and less often, and loses nothing.
    """

    def __init__(
        self,
        runs: Runs,
        executor: Executor,
        settings: Settings,
        tracer: Tracer,
        metrics: Metrics,
        *,
        dice: Callable[[], float] = random.random,
        busy: Callable[[bool], None] = lambda is_busy: None,
    ) -> None:
        """`busy` hears when the first run begins that a person or a trigger waits for, and when the last of them has
        ended; what merely indexes does not count."""
        self._store = runs.store
        self._executor = executor
        self._settings = settings
        self._tracer = tracer
        self._metrics = metrics
        self._dice = dice
        self._busy = busy
        self._is_busy = False
        self._alarm: asyncio.TimerHandle | None = None
        self._is_due = False
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._claims: dict[str, Claim] = {}
        self._executing: dict[str, asyncio.Task[Answer]] = {}
        self._cancelled: set[str] = set()
        self._beat: asyncio.TimerHandle | None = None
        self._beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take up what the last process left, then wait for work. On the event loop."""
        self._store.listen(self._wake.set, self._cancel)
        self._serving = asyncio.create_task(self._serve(), name="worker")

    async def stop(self) -> None:
        """Claim nothing more; what is being done goes back to the queue for the next start."""
        self._stopping.set()
        self._wake.set()
        if self._serving is not None:
            await self._serving
        for work in self._executing.values():
            work.cancel()
        for timer in (self._beat, self._alarm):
            if timer is not None:
                timer.cancel()
        rest = [*self._tasks.values(), *([self._beating] if self._beating else [])]
        if rest:
            _, stuck = await asyncio.wait(rest, timeout=2 * _GRACE_S)
            for task in stuck:
                task.cancel()

    async def _serve(self) -> None:
        await self._insist(lambda: self._store.recover(self._settings.attempts))
        while not self._stopping.is_set():
            self._wake.clear()
            while claim := await self._claim():
                self._begin(claim)
            self._set_alarm()
            await self._wake.wait()
            if self._is_due:
                self._is_due = False
                await self._insist(self._store.wake_due)

    def _set_alarm(self) -> None:
        """For what was put off; there is no timer when nothing was."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due_in = None if self._stopping.is_set() else self._store.due_in()
        if due_in is not None:
            due_in = min(max(due_in, _SHORTEST_ALARM), _LONGEST_ALARM)
            self._alarm = asyncio.get_running_loop().call_later(due_in, self._ring)

    def _ring(self) -> None:
        self._alarm, self._is_due = None, True
        self._wake.set()

    async def _claim(self) -> Claim | None:
        free = self._settings.workers - len(self._tasks)
        if free <= 0 or self._stopping.is_set():
            return None
        last_lane = Lane.CHAT if free == 1 and self._settings.workers > 1 else Lane.INDEXING
        return await self._insist(lambda: self._store.claim(last_lane, self._settings.deadline_s))

    def _begin(self, claim: Claim) -> None:
        run_id = claim.run.id
        self._claims[run_id] = claim
        self._tell_busy()
        task = self._tasks[run_id] = asyncio.create_task(self._perform(claim), name=f"end of {run_id}")
        task.add_done_callback(lambda task: self._ended(task, run_id))
        self._plan_beat()

    def _ended(self, task: asyncio.Task[None], run_id: str) -> None:
        del self._tasks[run_id], self._claims[run_id]
        self._cancelled.discard(run_id)
        self._tell_busy()
        if self._beat is not None and not self._claims:
            self._beat.cancel()
            self._beat = None
        if not task.cancelled() and (error := task.exception()):
            log.error("the end of %s could not be stored", run_id, exc_info=error)
        self._wake.set()

    def _tell_busy(self) -> None:
        is_busy = any(claim.run.lane is not Lane.INDEXING for claim in self._claims.values())
        if is_busy is not self._is_busy:
            self._is_busy = is_busy
            self._busy(is_busy)

    def _cancel(self, run_id: str) -> None:
        self._cancelled.add(run_id)
        if work := self._executing.get(run_id):
            work.cancel()

    # -- one run

    async def _perform(self, claim: Claim) -> None:
        run = claim.run
        began = asyncio.get_running_loop().time()
        logs.run_id.set(run.id)
        journal = RunJournal(self._store, claim)
        with self._tracer.span("run", parent=claim.trace_id, run_id=run.id, agent=run.agent_id, door=run.door) as span:
            outcome = await self._execute(claim, journal)
            if isinstance(outcome, Failed):
                span.fail(outcome.failure.code)
        notes = await journal.close()
        if outcome is None:
            await self._insist(lambda: self._store.release(claim))
            log.info("%s goes back to the queue", run.id)
        elif isinstance(outcome, Suspended):
            await self._insist(lambda: self._store.suspend(claim, notes))
            log.info("%s waits", run.id)
        elif isinstance(outcome, Again) and await self._insist(
            lambda: self._store.put_off(claim, outcome.failed.failure, outcome.pause_s, notes)
        ):
            log.info("%s is tried again in %.0f s", run.id, outcome.pause_s)
        else:
            end = outcome.failed if isinstance(outcome, Again) else outcome
            if await self._insist(lambda: self._store.finish(claim, end, notes)):
                self._tell(claim, end, asyncio.get_running_loop().time() - began)

    async def _execute(self, claim: Claim, journal: RunJournal) -> Outcome | Suspended | Again | None:
        """How the run ended; Suspended when it waits; None when Hearth stops.

        The executor has a task of its own: whoever cancels that one, what the end leaves is stored in this one.
        """
        run_id, left = claim.run.id, claim.run.seconds_left or 0.0
        work = self._executing[run_id] = asyncio.create_task(_call(self._executor, journal), name=run_id)
        if left <= 0 or run_id in self._cancelled or self._stopping.is_set():  # since it was queued, or claimed
            work.cancel()
        _, late = await asyncio.wait({work}, timeout=max(0.0, left))
        if late:
            work.cancel()
            await asyncio.wait({work}, timeout=_GRACE_S)
        del self._executing[run_id]
        return self._outcome(claim, journal, work, is_late=left <= 0 or bool(late))

    def _outcome(
        self, claim: Claim, journal: RunJournal, work: asyncio.Task[Answer], *, is_late: bool
    ) -> Outcome | Suspended | Again | None:
        error = asyncio.CancelledError() if not work.done() or work.cancelled() else work.exception()
        if error is None:
            return Finished(_capped(work.result()))
        said = journal.said()
        partial = Answer(text=said, complete=False) if said else None
        if claim.run.id in self._cancelled:
            return Stopped(partial)
        if is_late:
            late = DeadlineExceeded("The time set for the task is over.", "Ask again, with more time.")
            return Failed(_failure(late), partial)
        if isinstance(error, Suspended):
            return error
        if self._stopping.is_set():
            return None
        if not isinstance(error, HearthError):
            log.error("%s failed", claim.run.id, exc_info=error)
            error = HearthError("Something inside Hearth broke while it worked on this.", "Look into `hearth doctor`.")
        pause = pause_after(error, claim.run.attempt, self._settings.attempts, self._dice)
        if pause is not None:
            return Again(Failed(_failure(error), partial), pause)
        return Failed(_failure(error), partial, is_dead(error))

    def _tell(self, claim: Claim, outcome: Outcome, seconds: float) -> None:
        ended = {Finished: "finished", Failed: "failed", Stopped: "cancelled"}[type(outcome)]
        if isinstance(outcome, Failed) and outcome.is_dead:
            ended = "dead"
        log.info("%s %s after %.1f s", claim.run.id, ended, seconds)
        self._metrics.run(claim.run.agent_id, claim.run.door, ended, seconds)
        if isinstance(outcome, Failed):
            self._metrics.error(outcome.failure.code)

    # -- leases and faults

    def _plan_beat(self) -> None:
        if self._beat is None and self._claims:
            self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._start_beat)

    def _start_beat(self) -> None:
        self._beat = None
        self._beating = asyncio.create_task(self._keep(), name="leases")

    async def _keep(self) -> None:
        """Renew the leases of what is being done; stop what somebody else has taken."""
        try:
            for claim in await self._store.heartbeat(tuple(self._claims.values())):
                log.warning("%s is not this worker's any more", claim.run.id)
                if work := self._executing.get(claim.run.id):
                    work.cancel()
        except Exception as error:  # the top of a task
            log.warning("the leases could not be renewed: %s", error)
        self._plan_beat()

    async def _insist(self, operation: Callable[[], Awaitable[T]]) -> T | None:
        """Until the store takes it; None when Hearth stops first: the next start finds the run as it was."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await operation()
            except Exception as error:  # whatever it is, a run must not be lost for it
                log.warning(
                    "the store refused, %s: %s", "stopping" if self._stopping.is_set() else "trying again", error
                )
            if self._stopping.is_set():
                return None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


async def _call(executor: Executor, journal: RunJournal) -> Answer:
    return await executor(journal)


def _capped(answer: Answer) -> Answer:
    if len(answer.text) <= LARGEST_ANSWER:
        return answer
    notes = [*answer.notes, f"The answer was longer than can be kept; {LARGEST_ANSWER} characters of it are here."]
    return answer.model_copy(update={"text": answer.text[:LARGEST_ANSWER], "complete": False, "notes": notes})


def _failure(error: HearthError) -> Failure:
    return Failure(
        code=error.code, detail=error.detail[:LARGEST_DETAIL], fix=error.fix[:LARGEST_DETAIL], retryable=error.retryable
    )
