"""The built-in embedding model as a provider."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

from hearth_backend.gateway.dialect import estimated_tokens
from hearth_backend.gateway.messages import Caller, ChatEvent, ChatRequest, CompletionRequest, Embeddings
from hearth_backend.gateway.policy import MINILM, MINILM_MODEL
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.models import ModelInfo, Where


class TextEmbedder(Protocol):
    """What is needed of the embedder (`memory.ports.Embedder` has it, but lives in a higher room)."""

    async def available(self) -> bool: ...

    async def embed(self, texts: Sequence[str]) -> Any: ...


class MiniLM:
    """Embeds with the model that came with Hearth; it writes nothing. `close` leaves the embedder running."""

    name = MINILM
    where: Where = "this machine"

    def __init__(self, embedder: TextEmbedder) -> None:
        self._embedder = embedder

    async def models(self) -> Sequence[ModelInfo]:
        if not await self._embedder.available():
            return ()
        return [ModelInfo(id=MINILM_MODEL, provider=self.name, where=self.where, roles=["embed"], context=256)]

    async def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        raise _writes_nothing()
        yield

    async def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        raise _writes_nothing()
        yield

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        vectors = await self._embedder.embed(texts)
        return Embeddings(MINILM_MODEL, vectors.tolist(), estimated_tokens(sum(map(len, texts))))

    async def close(self) -> None:
        """Nothing is held here."""


def _writes_nothing() -> BadRequest:
    return BadRequest(f"{MINILM_MODEL} makes embeddings; it writes no text.", "`hearth models list` shows the others.")
