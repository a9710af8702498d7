"""Every call to a model goes through here: routed, tried elsewhere when it fails, metered, masked for the cloud."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from hearth_backend.gateway.admission import Admission
from hearth_backend.gateway.attempt import Attempt
from hearth_backend.gateway.discover import Discovery
from hearth_backend.gateway.failover import Asking, Failover, Nap
from hearth_backend.gateway.local import LocalEngine
from hearth_backend.gateway.masking import masked_chat, masked_completion, masked_texts, restored
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    CompletionRequest,
    Embeddings,
    Provider,
)
from hearth_backend.gateway.money import Money
from hearth_backend.gateway.policy import Route, Router, public_id
from hearth_backend.gateway.prices import cost_of
from hearth_backend.gateway.providers import pools_of
from hearth_backend.gateway.remote import Remote
from hearth_backend.gateway.said import Said, chat_from, completion_from
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.observe.traces import Tracer
from hearth_backend.resilience import Clock
from hearth_shared.errors import HearthError, NotFound
from hearth_shared.protocol.models import KeyTest, ModelInfo, Role
from hearth_shared.settings import Models as Policy

_WINDOW_HERE, _WINDOW_AWAY = 4096, 32_768  # Ollama cuts off at 4096 without a word, unless it is told otherwise
_NO_CLOUD = "`models.cloud` is never, so no cloud is asked, not even for this."


class Gateway:
    """Implements `messages.Models` over the given providers. It owns them: `close` closes them.

    `found` are the servers that a look around this machine showed; they answer only when they are named.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        policy: Policy,
        usage: UsageLog,
        tracer: Tracer,
        *,
        discovery: Discovery | None = None,
        clock: Clock = time.monotonic,
        nap: Nap = asyncio.sleep,
        money: Money | None = None,
    ) -> None:
        self._providers = providers
        self._usage = usage
        self._policy = policy
        self._discovery = discovery
        self._router = Router(providers, policy, discovery.found if discovery else tuple, pools_of(providers))
        self._failover = Failover(Admission(clock), usage, tracer, policy, clock=clock, nap=nap, money=money)

    async def models(self) -> Sequence[ModelInfo]:
        """What can be asked now, by the id that names it in a call; the nearest first."""
        if self._discovery is not None:
            await self._discovery.look()
        everybody = self._router.everybody()
        listings = await asyncio.gather(*(provider.models() for provider in everybody))
        return [
            info.model_copy(update={"id": public_id(provider, info.id)})
            for provider, listing in zip(everybody, listings, strict=True)
            for info in listing
        ]

    async def try_key(self, name: str) -> KeyTest:
        """Ask a provider for its models, with its key. Raises NotFound for one that nobody set up."""
        named = (one for one in self._providers if one.name == name and isinstance(one, Remote))
        provider = next(named, None)
        if provider is None:
            raise NotFound(f"There is no provider {name!r}.", "Name it in config.toml: `hearth config docs`.")
        if provider not in self._router.everybody():
            return KeyTest(provider=name, ok=False, detail=_NO_CLOUD, fix="`hearth config set models.cloud fallback`.")
        try:
            count = await provider.try_key()
        except HearthError as error:
            return KeyTest(provider=name, ok=False, detail=error.detail, fix=error.fix)
        return KeyTest(provider=name, ok=True, detail=f"{name} lets Hearth in; its models: {count}.")

    async def has(self, role: Role, *, local_only: bool = False) -> bool:
        return await self._router.has(role, local_only=local_only)

    async def window(self, role: Role, model: str | None = None, *, local_only: bool = False) -> int:
        """Tokens that this model, or the one next in turn, can read and write; a guess where its server does not tell.

        Raises what the call itself would raise: NoModel, LocalOnly, NotFound.
        """
        async with aclosing(self._router.routes(role, model, local_only=local_only)) as routes:
            route = await anext(routes)
        return route.context or (_WINDOW_AWAY if route.provider.where == "cloud" else _WINDOW_HERE)

    async def count(self, role: Role, text: str, model: str | None = None, *, local_only: bool = False) -> int | None:
        """A text's tokens by the tokenizer of this model, or of the one next in turn; None where it does not run in the
        engine here.

        Raises what the call itself would raise, and what loading the model does.
        """
        async with aclosing(self._router.routes(role, model, local_only=local_only)) as routes:
            route = await anext(routes)
        if not isinstance(route.provider, LocalEngine):
            return None
        return await route.provider.count(route.model, text)

    async def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        def ask(route: Route, before: str) -> AsyncGenerator[ChatEvent]:
            named = replace(chat_from(request, before), model=route.model)
            if route.provider.where != "cloud":
                return route.provider.chat(named, caller)
            hidden, vault = masked_chat(named)
            return restored(route.provider.chat(hidden, caller), vault)

        asked = sum(len(message.content) for message in request.messages)
        bound = request.response_format is not None or request.sampling.logprobs is not None
        asking = Asking("chat", caller, asked, ask, self._said(bound=bound), request.sampling.max_tokens)
        async with aclosing(self._answer(asking, request.model)) as events:
            async for event in events:
                yield event

    async def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        def ask(route: Route, before: str) -> AsyncGenerator[ChatEvent]:
            named = replace(completion_from(request, before), model=route.model)
            if route.provider.where != "cloud":
                return route.provider.complete(named, caller)
            hidden, vault = masked_completion(named)
            return restored(route.provider.complete(hidden, caller), vault)

        asked = len(request.prefix) + len(request.suffix or "")
        said = self._said(bound=request.sampling.logprobs is not None)
        asking = Asking("complete", caller, asked, ask, said, request.sampling.max_tokens)
        async with aclosing(self._answer(asking, request.model)) as events:
            async for event in events:
                yield event

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        async with aclosing(self._router.routes("embed", model, local_only=caller.local_only)) as routes:
            route = await anext(routes)
        characters = sum(map(len, texts))
        place = await self._failover.place(route, caller, characters)
        attempt = Attempt(route, "embed", caller, place, self._usage, characters)
        with self._failover.span("embed", route):
            try:
                asked = masked_texts(texts) if route.provider.where == "cloud" else texts
                found = await route.provider.embed(asked, route.model, caller)
                attempt.finished(found.tokens, 0, await cost_of(route, found.tokens, 0))
            except HearthError as error:
                attempt.failed(error)
                raise
            finally:
                attempt.abandoned()
        return replace(found, model=route.id)

    async def close(self) -> None:
        """Hang up everywhere."""
        if self._discovery is not None:
            await self._discovery.close()
        for provider in self._providers:
            await provider.close()

    def _answer(self, asking: Asking, model: str | None) -> AsyncGenerator[ChatEvent]:
        routes = self._router.routes(asking.role, model, local_only=asking.caller.local_only)
        return self._failover.answer(asking, routes)

    def _said(self, *, bound: bool) -> Said:
        """What is kept of an answer in the making; nothing of one that nobody would go on from."""
        return Said(keeps=self._policy.broken_off == "continue" and not bound)
