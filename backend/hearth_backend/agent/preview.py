"""The first thing an answer would ask a model, found by doing all that comes before it: nothing is sent or kept."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hearth_backend.agent.guard import Go, Guard
from hearth_backend.agent.journal import Executor, RunView
from hearth_backend.agent.loop import AgentModels
from hearth_backend.gateway.messages import Caller, ChatEvent, ChatRequest, CompletionRequest, Embeddings
from hearth_shared.errors import NoModel
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.models import ModelInfo, Role


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as the gateway would get it, and what the person would be told beside the answer."""

    request: ChatRequest | None
    caller: Caller | None
    notes: Sequence[str]


class Preview:
    """`loop_over` makes the agent's loop over the given models, with nothing in it that remembers."""

    def __init__(self, models: AgentModels, loop_over: Callable[[AgentModels], Executor]) -> None:
        self._models = models
        self._loop_over = loop_over

    async def first_call(self, run: RunView) -> Asked:
        """What this run would ask first; no request when it comes to no model."""
        listening = _Listening(self._models)
        answer = await self._loop_over(listening)(_Unwritten(run))
        return Asked(listening.request, listening.caller, answer.notes)


class _Listening:
    """The gateway up to the moment of asking: notes what would be asked, and asks nobody."""

    def __init__(self, models: AgentModels) -> None:
        self._models = models
        self.request: ChatRequest | None = None
        self.caller: Caller | None = None

    async def models(self) -> Sequence[ModelInfo]:
        return await self._models.models()

    async def has(self, role: Role, *, local_only: bool = False) -> bool:
        return await self._models.has(role, local_only=local_only)

    async def window(self, role: Role, model: str | None = None, *, local_only: bool = False) -> int:
        return await self._models.window(role, model, local_only=local_only)

    async def count(self, role: Role, text: str, model: str | None = None, *, local_only: bool = False) -> int | None:
        return await self._models.count(role, text, model, local_only=local_only)

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        return await self._models.embed(texts, model, replace(caller, local_only=True))

    async def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        self.request, self.caller = request, caller
        for event in await _nothing():
            yield event

    async def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        for event in await _nothing():
            yield event


async def _nothing() -> Sequence[ChatEvent]:
    raise NoModel("This only shows what would be sent.", "Ask without --show-outgoing.")


class _Unwritten:
    """A journal of which nothing is left."""

    def __init__(self, run: RunView) -> None:
        self.run = run

    def act_as(self, agent_id: str) -> None:
        self.run = replace(self.run, agent_id=agent_id)

    async def step(self, name: str, call_id: str, body: Callable[[], Awaitable[Any]]) -> Any:
        return await body()

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
        return {"refused": "Nothing is done while it is only shown what would be sent."}

    async def emit(self, kind: EventType, data: Mapping[str, Any]) -> None:
        return

    async def text(self, part: int, text: str) -> None:
        return

    async def reset(self, part: int) -> None:
        return
