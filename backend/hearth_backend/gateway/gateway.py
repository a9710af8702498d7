"""Every call to a model goes through here: routed, tried elsewhere when it fails, metered, masked for the cloud."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from hearth_backend.gateway.attempt import Attempt
from hearth_backend.gateway.discover import Discovery
from hearth_backend.gateway.local import LocalEngine
from hearth_backend.gateway.masking import masked_chat, masked_completion, masked_texts, restored
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    Chosen,
    CompletionRequest,
    Embeddings,
    Finished,
    Provider,
    Restart,
)
from hearth_backend.gateway.policy import Route, Router, public_id
from hearth_backend.gateway.prices import cost
from hearth_backend.gateway.remote import Remote
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.observe.spans import Span, Untraced
from hearth_backend.observe.traces import Tracer
from hearth_backend.resilience import Breaker, Clock
from hearth_shared.errors import BadRequest, HearthError, ModelFailed, ModelUnavailable, NotFound, Overloaded
from hearth_shared.protocol.models import KeyTest, ModelInfo, Role
from hearth_shared.settings import Models as Policy

log = logging.getLogger(__name__)
_ELSEWHERE = (ModelUnavailable, ModelFailed, BadRequest, NotFound, Overloaded)
_WINDOW_HERE, _WINDOW_AWAY = 4096, 32_768  # Ollama cuts off at 4096 without a word, unless it is told otherwise
_NO_CLOUD = "`models.cloud` is never, so no cloud is asked, not even for this."
Asked = Callable[[Route], AsyncGenerator[ChatEvent]]


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
    ) -> None:
        self._providers = providers
        self._usage = usage
        self._tracer = tracer
        self._discovery = discovery
        self._router = Router(providers, policy, discovery.found if discovery else tuple)
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}

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

    async def window(self, role: Role, *, local_only: bool = False) -> int:
        """Tokens that the model next in turn can read and write; a guess where its server does not tell.

        Raises what the call itself would raise: NoModel, LocalOnly, NotFound.
        """
        async with aclosing(self._router.routes(role, None, local_only=local_only)) as routes:
            route = await anext(routes)
        return route.context or (_WINDOW_AWAY if route.provider.where == "cloud" else _WINDOW_HERE)

    async def count(self, role: Role, text: str, *, local_only: bool = False) -> int | None:
        """A text's tokens by the tokenizer of the model next in turn; None where it does not run in the engine here.

        Raises what the call itself would raise, and what loading the model does.
        """
        async with aclosing(self._router.routes(role, None, local_only=local_only)) as routes:
            route = await anext(routes)
        if not isinstance(route.provider, LocalEngine):
            return None
        return await route.provider.count(route.model, text)

    async def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        def ask(route: Route) -> AsyncGenerator[ChatEvent]:
            named = replace(request, model=route.model)
            if route.provider.where != "cloud":
                return route.provider.chat(named, caller)
            hidden, vault = masked_chat(named)
            return restored(route.provider.chat(hidden, caller), vault)

        asked = sum(len(message.content) for message in request.messages)
        async with aclosing(self._answer("chat", request.model, caller, asked, ask)) as events:
            async for event in events:
                yield event

    async def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        def ask(route: Route) -> AsyncGenerator[ChatEvent]:
            named = replace(request, model=route.model)
            if route.provider.where != "cloud":
                return route.provider.complete(named, caller)
            hidden, vault = masked_completion(named)
            return restored(route.provider.complete(hidden, caller), vault)

        asked = len(request.prefix) + len(request.suffix or "")
        async with aclosing(self._answer("complete", request.model, caller, asked, ask)) as events:
            async for event in events:
                yield event

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        async with aclosing(self._router.routes("embed", model, local_only=caller.local_only)) as routes:
            route = await anext(routes)
        breaker = self._admitted(route)
        attempt = Attempt(route, "embed", caller, breaker, self._usage, sum(map(len, texts)))
        with self._span("embed", route):
            try:
                asked = masked_texts(texts) if route.provider.where == "cloud" else texts
                found = await route.provider.embed(asked, route.model, caller)
                attempt.finished(found.tokens, 0, await self._cost(route, found.tokens, 0))
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

    # -- one call, over all its routes

    async def _answer(
        self, role: Role, model: str | None, caller: Caller, asked: int, ask: Asked
    ) -> AsyncGenerator[ChatEvent]:
        failures: list[tuple[Route, HearthError]] = []
        begun = False
        async with aclosing(self._router.routes(role, model, local_only=caller.local_only)) as routes:
            async for route in routes:
                try:
                    attempt = Attempt(route, role, caller, self._admitted(route), self._usage, asked)
                    async with aclosing(self._attempt(attempt, ask(route))) as events:
                        async for event in events:
                            if isinstance(event, Chosen):
                                if begun:
                                    yield Restart(failures[-1][1].detail)
                                begun, event = True, _introduced(event, route, failures)
                            yield event
                    return
                except _ELSEWHERE as error:
                    log.info("%s did not answer: %s", route.id, error.code)
                    failures.append((route, error))
        raise _verdict(failures)

    async def _attempt(self, attempt: Attempt, answer: AsyncGenerator[ChatEvent]) -> AsyncGenerator[ChatEvent]:
        with self._span("chat", attempt.route) as span:
            try:
                async with aclosing(answer) as events:
                    async for event in events:
                        attempt.saw(event)
                        if isinstance(event, Finished):
                            event = await self._paid(attempt, event)
                            span.set(input_tokens=event.input_tokens, output_tokens=event.output_tokens)
                        yield event
            except HearthError as error:
                attempt.failed(error)
                raise
            finally:
                attempt.abandoned()

    async def _paid(self, attempt: Attempt, event: Finished) -> Finished:
        known = event.counted or attempt.route.provider.where != "cloud"
        price = await self._cost(attempt.route, event.input_tokens, event.output_tokens) if known else None
        attempt.finished(event.input_tokens, event.output_tokens, price)
        return replace(event, cost=price)

    async def _cost(self, route: Route, read: int, written: int) -> float | None:
        provider = route.provider
        prices = provider.prices if isinstance(provider, Remote) else (None, None)
        return await cost(provider.where, route.model, (read, written), prices)

    def _admitted(self, route: Route) -> Breaker:
        """The route's breaker, with a place taken in it. Raises ModelUnavailable while it is open."""
        breaker = self._breakers.setdefault(f"{route.provider.name}/{route.model}", Breaker(self._clock))
        if not breaker.admit():
            seconds = max(1, round(breaker.seconds_left))
            raise ModelUnavailable(f"{route.id} is left alone for {seconds} s because it kept failing.", skipped=True)
        return breaker

    def _span(self, role: Role, route: Route) -> Span | Untraced:
        return self._tracer.span(
            "model", role=role, model=route.model, provider=route.provider.name, where=route.provider.where
        )


def _introduced(event: Chosen, route: Route, failures: Sequence[tuple[Route, HearthError]]) -> Chosen:
    """The first event, saying which model it stands in for."""
    instead_of, because = route.instead_of, route.because
    if failures:
        instead_of, because = failures[0][0].id, failures[0][1].detail
    return replace(event, test_model=event.test_model or route.test_model, instead_of=instead_of, because=because)


def _verdict(failures: Sequence[tuple[Route, HearthError]]) -> HearthError:
    """What a person is told when no route led to an answer."""
    broken = [error for _, error in failures if isinstance(error, ModelFailed)]
    if broken:  # something was shown: this is how it ended
        return broken[-1]
    if len(failures) == 1:
        return failures[0][1]
    details = " ".join(error.detail for _, error in failures)
    fix = next((error.fix for _, error in failures if error.fix), "")
    return ModelUnavailable(f"No model answered. {details}", fix)
