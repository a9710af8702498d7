"""The journal of one attempt at a run: what is done is remembered, what is said is on disk before it is sent."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic_core import from_json, to_json

from hearth_backend.agent.guard import Effect, Go, Guard, Refused, Verdict
from hearth_backend.agent.run_view import RunView
from hearth_backend.orchestrator.frames import Frame, Frames
from hearth_backend.orchestrator.replay import Reset, StepRecord
from hearth_backend.orchestrator.run_store import Claim, Note, RunStore
from hearth_shared.errors import HearthError, ReplayMismatch, TooLarge, from_problem
from hearth_shared.protocol.events import EventType

LARGEST_STEP: Final = 4 * 1024 * 1024
_BEGUN: Final = EventType.STEP_STARTED
_SHORT_S: Final = 0.04
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class RunJournal:
    """`agent.journal.Journal` on a run store.

    Writes of one run go one after the other, so its events keep their order in any store. A write that fails fails
    the run at its next call. What was said during a step that an earlier attempt finished is said again when that
    step is replayed, for the new attempt took the old one's text back.
    """

    def __init__(self, store: RunStore, claim: Claim, *, frames: Frames | None = None) -> None:
        self._store = store
        self._claim = claim
        self._run = claim.run
        self._frames = frames or Frames()
        self._loop = asyncio.get_running_loop()
        self._writing = asyncio.Lock()
        self._position = 0
        self._begun: dict[int, StepRecord] = {}  # steps that go on and are not written yet
        self._begun_at = 0.0  # when the first of them began
        self._said: dict[int, list[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._fault: Exception | None = None
        self._closed = False

    @property
    def run(self) -> RunView:
        return self._run

    def act_as(self, agent_id: str) -> None:
        self._run = replace(self._run, agent_id=agent_id)

    async def step(self, name: str, call_id: str, body: Callable[[], Awaitable[Any]]) -> Any:
        """See the protocol. A step that was begun and not finished is done again."""
        step = self._next(name, call_id)
        if step.state in ("done", "failed"):
            return await self._replayed(step)
        await self._begin(step._replace(state="started", output=None))
        return await self._finish(step, body)

    async def effect(
        self,
        name: str,
        call_id: str,
        args: Mapping[str, Any],
        guard: Guard,
        body: Callable[[Go, str], Awaitable[Any]],
        *,
        repeatable: bool = False,
    ) -> Any:
        """See the protocol."""
        step = self._next(name, call_id)._replace(is_effect=True)
        if step.state in ("done", "failed"):
            return await self._replayed(step)
        times = json.loads(step.output or "{}").get("begun", 0)
        effect = Effect(f"{self.run.id}:{step.seq}", self.run, name, call_id, args, begun=times)
        match await self._leave(step, effect, guard, repeatable=repeatable):
            case Refused(text):
                return await self._finish(step, lambda: _refused(text))
            case Go() as go:
                leave = {"args": go.args, "approval": go.approval_id, "sha256": go.sha256, "begun": times + 1}
                await self._record(step._replace(state="started", output=_encode(leave)), None)
                return await self._finish(step, lambda: body(go, effect.key))

    async def _leave(self, step: StepRecord, effect: Effect, guard: Guard, *, repeatable: bool) -> Verdict:
        """May it be done? After a crash in the middle of it: may it be done again?"""
        before = json.loads(step.output or "{}")
        if step.state == "started" and repeatable:
            return Go(before["args"], before["approval"], before["sha256"])
        if step.state in ("started", "unknown"):
            if step.state == "started":
                await self._record(step._replace(state="unknown"), EventType.STEP_FINISHED)
            return await guard.settle(replace(effect, args=before["args"]))
        if step.output is None:
            await self._record(step._replace(state="intent", output=_encode({"args": effect.args})), _BEGUN)
        elif before["args"] != json.loads(_encode(effect.args)):
            raise _another_way(step, effect.tool)
        return await guard.ask(effect)

    async def emit(self, kind: EventType, data: Mapping[str, Any]) -> None:
        if kind is EventType.REASONING_DELTA:
            self._say(EventType.REASONING_DELTA, int(data.get("part", 0)), str(data["text"]))
        else:
            await self._write([Note(kind, data)])

    async def text(self, part: int, text: str) -> None:
        self._said.setdefault(part, []).append(text)
        self._say(EventType.TEXT_DELTA, part, text)

    async def reset(self, part: int) -> None:
        self._said.pop(part, None)
        self._frames.reset(part)
        await self._write([Note(EventType.TEXT_RESET, {"part": part})])

    def said(self) -> str:
        """The answer as far as it was said, part after part."""
        return "".join("".join(pieces) for _, pieces in sorted(self._said.items()))

    async def close(self) -> list[Note]:
        """Stop sending; what was said and not sent yet, to be stored with the run's end."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
        # After a failed write text is missing in between: the run's end holds it all, the stream no more of it.
        return [*(_told(step, _BEGUN) for step in self._begun.values()), *self._take()] if self._fault is None else []

    def _next(self, name: str, call_id: str) -> StepRecord:
        """The step at the next position, as an earlier attempt left it."""
        seq, self._position = self._position, self._position + 1
        known = self._claim.earlier.steps.get(seq) or StepRecord(seq, name, call_id, "intent")
        if (known.name, known.call_id) != (name, call_id):
            raise _another_way(known, name)
        return known

    async def _finish(self, step: StepRecord, body: Callable[[], Awaitable[Any]]) -> Any:
        try:
            value = await body()
        except HearthError as error:
            problem = json.dumps(error.problem(), ensure_ascii=False, default=str)
            await self._record(step._replace(state="failed", output=problem), EventType.STEP_FINISHED)
            raise
        output = to_json(value).decode()
        if len(output) > LARGEST_STEP:
            raise TooLarge(
                f"The step {step.name} gave more than can be kept ({len(output)} characters).", "Ask for less."
            )
        await self._record(step._replace(state="done", output=output), EventType.STEP_FINISHED)
        return from_json(output)  # what a replay would give: tuples are lists from the start

    async def _replayed(self, known: StepRecord) -> Any:
        for piece in self._claim.earlier.said.get(known.seq, ()):
            if isinstance(piece, Reset):
                await self.reset(piece.part)
            elif piece.stream is EventType.TEXT_DELTA:
                await self.text(piece.part, piece.text)
            else:
                self._say(piece.stream, piece.part, piece.text)
        value = json.loads(known.output or "null")
        if known.state == "failed":
            raise from_problem(value)
        return value

    async def _begin(self, step: StepRecord) -> None:
        """A step that may be done again need not be on disk before it begins: a short one is written once, at its end.
        One that takes longer, or says something, is written before anything of it is sent."""
        self._check()
        now = self._loop.time()
        if self._frames.due_in(now) is not None:  # said before the step
            await self._record(step, EventType.STEP_STARTED)
            return
        if not self._begun:
            self._begun_at = now
        self._begun[step.seq] = step
        if self._timer is None and self._flushing is None:
            self._timer = self._loop.call_later(_SHORT_S, self._look)

    async def _record(self, step: StepRecord, kind: EventType | None) -> None:
        """Write the step, and tell of it unless it was told already that it goes on."""
        await self._put(step, [] if kind is None else [_told(step, kind)])

    async def _write(self, notes: Sequence[Note]) -> None:
        await self._put(None, notes)

    async def _put(self, step: StepRecord | None, last: Sequence[Note]) -> None:
        """Write a step, or events alone; what was begun and said until now goes before it."""
        self._check()
        async with self._writing:
            try:
                await self._put_now(step, last)
            except Exception as error:
                self._fault = error
                raise

    async def _put_now(self, step: StepRecord | None, last: Sequence[Note]) -> None:
        own = self._begun.pop(step.seq, None) if step else None
        begun = list(self._begun.values())
        self._begun.clear()
        if step is None and begun:
            step = own = begun.pop()
        for other in begun:
            await self._store.append_step(self._claim, other, [_told(other, _BEGUN)])
        notes = [*([_told(own, _BEGUN)] if own else ()), *self._take(), *last]
        if step is not None:
            await self._store.append_step(self._claim, step, notes)
        elif notes:
            await self._store.append_events(self._claim, notes)

    def _say(self, stream: Literal[EventType.TEXT_DELTA, EventType.REASONING_DELTA], part: int, text: str) -> None:
        self._check()
        self._frames.add(stream, part, text)
        self._plan()

    def _plan(self) -> None:
        """Write what is collected when it is due."""
        due_in = self._due_in()
        if due_in is None or self._closed or self._flushing is not None:
            return
        if due_in == 0:
            self._start_flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(due_in, self._look)

    def _due_in(self) -> float | None:
        """Seconds until what was said, or a step that goes on, is to be written; None when there is neither."""
        now = self._loop.time()
        said = self._frames.due_in(now)
        if not self._begun:
            return said
        goes_on = max(0.0, self._begun_at + _SHORT_S - now)
        return goes_on if said is None else min(said, goes_on)

    def _look(self) -> None:
        """The timer went off. What it was set for may be written, and a later step be short so far: one timer serves
        many steps."""
        self._timer = None
        self._plan()

    def _start_flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._flushing = self._loop.create_task(self._flush(), name=f"frames of {self.run.id}")

    async def _flush(self) -> None:
        try:
            await self._write(())
        except Exception as error:  # the top of a task; the run hears of it at its next call
            self._fault = error
            return
        finally:
            self._flushing = None
        self._plan()

    def _take(self) -> list[Note]:
        return [_note(frame) for frame in self._frames.take(self._loop.time())]

    def _check(self) -> None:
        if self._fault is not None:
            raise self._fault


def _told(step: StepRecord, kind: EventType) -> Note:
    data = {"seq": step.seq, "name": step.name, "call_id": step.call_id}
    if kind is EventType.STEP_FINISHED:
        data["state"] = step.state
    return Note(kind, data)


def _note(frame: Frame) -> Note:
    return Note(frame.stream, {"part": frame.part, "offset": frame.offset, "text": frame.text})


async def _refused(text: str) -> dict[str, Any]:
    return {"refused": text}


def _another_way(known: StepRecord, name: str) -> ReplayMismatch:
    return ReplayMismatch(
        f"Step {known.seq} of the task was {known.name} before Hearth stopped, and is {name} now, or with other"
        " arguments.",
        "Ask again.",
    )
