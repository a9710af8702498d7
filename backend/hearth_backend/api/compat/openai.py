"""The OpenAI-compatible door: stateless calls, straight to the gateway; nothing is remembered."""

import asyncio
import time
from dataclasses import replace
from typing import Final

from hearth_backend.api import problems
from hearth_backend.api.compat import chat, completion, embedding
from hearth_backend.api.compat.bodies import ChatBody, CompletionBody, EmbeddingBody
from hearth_backend.api.compat.choices import samplings, together
from hearth_backend.api.compat.remembered import Remembered, citing
from hearth_backend.api.endpoint import Endpoint, get, post
from hearth_backend.api.exchange import Call, Reply, Stream
from hearth_backend.api.model_answer import gathered
from hearth_backend.gateway.messages import Models
from hearth_backend.services import Services
from hearth_shared.errors import HearthError, NotFound
from hearth_shared.protocol.base import Json
from hearth_shared.protocol.models import ModelInfo
from hearth_shared.protocol.principals import Scope

_LISTING_S: Final = 5.0


class OpenAI:
    """`/v1/models`, `/v1/chat/completions`, `/v1/completions` and `/v1/embeddings`."""

    def __init__(self, services: Services) -> None:
        self._models: Models = services.models
        self._since = int(services.started_at)
        self._remembered = Remembered(services)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        listing = get("/v1/models", self.models, "Models that can be asked now.", dialect="openai")
        one = get("/v1/models/{model_id:path}", self.model, "One of them.", dialect="openai")
        return (
            listing.needing(Scope.CHAT, Scope.COMPLETE),
            one.needing(Scope.CHAT, Scope.COMPLETE),
            post(
                "/v1/chat/completions", ChatBody, self.chat, "Answer a conversation.", kind="model", dialect="openai"
            ).needing(Scope.CHAT),
            post(
                "/v1/completions",
                CompletionBody,
                self.complete,
                "Go on from a text; with `suffix`, fill in between.",
                kind="model",
                dialect="openai",
                completion=True,
            ).needing(Scope.COMPLETE),
            post(
                "/v1/embeddings", EmbeddingBody, self.embed, "Vectors of texts.", kind="model", dialect="openai"
            ).needing(Scope.CHAT, Scope.COMPLETE),
        )

    async def models(self, call: Call) -> Reply:
        """All of them, the nearest first."""
        return _json({"object": "list", "data": [self._described(info) for info in await self._list()]})

    async def model(self, call: Call) -> Reply:
        """By the id that the listing told."""
        wanted = call.params["model_id"]
        for info in await self._list():
            if info.id == wanted:
                return _json(self._described(info))
        raise NotFound("There is no such model.", "`GET /v1/models` lists those there are.", field="model")

    async def chat(self, call: Call, body: ChatBody) -> Reply | Stream:
        """In pieces or whole."""
        caller = call.caller("chat")
        asked, entries = await self._remembered.beside(call, chat.asked(body))
        each = [replace(asked, sampling=one) for one in samplings(asked.sampling, body.choices)]
        answers = [self._models.chat(one, caller) for one in each]
        identifier, now = f"chatcmpl-{call.request_id}", int(time.time())
        if body.streams:
            stream = Stream(chat.chunks(identifier, now, *answers, tells_usage=body.tells_usage), _failed)
            return citing(stream, entries)
        whole = chat.whole(identifier, now, *await together([gathered(answer) for answer in answers]))
        return citing(_json(whole), entries)

    async def complete(self, call: Call, body: CompletionBody) -> Reply | Stream:
        """With a suffix it is a person typing, who waits for it; without, it is like a conversation."""
        lane = "inline" if body.suffix is not None else "chat"
        asked, caller = completion.asked(body), call.caller(lane)
        each = [replace(asked, sampling=one) for one in samplings(asked.sampling, body.choices)]
        answers = [self._models.complete(one, caller) for one in each]
        identifier, now = f"cmpl-{call.request_id}", int(time.time())
        if body.streams:
            return Stream(completion.chunks(identifier, now, *answers, tells_usage=body.tells_usage), _failed)
        return _json(completion.whole(identifier, now, *await together([gathered(answer) for answer in answers])))

    async def embed(self, call: Call, body: EmbeddingBody) -> Reply:
        """One vector per text."""
        found = await self._models.embed(body.texts(), body.model, call.caller("chat"))
        return _json(embedding.whole(body, found))

    async def _list(self) -> list[ModelInfo]:
        async with asyncio.timeout(_LISTING_S):
            return list(await self._models.models())

    def _described(self, info: ModelInfo) -> Json:
        """OpenAI's four fields, and what else is worth knowing."""
        return {
            "id": info.id,
            "object": "model",
            "created": self._since,
            "owned_by": info.provider,
            "where": info.where,
            "roles": info.roles,
            "context": info.context,
            "test_model": info.test_model,
        }


def _failed(error: HearthError, request_id: str) -> bytes:
    """The last event of a stream that broke: an error, and no [DONE]."""
    return b"data: %b\n\n" % problems.openai(error, request_id).body


def _json(value: Json) -> Reply:
    return Reply(problems.dump(value))
