"""The agent's loop: read, ask the model, let it use tools, answer; or the passages themselves when no model can."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Protocol

from hearth_backend.agent import earlier, extractive, summary
from hearth_backend.agent.context import assemble, room_for_answer, tokens_of
from hearth_backend.agent.errand import Errand
from hearth_backend.agent.guard import Guard
from hearth_backend.agent.journal import Journal, RunView
from hearth_backend.agent.keeping import Keeper, Remember
from hearth_backend.agent.ledger import Ledger
from hearth_backend.agent.meter import Meter, narrowed, time_is_up
from hearth_backend.agent.profiles import Profile, Profiles
from hearth_backend.agent.reading import Background, Passages, Reader, Reading, no_background
from hearth_backend.agent.room import Room
from hearth_backend.agent.routing import AUTO, Router
from hearth_backend.agent.speech import Speech
from hearth_backend.agent.staying import stay
from hearth_backend.agent.turn import Turn
from hearth_backend.agent.usage import use_of
from hearth_backend.gateway.messages import Caller, Models
from hearth_backend.memory.at_hand import Held
from hearth_backend.memory.files import whole
from hearth_backend.memory.ports import Recall
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.tools.performing import Performer
from hearth_backend.tools.registry import Registry
from hearth_backend.tools.tool import AnyTool
from hearth_shared.errors import (
    BudgetExceeded,
    HearthError,
    LocalOnly,
    ModelFailed,
    ModelUnavailable,
    NoModel,
    NotFound,
)
from hearth_shared.protocol.models import Role
from hearth_shared.protocol.tasks import Answer, Budget, Lane, MadeBy, Routed, Source
from hearth_shared.settings import Memory as MemorySettings

log = logging.getLogger(__name__)
Pinned = Callable[[frozenset[str]], Awaitable[Sequence[str]]]
Permits = Callable[[str, Source], bool]
AtHand = Callable[[str, str | None], Awaitable[Held]]
_NO_ANSWER = (NoModel, LocalOnly, NotFound, ModelUnavailable, ModelFailed, BudgetExceeded)
_MOST_CALLS = 100


def _all_of_it(door: str, source: Source) -> bool:
    return True


async def _nothing_pinned(spaces: frozenset[str]) -> Sequence[str]:
    return ()


async def _nothing_at_hand(run_id: str, thread_id: str | None) -> Held:
    return Held()


class AgentModels(Models, Protocol):
    """The gateway, as the loop needs it."""

    async def window(self, role: Role, model: str | None = None, *, local_only: bool = False) -> int:
        """Tokens that this model, or the one next in turn, can read and write. Raises NoModel, LocalOnly or NotFound
        when there is none."""
        ...

    async def count(self, role: Role, text: str, model: str | None = None, *, local_only: bool = False) -> int | None:
        """A text's tokens by the tokenizer of this model, or of the one next in turn; None where it does not run
        here."""
        ...


class AgentLoop:
    """An `Executor`. It fails only where nothing helps the person: without a model it answers with the passages that
    fit best, and a model that breaks off leaves what it said, marked as incomplete."""

    def __init__(
        self,
        models: AgentModels,
        recall: Recall,
        tools: Registry,
        tracer: Tracer,
        metrics: Metrics,
        settings: MemorySettings,
        *,
        guard: Guard,
        passages_of: Passages,
        remember: Remember,
        pinned: Pinned = _nothing_pinned,
        permits: Permits = _all_of_it,
        at_hand: AtHand = _nothing_at_hand,
        background: Background = no_background,
        agents: Profiles | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._models = models
        self._tools = tools
        self._guard = guard
        self._performer = Performer()
        self._tracer = tracer
        self._metrics = metrics
        self._permits = permits
        self._at_hand = at_hand
        self._reader = Reader(
            recall, passages_of, metrics, token_budget=settings.recall_tokens, permits=permits, background=background
        )
        self._keeper = Keeper(remember, now, enabled=settings.enabled)
        self._pinned = pinned
        self._agents = agents or Profiles()
        self._router = Router(models)

    async def __call__(self, journal: Journal) -> Answer:
        profile = await self._profile(journal)
        turn = Turn(journal, meter=Meter(narrowed(profile.budget, journal.run.budget)))
        turn.note(profile.problem)
        with self._tracer.span("run.agent", agent=profile.id, run_id=journal.run.id):
            reading = await self._reader.read(journal)
            turn.note(reading.note)
            try:
                answer = await self._answer(turn, profile, reading)
            except HearthError:
                await self._keep(turn)
                raise
            problem = await self._keep(turn)
            return answer.model_copy(update={"notes": [*answer.notes, problem]}) if problem else answer

    async def _profile(self, journal: Journal) -> Profile:
        """The agent that the run names, or the one that its goal is routed to."""
        self._agents.look()
        if journal.run.agent_id == AUTO:
            journal.act_as((await self._routed(journal)).agent_id)
        profile = self._agents.get(journal.run.agent_id)
        if profile is None:
            raise NotFound(f"There is no agent {journal.run.agent_id!r}.", f"There are: {', '.join(self._agents)}.")
        return profile

    async def _routed(self, journal: Journal) -> Routed:
        async def route() -> Mapping[str, Any]:
            run = journal.run
            return (await self._router.route(run.goal, self._agents, _caller(run))).model_dump()

        return Routed.model_validate(await journal.step("route", "", route))

    async def _keep(self, turn: Turn) -> str:
        """Remember what the person said, once, and after what was read for it: it must not find itself."""
        if turn.kept:
            return ""
        turn.kept = True
        return await self._keeper.keep(turn.journal)

    async def _answer(self, turn: Turn, profile: Profile, reading: Reading) -> Answer:
        run = turn.journal.run
        try:
            async with _within(turn.meter.budget, run.worked_s):
                await self._converse(turn, profile, reading)
            use = use_of(turn.ledger.entries(), turn.text)
            self._metrics.passages_used(use.cited, use.echoed, use.unused)
            return turn.answer()
        except _NO_ANSWER as error:
            if error.retryable and run.lane is not Lane.CHAT:  # nobody waits: the run is tried again later
                raise
            log.info("run %s got no answer from a model: %s", run.id, error.code)
            if turn.text:
                turn.note(str(error))
                return turn.answer(complete=False)
            return await self._quote(turn, reading, error)

    async def _converse(self, turn: Turn, profile: Profile, reading: Reading) -> None:
        held = await self._at_hand(turn.journal.run.id, turn.journal.run.thread_id)
        told = earlier.without_forgotten(turn.journal.run, held)
        staying = await stay(self._models, told, reading.for_model())
        run = staying.run
        turn.note(staying.note)
        held = earlier.usable(held, run, self._permits)
        model = None if profile.chat_model == "auto" else profile.chat_model
        window = await self._models.window("chat", model, local_only=run.local_only)
        await asyncio.to_thread(import_module, "hearth_backend.agent.dialogue")  # a second's work, off the loop
        from hearth_backend.agent.dialogue import converse

        entries = turn.ledger.add(staying.sources)
        behind = turn.ledger.lay_behind(one for one in reading.background if run.local_only or not one.local_only)
        turn.taint.read(entry.source for entry in (*entries, *behind))
        earlier.hear(turn.taint, held.results)
        question = "\n\n".join(part for part in (run.context.note, run.goal) if part)
        tools, pinned = self._usable(profile), await self._pinned(run.spaces)
        room = self._room(run, model, window, tools)
        opening = await room.fitted(
            lambda budget: (
                assemble(
                    profile.instructions,
                    run.history,
                    entries,
                    question,
                    budget,
                    pinned=pinned,
                    at_hand=earlier.told(held, budget),
                    background=behind,
                ).messages
            )
        )
        speech = Speech(self._models, _caller(run), turn, most_tokens=room_for_answer(window), model=model)
        errand = Errand(turn, self._guard, self._performer, self._tracer, self._metrics, run.local_only)

        async def call(tool: AnyTool, call_id: str, arguments: Mapping[str, Any]) -> str:
            turn.meter.step()
            return await errand.run(tool, call_id, arguments)

        calls = turn.meter.budget.steps or _MOST_CALLS
        await converse(speech, opening, tools, call, room, calls, earlier=earlier.whole(held))

    def _room(self, run: RunView, model: str | None, window: int, tools: Sequence[AnyTool]) -> Room:
        described = json.dumps([[tool.name, tool.description, dict(tool.parameters)] for tool in tools])

        async def count(text: str) -> int | None:
            try:
                return await self._models.count("chat", text, model, local_only=run.local_only)
            except HearthError:  # the call itself will say what is wrong
                return None

        return Room(window, count, reserved=tokens_of(described))

    def _usable(self, profile: Profile) -> list[AnyTool]:
        """The tools of a profile that there are here and now."""
        return self._tools.pick([name for name in profile.tools if name in self._tools.names])

    async def _quote(self, turn: Turn, reading: Reading, reason: HearthError) -> Answer:
        """An answer without a model."""
        turn.ledger, turn.made_by = Ledger(), MadeBy()
        fact = extractive.fact_to_keep(turn.journal.run.goal)
        if fact and self._keeper.keeps(turn.journal.run):
            text = await self._keep(turn) or extractive.kept(fact)
        elif reading.files and summary.is_asked(turn.journal.run.goal):
            text = await asyncio.to_thread(_summarised, turn, reading, reason)
        else:
            entries = turn.ledger.add(extractive.best(reading.for_person(), turn.journal.run.goal))
            text = extractive.compose(entries, reason)
        part = len(turn.parts)
        turn.parts.append(await turn.journal.step("quote", "", lambda: _say(turn.journal, part, text)))
        return turn.answer()


@asynccontextmanager
async def _within(budget: Budget, worked_s: float) -> AsyncGenerator[None]:
    """Raises BudgetExceeded when its seconds, of which earlier attempts took some, are over."""
    try:
        async with asyncio.timeout(None if budget.seconds is None else max(0.0, budget.seconds - worked_s)):
            yield
    except TimeoutError as error:
        raise time_is_up(budget) from error


def _summarised(turn: Turn, reading: Reading, reason: HearthError) -> str:
    texts = (whole(file) for file in reading.files)
    picked = (text.model_copy(update={"quote": "\n".join(summary.chosen(text.quote))}) for text in texts)
    return extractive.summarised(turn.ledger.add(picked), reason)


async def _say(journal: Journal, part: int, text: str) -> str:
    await journal.text(part, text)
    return text


def _caller(run: RunView) -> Caller:
    client = run.owner.removeprefix("client:") if run.owner.startswith("client:") else ""
    deadline = None if run.seconds_left is None else time.monotonic() + run.seconds_left
    return Caller(
        *(run.id, run.door, run.lane.value, client, run.id),
        local_only=run.local_only,
        deadline=deadline,
        thread_id=run.thread_id,
        agent=run.agent_id,
    )
