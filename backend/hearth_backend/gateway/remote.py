"""Models behind a server that is spoken to over HTTP, whatever its dialect."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from hearth_backend.gateway import stream
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    Chosen,
    CompletionRequest,
    Embeddings,
    Finished,
)
from hearth_backend.gateway.server import Keys, ModelServer
from hearth_backend.gateway.stream import Patience
from hearth_shared.errors import BadRequest, IncompleteAnswer, ModelFailed, ModelUnavailable
from hearth_shared.protocol.models import ModelInfo, Role, Where
from hearth_shared.settings import Provider as ProviderSettings

log = logging.getLogger(__name__)
_LISTED_S, _NOBODY_S, _LISTING_S = 60.0, 5.0, 5.0
Asked = tuple[str, Mapping[str, Any]]
"""A path, and the body that is sent there."""


class Reader(Protocol):
    """Turns a stream's events into ours. An answer is whole only with a finish reason, the dialect's end, and tool
    arguments that parse: anything else raises IncompleteAnswer, for a cut-off answer must never look like an answer."""

    @property
    def over(self) -> bool:
        """Whether the dialect's own end was read."""
        ...

    def read(self, data: str) -> Sequence[ChatEvent]:
        """The events in the data of one server-sent event. Raises ModelFailed, IncompleteAnswer."""
        ...

    def finished(self) -> Finished:
        """The last event of a whole answer. Raises IncompleteAnswer when it is none."""
        ...


class Dialect(Protocol):
    """How a kind of server is spoken to. No I/O. `ends_with_connection`: it has no end but the connection's."""

    ends_with_connection: bool
    listing: str

    def shows(self, key: str) -> Mapping[str, str]:
        """The headers that show a key."""
        ...

    def ids(self, reply: Mapping[str, Any]) -> list[str]:
        """The models of a listing."""
        ...

    def chat(self, request: ChatRequest, model: str) -> Asked: ...

    def completion(self, request: CompletionRequest, model: str) -> Asked:
        """Raises BadRequest where there is none."""
        ...

    def embedding(self, texts: Sequence[str], model: str) -> Asked:
        """Raises BadRequest where there is none."""
        ...

    def vectors(self, reply: Mapping[str, Any]) -> tuple[list[list[float]], int]:
        """The vectors of a reply, and the tokens that were read; vectors are empty when it is unreadable."""
        ...

    def reader(self, asked_characters: int) -> Reader: ...


class Remote:
    """Implements `messages.Provider` over one server."""

    def __init__(
        self,
        name: str,
        settings: ProviderSettings,
        keys: Keys,
        dialect: Dialect,
        *,
        patience: Patience | None = None,
    ) -> None:
        self.name = name
        self.where: Where = settings.where
        self._settings = settings
        self._dialect = dialect
        self._server = ModelServer(name, settings, keys, dialect.shows, patience=patience)
        self._lock = asyncio.Lock()
        self._listed: Sequence[ModelInfo] = ()
        self._listed_until = 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self._server.url!r})"

    @property
    def settings(self) -> ProviderSettings:
        """What the person set."""
        return self._settings

    @property
    def prices(self) -> tuple[float | None, float | None]:
        """US dollars per million tokens read and written, where the settings tell."""
        return self._settings.input_price, self._settings.output_price

    async def models(self) -> Sequence[ModelInfo]:
        """What it lists, asked once a minute. A cloud with a named model is not asked at all; without a key it
        has none."""
        async with self._lock:
            if time.monotonic() >= self._listed_until:
                self._listed = await self._list()
                self._listed_until = time.monotonic() + (_LISTED_S if self._listed else _NOBODY_S)
            return self._listed

    async def try_key(self) -> int:
        """How many models it lists now, asked with its key. Raises ModelUnavailable or BadRequest with the reason."""
        if self.where == "cloud" and await self._server.key() is None:
            raise ModelUnavailable(f"There is no key for {self.name}.", f"Set it with `hearth keys set {self.name}`.")
        return len(await self._ids())

    async def outgoing(self, request: ChatRequest) -> Asked:
        """The address to which `chat` would send this, and the body. Nobody is asked for an answer."""
        path, body = self._dialect.chat(request, request.model or await self._default())
        return self._server.url + path, body

    async def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        model = request.model or await self._default()
        asked = sum(len(message.content) for message in request.messages)
        async with aclosing(self._answer(self._dialect.chat(request, model), model, asked, caller)) as events:
            async for event in events:
                yield event

    async def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        model = request.model or await self._default()
        asked = len(request.prefix) + len(request.suffix or "")
        async with aclosing(self._answer(self._dialect.completion(request, model), model, asked, caller)) as events:
            async for event in events:
                yield event

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        name = model or await self._default()
        path, body = self._dialect.embedding(texts, name)
        reply = await self._server.json("POST", path, body, self._server.patience.first_s)
        vectors, tokens = self._dialect.vectors(reply)
        if len(vectors) != len(texts):
            raise ModelUnavailable(f"{self.name} did not send one vector for each text.")
        return Embeddings(name, [_normalised(vector) for vector in vectors], tokens)

    async def close(self) -> None:
        await self._server.close()

    # -- what it can do

    async def _default(self) -> str:
        if self._settings.model:
            return self._settings.model
        listed = await self.models()
        if not listed:
            raise ModelUnavailable(f"{self.name} lists no models.", f"Start it, or set `providers.{self.name}.model`.")
        return listed[0].id

    async def _list(self) -> Sequence[ModelInfo]:
        try:
            if self.where == "cloud" and await self._server.key() is None:
                return ()
            if self.where == "cloud" and self._settings.model:
                return (self._info(self._settings.model),)
            ids = await self._ids()
        except (ModelUnavailable, BadRequest) as error:
            log.info("%s lists no models: %s", self.name, error.detail)
            return ()
        ids.sort(key=lambda model: model != self._settings.model)  # the named one first
        return tuple(self._info(model) for model in ids[:500])

    async def _ids(self) -> list[str]:
        return self._dialect.ids(await self._server.json("GET", self._dialect.listing, None, _LISTING_S))

    def _info(self, model: str) -> ModelInfo:
        roles: list[Role] = ["chat", "complete"] if self._settings.complete else ["chat"]
        if "embed" in model.lower():  # nobody's listing says it better
            roles = ["embed"]
        return ModelInfo(id=model, provider=self.name, where=self.where, roles=roles)

    # -- one call

    async def _answer(self, asked: Asked, model: str, characters: int, caller: Caller) -> AsyncGenerator[ChatEvent]:
        begun = False
        try:
            async with aclosing(self._events(asked, characters, caller.deadline)) as events:
                async for event in events:
                    if not begun:
                        begun = True
                        yield Chosen(model, self.name, self.where)
                    yield event
        except ModelFailed as error:
            if begun:
                raise
            raise ModelUnavailable(f"{self.name}: {error.detail}", error.fix) from error

    async def _events(self, asked: Asked, characters: int, deadline: float | None) -> AsyncGenerator[ChatEvent]:
        began = time.monotonic()
        reader, patience = self._dialect.reader(characters), self._server.patience.until(deadline, began)
        async with self._server.opened("POST", *asked, "text/event-stream", patience.first_s) as chunks:
            first_s = max(0.0, began + patience.first_s - time.monotonic())
            async with aclosing(stream.events(chunks, first_s, patience.gap_s)) as events:
                async for data in events:
                    for event in reader.read(data):
                        yield event
                    if reader.over:
                        yield reader.finished()
                        return
        if not self._dialect.ends_with_connection:
            raise IncompleteAnswer(f"{self.name} closed the connection before the answer was finished.")
        yield reader.finished()


def _normalised(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else vector
