"""A gateway that says what it is told, and can be held up."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    Chosen,
    CompletionRequest,
    Embeddings,
    Finished,
    TextDelta,
)
from hearth_shared.protocol.models import ModelInfo, Role

CHOSEN = Chosen("m", "near", "this machine")
FINISHED = Finished("stop", 7, 3, 2, cost=0.0)


def says(*texts: str) -> list[ChatEvent | Exception]:
    """A whole answer."""
    return [CHOSEN, *(TextDelta(text) for text in texts), FINISHED]


class ScriptedModels:
    """Implements `messages.Models`. Each answer is the next script; an exception in it is raised there.

    While `hold` is set, answers wait after their first event until it is cleared, and note when they are cancelled.
    """

    def __init__(self, *scripts: Sequence[ChatEvent | Exception]) -> None:
        self.scripts = list(scripts)
        self.asked: list[ChatRequest | CompletionRequest] = []
        self.callers: list[Caller] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.begun = asyncio.Semaphore(0)
        self.cancelled = 0

    async def models(self) -> Sequence[ModelInfo]:
        return []

    async def has(self, role: Role, *, local_only: bool = False) -> bool:
        return True

    def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        return self._answer(request, caller)

    def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        return self._answer(request, caller)

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        return Embeddings("m", [[0.6, 0.8] for _ in texts], 5)

    async def _answer(self, request: ChatRequest | CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        self.asked.append(request)
        self.callers.append(caller)
        script = self.scripts.pop(0)
        try:
            for event in script:
                if isinstance(event, Exception):
                    raise event
                yield event
                self.begun.release()
                await self.go_on.wait()
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
