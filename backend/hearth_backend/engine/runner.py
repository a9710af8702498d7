"""The engine thread: it owns every native call, does one step after another, and sleeps when there is none to do."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from hearth_backend.engine.lanes import rank
from hearth_backend.engine.scheduler import Job, Scheduler


class Flag(Protocol):
    """Stops the batch that is being computed."""

    def up(self) -> None: ...

    def down(self) -> None: ...


class Runner:
    """Takes jobs and cancels from any thread, and hands the scheduler to one.

    What arrives for a higher lane stops the batch of a lower one: inline completion waits for no prompt. `flush` is
    called once after every step, with whether the next one follows at once and only writes: then what was said may be
    kept for it. It is called with False before anything that may take longer.
    """

    def __init__(self, flag: Flag, flush: Callable[[bool], object]) -> None:
        self._flag = flag
        self._flush = flush
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._new: list[Job] = []
        self._cancelled: list[int] = []
        self._works: list[Callable[[Scheduler], object]] = []
        self._doing: Sequence[Job] = ()
        self._held = False

    def submit(self, job: Job) -> None:
        """A job for the next step."""
        with self._lock:
            self._new.append(job)
            self._interrupt()
            self._changed.notify()

    def cancel(self, id: int) -> None:
        """Nobody waits for this job any more, if it is still known."""
        with self._lock:
            self._cancelled.append(id)
            self._interrupt()
            self._changed.notify()

    def call(self, work: Callable[[Scheduler], object]) -> None:
        """Do something with the scheduler, on its thread, between two steps."""
        with self._lock:
            self._works.append(work)
            self._changed.notify()

    def hold(self, on: bool) -> None:
        """Compute only what is typed from now on, or everything again."""
        with self._lock:
            self._held = on
            self._interrupt()
            self._changed.notify()

    def run(self, make: Callable[[Callable[[], None]], Scheduler]) -> None:
        """Serve for ever; `make` is given what the scheduler is to call before each batch."""
        scheduler = make(lambda: self._about(scheduler))
        while True:
            self._take(scheduler)
            scheduler.step()
            self._flush(scheduler.writes)

    def _take(self, scheduler: Scheduler) -> None:
        """Tell the scheduler what is new; waits when there is nothing to do."""
        if self._goes_on(scheduler):
            return
        self._flush(False)
        with self._lock:
            while not self._is_wanted(scheduler):
                self._changed.wait()
            scheduler.held = self._held
            self._flag.down()
            new, self._new = self._new, []
            cancelled, self._cancelled = self._cancelled, []
            works, self._works = self._works, []
        for job in new:
            scheduler.add(job)
        for id in cancelled:
            scheduler.cancel(id)
        for work in works:
            work(scheduler)

    def _goes_on(self, scheduler: Scheduler) -> bool:
        """Whether nothing is new, and there is something to compute."""
        with self._lock:
            self._doing = ()
            if self._new or self._cancelled or self._works or not scheduler.busy(held=self._held):
                return False
            scheduler.held = self._held
            self._flag.down()
            return True

    def _is_wanted(self, scheduler: Scheduler) -> bool:
        return bool(self._new or self._cancelled or self._works) or scheduler.busy(held=self._held)

    def _about(self, scheduler: Scheduler) -> None:
        """A batch is about to be computed: what came since the step began may stop it at once."""
        with self._lock:
            self._doing = scheduler.doing  # a list of its own for each batch
            if self._new or self._cancelled or self._held:
                self._interrupt()

    def _interrupt(self) -> None:
        if not self._doing:
            return
        lane = min(rank(job.lane) for job in self._doing)
        if self._held and lane > 0:
            self._flag.up()
        alone = self._doing[0] if len(self._doing) == 1 else None
        if any(rank(job.lane) < lane or (alone and job.supersedes(alone)) for job in self._new) or (
            alone is not None and alone.id in self._cancelled
        ):
            self._flag.up()
