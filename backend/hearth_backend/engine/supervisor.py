"""Keeps one model answering: starts its child when it is needed, and again when it died.

A task that has shown nothing yet is given to the next child, once; one that has ends with EngineCrashed.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from hearth_backend.engine.child import Child
from hearth_backend.engine.crashes import Crashes
from hearth_backend.engine.files import ModelFile
from hearth_backend.engine.frames import (
    Answer,
    Ask,
    Cancel,
    Chat,
    Complete,
    Embed,
    Ended,
    Event,
    Failed,
    Forgotten,
    Hold,
    Piece,
    Ready,
    Started,
    Task,
    Text,
    Tokens,
    Vectors,
)
from hearth_backend.engine.lanes import Lane
from hearth_backend.engine.loader import KILLED, Loader
from hearth_backend.engine.residency import Resident
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.spans import Span, Untraced
from hearth_backend.observe.traces import Tracer
from hearth_shared.errors import (
    BadModelFile,
    Cancelled,
    EngineCrashed,
    HearthError,
    ModelFailed,
    ModelUnavailable,
    Overloaded,
    every_error,
)

log = logging.getLogger(__name__)

Said = Event | Tokens | Text | Vectors | Forgotten
_MOST_TASKS = 256


@dataclass(frozen=True, slots=True)
class Running:
    """A loaded model: where it runs and how fast it was."""

    pid: int
    load_s: float
    context: int
    gpu_layers: int
    tokens_per_s: float | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """How fast the latest whole answer was on this machine: seconds to its first word, for which `read` tokens of the
    prompt were read, then words and tokens a second."""

    first_s: float
    read: int
    words_per_s: float
    tokens_per_s: float


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom a task is: owners take turns in a lane, a newer task of a document ends the older one."""

    owner: str = ""
    document: str = ""
    deadline_s: float | None = None


NOBODY = Asker()


class Supervisor:
    """One model file, its child, and the tasks that wait for it."""

    def __init__(
        self,
        file: ModelFile,
        loader: Loader,
        *,
        idle_s: float,
        metrics: Metrics | None,
        tracer: Tracer,
        pinned: bool = False,
    ) -> None:
        """`pinned`: once it is loaded it stays, though nobody asks it and another wants its room."""
        self.file = file
        self.pinned = pinned
        self.figures: Figures | None = None
        self._metrics = metrics
        self._tracer = tracer
        self._loader = loader
        self._idle_s = idle_s
        self._ids = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._child: Child | None = None
        self._ready = Ready(0, 0, 0.0)
        self._starting: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False
        self._held = False
        self._used = 0.0
        self._role = ""
        self._crashes = Crashes()

    @property
    def verdict(self) -> BadModelFile | None:
        """Why the file is not tried again, once that is so."""
        return self._loader.verdict

    @property
    def running(self) -> Running | None:
        """None while nothing is loaded."""
        if self._child is None:
            return None
        ready = self._ready
        speed = self.figures.tokens_per_s if self.figures else None
        return Running(self._child.pid, ready.seconds, ready.context, ready.gpu_layers, speed, self.pinned)

    @property
    def resident(self) -> Resident | None:
        """What it takes while it is loaded, or is about to be; None when it takes nothing."""
        taken = self._loader.taken
        if taken is None or (self._child is None and self._starting is None):
            return None
        busy = bool(self._calls) or self._child is None
        return Resident(self.file.id, self._role, *taken, self._used, self.pinned, busy)

    async def leave(self) -> bool:
        """Make room for another model, unless somebody has asked meanwhile; returns when its memory is free."""
        if self._calls or self._child is None:
            return False
        self.unload()
        await asyncio.wait(self._ending)
        return True

    async def answers(self, lane: Lane, task: Task, asker: Asker = NOBODY) -> AsyncGenerator[Said, None]:
        """What the child says to this task, to its end. Leaving early cancels the task."""
        with self._tracer.span(f"model.{type(task).__name__.lower()}", model=self.file.id, lane=lane) as span:
            call = self._admit(lane, task, asker)
            spaces = 0
            try:
                while not call.over:
                    said = await call.events.get()
                    if isinstance(said, HearthError):
                        raise said
                    if isinstance(said, Piece):
                        spaces += said.text.count(" ")
                    elif isinstance(said, Ended):
                        self._took(said, spaces + 1, span)
                    yield said
            finally:
                self._dismiss(call)

    def hold(self, on: bool) -> None:
        """Compute only what is typed, while another engine is typed for; or everything again."""
        self._held = on
        if self._child is not None:
            self._child.send(Hold(on))

    def unload(self) -> None:
        """Let the child go; the next task starts another."""
        self._rest(None)
        if self._child is not None:
            child, self._child = self._child, None
            closing = asyncio.create_task(child.close(), name=f"engine-unload-{child.pid}")
            self._ending.add(closing)
            closing.add_done_callback(self._ending.discard)
            self._lose(EngineCrashed("The model was unloaded.", "Ask again."))

    async def close(self) -> None:
        """End the child and every task; afterwards no process is left."""
        self._closed = True
        self._fail(Cancelled("Hearth is closing.", "Start it again with `hearth up`."))
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        self.unload()
        if self._ending:
            await asyncio.wait(self._ending)

    def _took(self, end: Ended, words: int, span: Span | Untraced) -> None:
        """How long a whole answer took, and how fast its words came."""
        if end.output_s:
            read, tokens_per_s = end.prompt_tokens - end.cached_tokens, end.output_tokens / end.output_s
            self.figures = Figures(end.prompt_s, read, words / end.output_s, tokens_per_s)
        span.set(
            prompt_tokens=end.prompt_tokens,
            cached_tokens=end.cached_tokens,
            output_tokens=end.output_tokens,
            prompt_ms=round(1000 * end.prompt_s, 1),
            output_ms=round(1000 * end.output_s, 1),
        )

    # -- tasks

    def _admit(self, lane: Lane, task: Task, asker: Asker) -> "_Call":
        if self._closed:
            raise Cancelled("Hearth is closing.", "Start it again with `hearth up`.")
        if len(self._calls) >= _MOST_TASKS:
            raise Overloaded("The model has too much to do.", "Try again in a few seconds.", retry_after=2)
        call = _Call(Ask(next(self._ids), lane, task, asker.owner, asker.document, asker.deadline_s))
        self._calls[call.ask.id] = call
        self._used = asyncio.get_running_loop().time()
        self._role = _role(lane, task, self._role)
        self._rest(None)
        self._wake()
        return call

    def _dismiss(self, call: "_Call") -> None:
        if self._calls.pop(call.ask.id, None) is not None and call.sent and self._child is not None:
            self._child.send(Cancel(call.ask.id))
        if not self._calls and self._child is not None and not self._closed:
            self._rest_soon()

    def _rest(self, timer: asyncio.TimerHandle | None) -> None:
        """There is one timer, and only while a loaded model has nothing to do."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = timer

    def _rest_soon(self) -> None:
        if not self.pinned:
            self._rest(asyncio.get_running_loop().call_later(self._idle_s, self.unload))

    def _answered(self, answer: Answer) -> None:
        call = self._calls.get(answer.id)
        if call is None:  # cancelled meanwhile
            return
        call.put(answer.event)
        if call.ended:
            self._crashes.worked()
        if call.over:
            del self._calls[answer.id]

    def _fail(self, error: HearthError) -> None:
        for call in self._calls.values():
            call.fail(error)
        self._calls.clear()

    def _lose(self, error: HearthError) -> None:
        """The child is gone: its tasks go to the next one, or end."""
        for call in list(self._calls.values()):
            if call.sent and (call.shown or call.replayed):
                del self._calls[call.ask.id]
                call.fail(error)
            elif call.sent:
                call.sent, call.replayed = False, True
        if self._calls:
            self._wake()

    # -- the child

    def _wake(self) -> None:
        if self._child is not None:
            for call in self._calls.values():
                if not call.sent:
                    call.sent = True
                    self._child.send(call.ask)
        elif self._starting is None and not self._closed:
            self._starting = asyncio.create_task(self._start(), name=f"engine-start-{self.file.id}")

    async def _start(self) -> None:
        try:
            with self._tracer.span("model.load", model=self.file.id) as span:
                child, self._ready = await self._loader.load(self._answered, self._ended)
                span.set(context=self._ready.context, gpu_layers=self._ready.gpu_layers)
        except HearthError as error:
            self._starting = None
            self._fail(error)
        except Exception as error:  # the top of a task: whoever waits must hear
            log.exception("the engine cannot be started")
            self._starting = None
            self._fail(ModelUnavailable(f"The engine cannot be started: {error}.", "Free some memory and try again."))
        else:
            self._starting = None
            self._child = child
            self.hold(self._held)
            self._wake()
            if child.returncode is not None:
                self._ended(child)
            elif not self._calls:
                self._rest_soon()

    def _ended(self, child: Child) -> None:
        if child is not self._child:  # it was let go, or never got ready
            return
        self._child = None
        self._rest(None)
        how = child.how_it_ended()
        if self._metrics is not None:
            self._metrics.engine_restart()
        log.warning("engine child %s of %s died: %s", child.pid, self.file.id, how)
        log.debug("its last words: %s", child.last_words)
        self._loader.crashed(self._ready.gpu_layers, how)
        alive = [call.ask.id for call in self._calls.values() if call.sent]
        if not self._ready.gpu_layers and how not in KILLED and self._crashes.died(alive):
            self._loader.give_up(how)
        self._lose(
            EngineCrashed(
                f"The engine died while {self.file.id} was answering ({how}).", "It is started again: ask once more."
            )
        )


def _role(lane: Lane, task: Task, before: str) -> str:
    """What a model is used for; one that has completed at the cursor is kept for that."""
    match task:
        case Embed():
            return "embed"
        case Chat() | Complete():
            return "complete" if lane == "inline" or before == "complete" else "chat"
        case _:
            return before


class _Call:
    """One task and the events of its answer."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.events: asyncio.Queue[Said | HearthError] = asyncio.Queue()
        self.sent = False
        self.shown = False
        self.replayed = False
        self._begun = False
        self._over = False

    @property
    def ended(self) -> bool:
        """Whether all was said."""
        return self._over

    @property
    def over(self) -> bool:
        """Whether all was said and read."""
        return self._over and self.events.empty()

    def put(self, event: Said | Failed) -> None:
        match event:
            case Failed(code, detail, fix, data):
                self.fail(_ERRORS.get(code, ModelFailed)(detail, fix, **data))
            case Started() if self._begun:  # a replay begins again, which is nobody's business
                pass
            case _:
                self._begun = self._begun or isinstance(event, Started)
                self.shown = self.shown or isinstance(event, Piece)
                self._over = isinstance(event, Ended | Tokens | Text | Vectors | Forgotten)
                self.events.put_nowait(event)

    def fail(self, error: HearthError) -> None:
        """End it with an error of its own: one raised in many tasks would gather all their tracebacks."""
        self._over = True
        self.events.put_nowait(type(error)(error.detail, error.fix, **error.data))


_ERRORS = {kind.code: kind for kind in every_error()}
