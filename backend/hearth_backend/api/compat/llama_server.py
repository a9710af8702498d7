"""The door of llama.cpp's own server, for its editor plugins: stateless calls, straight to the gateway."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

from hearth_backend.api import problems
from hearth_backend.api.compat.chat import refuse_to_double
from hearth_backend.api.compat.llama_server_bodies import CompletionBody, DetokenizeBody, InfillBody, TokenizeBody
from hearth_backend.api.endpoint import Endpoint, get, post
from hearth_backend.api.exchange import Call, Reply, Stream
from hearth_backend.gateway.messages import (
    ChatEvent,
    Chosen,
    CompletionRequest,
    Finished,
    Models,
    Restart,
    TextDelta,
)
from hearth_backend.services import Services
from hearth_shared.errors import HearthError, IncompleteAnswer
from hearth_shared.protocol.base import Json
from hearth_shared.protocol.principals import Scope


class LlamaServer:
    """`/infill`, `/completion`, `/tokenize`, `/detokenize`, `/props` and `/health`."""

    def __init__(self, services: Services) -> None:
        self._models: Models = services.models
        self._engine = services.engine

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        infill = post(
            "/infill",
            InfillBody,
            self.infill,
            "Fill in at the cursor, as llama.vim and llama.vscode ask for it.",
            kind="model",
            dialect="llama-server",
            completion=True,
        )
        completion = post(
            "/completion",
            CompletionBody,
            self.completion,
            "Go on from a text.",
            kind="model",
            dialect="llama-server",
            completion=True,
        )
        tokenize = post(
            "/tokenize", TokenizeBody, self.tokenize, "A text's tokens.", kind="model", dialect="llama-server"
        )
        detokenize = post(
            "/detokenize", DetokenizeBody, self.detokenize, "The text of tokens.", kind="model", dialect="llama-server"
        )
        props = get("/props", self.props, "Which model would answer, and how much it reads.", dialect="llama-server")
        health = get("/health", self.health, "Whether a model can be asked.", dialect="llama-server")
        return (
            infill.needing(Scope.COMPLETE),
            completion.needing(Scope.COMPLETE),
            *(route.needing(Scope.CHAT, Scope.COMPLETE) for route in (tokenize, detokenize, props, health)),
        )

    async def infill(self, call: Call, body: InfillBody) -> Reply | Stream:
        """A person types and waits for it."""
        return await self._go_on(call, body, body.asked(), "inline")

    async def completion(self, call: Call, body: CompletionBody) -> Reply | Stream:
        """Like a conversation."""
        return await self._go_on(call, body, body.asked(), "chat")

    async def tokenize(self, call: Call, body: TokenizeBody) -> Reply:
        """By the model's own tokenizer."""
        return _json({"tokens": await self._engine.tokenize(body.model, body.content)})

    async def detokenize(self, call: Call, body: DetokenizeBody) -> Reply:
        """By the model's own tokenizer."""
        return _json({"content": await self._engine.detokenize(body.model, body.tokens)})

    async def props(self, call: Call) -> Reply:
        """Raises NoModel, NotFound or BadModelFile."""
        state = await self._engine.info("")
        context = state.running.context if state.running else state.file.facts.context
        settings: Json = {"n_ctx": context, "params": {}}
        said: Json = {"default_generation_settings": settings, "total_slots": 1, "model_alias": state.file.id}
        return _json({**said, "model_path": state.file.path.name, "chat_template": ""})

    async def health(self, call: Call) -> Reply:
        """Raises NoModel, NotFound or BadModelFile."""
        await self._engine.info("")
        return _json({"status": "ok"})

    async def _go_on(
        self, call: Call, body: InfillBody | CompletionBody, request: CompletionRequest, lane: Literal["inline", "chat"]
    ) -> Reply | Stream:
        events = bounded(self._models.complete(request, call.caller(lane)), body.limit_s)
        if body.stream:
            return Stream(pieces(events), failed)
        return _json(await whole(events))


async def bounded(events: AsyncGenerator[ChatEvent], limit_s: float | None) -> AsyncGenerator[ChatEvent]:
    """The events, ended as if by length once `limit_s` have passed since the first word."""
    loop = asyncio.get_running_loop()
    written, until = 0, float("inf")
    async with aclosing(events):
        async for one in events:
            yield one
            if isinstance(one, TextDelta):
                written += 1
                if limit_s is not None:
                    until = min(until, loop.time() + limit_s)
            if loop.time() >= until and not isinstance(one, Finished):
                yield Finished("length", 0, written, counted=False)
                return


async def whole(events: AsyncGenerator[ChatEvent]) -> Json:
    """An answer that was not streamed."""
    began, model, text = time.perf_counter(), "", ""
    async with aclosing(events):
        async for one in events:
            match one:
                case Chosen():
                    model, text = one.model, ""
                case TextDelta(more):
                    text += more
                case Finished():
                    return _last(text, model, one, began)
                case _:
                    pass  # a completion has no place for thoughts or tool calls
    raise IncompleteAnswer("The model ended without saying so.", "Ask again.")


async def pieces(events: AsyncGenerator[ChatEvent]) -> AsyncGenerator[bytes, None]:
    """The answer in pieces. One that breaks raises: only a whole one says `stop`."""
    began, model, told = time.perf_counter(), "", False
    async with aclosing(events):
        async for one in events:
            match one:
                case Chosen():
                    model = one.model
                case Restart():
                    refuse_to_double(told, one)
                case TextDelta(text):
                    told = True
                    yield _event({"content": text, "stop": False})
                case Finished():
                    yield _event(_last("", model, one, began))
                    return
                case _:
                    pass  # a completion has no place for thoughts or tool calls
    raise IncompleteAnswer("The model ended without saying so.", "Ask again.")


def _last(text: str, model: str, finished: Finished, began: float) -> Json:
    took = (time.perf_counter() - began) * 1000
    timings = {"prompt_n": finished.input_tokens, "predicted_n": finished.output_tokens, "predicted_ms": took}
    return {
        "content": text,
        "stop": True,
        "stop_type": "limit" if finished.reason == "length" else "eos",
        "model": model,
        "tokens_predicted": finished.output_tokens,
        "tokens_evaluated": finished.input_tokens,
        "tokens_cached": finished.cached_tokens,
        "truncated": False,
        "timings": timings,
    }


def _event(value: Json) -> bytes:
    return b"data: %b\n\n" % json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def failed(error: HearthError, request_id: str) -> bytes:
    """The last event of a stream that broke: an error, and no `stop`."""
    return b"error: %b\n\n" % problems.llama_server(error, request_id).body


def _json(value: Json) -> Reply:
    return Reply(problems.dump(value))
