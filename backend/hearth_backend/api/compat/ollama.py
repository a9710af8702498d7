"""The Ollama-compatible door: stateless calls, straight to the gateway; nothing is remembered."""

import hashlib
import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

from hearth_backend.api import problems
from hearth_backend.api.compat.chat import refuse_to_double
from hearth_backend.api.compat.ollama_bodies import ChatBody, EmbedBody, GenerateBody, ShowBody, bare
from hearth_backend.api.compat.remembered import Remembered, citing
from hearth_backend.api.compat.tool_input import as_object
from hearth_backend.api.endpoint import Endpoint, get, post
from hearth_backend.api.exchange import LINES, Call, Reply, Stream
from hearth_backend.api.model_answer import gathered
from hearth_backend.engine.client import Engine
from hearth_backend.engine.files import ModelFile
from hearth_backend.gateway.messages import (
    ChatEvent,
    Chosen,
    Finished,
    Models,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_backend.services import Services
from hearth_shared.errors import BadRequest, HearthError, IncompleteAnswer, NotFound
from hearth_shared.protocol.base import Json
from hearth_shared.protocol.models import ModelInfo
from hearth_shared.protocol.principals import Scope

_SPOKEN: Final = "0.12.6"  # the version of Ollama whose API this is; clients choose what to send by it
_CAPABILITIES: Final = {"chat": "completion", "complete": "insert", "embed": "embedding"}
Said = Callable[[str, str, Sequence[ToolCall]], Json]
"""Text, thinking and tool calls as a part of a reply."""


class Ollama:
    """`/api/version`, `tags`, `show`, `ps`, `chat`, `generate` and `embed`."""

    def __init__(self, services: Services) -> None:
        self._models: Models = services.models
        self._engine: Engine = services.engine
        self._since = services.started_at
        self._remembered = Remembered(services)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        version = get("/api/version", self.version, "The version of Ollama's API spoken here.", dialect="ollama")
        tags = get("/api/tags", self.tags, "Models that can be asked now.", dialect="ollama")
        loaded = get("/api/ps", self.loaded, "Models in memory now.", dialect="ollama")
        show = post("/api/show", ShowBody, self.show, "What a model is and can do.", dialect="ollama")
        chat = post("/api/chat", ChatBody, self.chat, "Answer a conversation.", kind="model", dialect="ollama")
        generate = post(
            "/api/generate",
            GenerateBody,
            self.generate,
            "Answer a text, go on from it, or fill in between.",
            kind="model",
            dialect="ollama",
        )
        embed = post("/api/embed", EmbedBody, self.embed, "Vectors of texts.", kind="model", dialect="ollama")
        asking = (version, tags, loaded, show, embed)
        return (
            *(route.needing(Scope.CHAT, Scope.COMPLETE) for route in asking),
            chat.needing(Scope.CHAT),
            generate.needing(Scope.CHAT),
        )

    async def version(self, call: Call) -> Reply:
        """What clients ask first."""
        return _json({"version": _SPOKEN})

    async def tags(self, call: Call) -> Reply:
        """Every model, by the name that calls it."""
        files = {file.id: file for file in await self._engine.files()}
        listed = [self._listed(info, files.get(info.id)) for info in await self._models.models()]
        return _json({"models": listed})

    async def loaded(self, call: Call) -> Reply:
        """The model files that are in memory."""
        states = [await self._engine.info(file.id) for file in await self._engine.files()]
        running = {state.file.id: state.file for state in states if state.running is not None}
        listed = [info for info in await self._models.models() if info.id in running]
        return _json({"models": [self._listed(info, running[info.id]) for info in listed]})

    async def show(self, call: Call, body: ShowBody) -> Reply:
        """Raises NotFound for a model that is not listed."""
        for info in await self._models.models():
            if info.id == body.named:
                files = {file.id: file for file in await self._engine.files()}
                return _json(_shown(info, files.get(info.id)))
        raise NotFound(f"model {body.named!r} not found", "`/api/tags` lists those there are.", field="model")

    async def chat(self, call: Call, body: ChatBody) -> Reply | Stream:
        """In lines or whole; without messages it only says that the model is there."""
        if not body.messages:
            return await self._ready(body.named, {"message": {"role": "assistant", "content": ""}})
        asked, entries = await self._remembered.beside(call, body.asked())
        return citing(await _answered(self._models.chat(asked, call.caller("chat")), _message, body), entries)

    async def generate(self, call: Call, body: GenerateBody) -> Reply | Stream:
        """In lines or whole; without a prompt it only says that the model is there."""
        if not body.prompt and not body.suffix:
            return await self._ready(body.named, {"response": ""})
        if body.goes_on:
            if body.images:
                raise BadRequest("Pictures cannot be read here.", "Send text only.", field="images")
            lane = "inline" if body.suffix else "chat"
            return await _answered(self._models.complete(body.completion(), call.caller(lane)), _response, body)
        asked, entries = await self._remembered.beside(call, body.asked())
        return citing(await _answered(self._models.chat(asked, call.caller("chat")), _response, body), entries)

    async def embed(self, call: Call, body: EmbedBody) -> Reply:
        """One vector per text."""
        began = time.perf_counter_ns()
        texts = body.texts()
        if not texts:
            return _json({"model": body.model, "embeddings": []})
        found = await self._models.embed(texts, bare(body.model) or None, call.caller("chat"))
        if body.dimensions is not None and (there := len(found.vectors[0])) != body.dimensions:
            raise BadRequest(f"{found.model} gives {there} dimensions.", "Leave `dimensions` out.", field="dimensions")
        vectors = [[float(number) for number in vector] for vector in found.vectors]
        took = time.perf_counter_ns() - began
        said = {"model": found.model, "embeddings": vectors, "prompt_eval_count": found.tokens}
        return _json({**said, "total_duration": took, "load_duration": 0})

    async def _ready(self, named: str, said: Json) -> Reply:
        """Ollama's clients load a model by asking it nothing. Raises NotFound for one that is not there."""
        known = {info.id for info in await self._models.models()}
        if named not in known and named not in ("", "auto"):
            raise NotFound(f"model {named!r} not found", "`/api/tags` lists those there are.", field="model")
        return _json({"model": named, "created_at": _now(), **said, "done": True, "done_reason": "load"})

    def _listed(self, info: ModelInfo, file: ModelFile | None) -> Json:
        since = datetime.fromtimestamp(file.stamp[1] / 1e9 if file else self._since, UTC).isoformat()
        return {
            "name": info.id,
            "model": info.id,
            "modified_at": since,
            "size": file.facts.size if file else 0,
            "digest": hashlib.sha256(f"{info.id} {file.stamp if file else ''}".encode()).hexdigest(),
            "details": _details(file),
        }


async def _answered(events: AsyncGenerator[ChatEvent], said: Said, body: ChatBody | GenerateBody) -> Reply | Stream:
    began = time.perf_counter_ns()
    if body.streams:
        return Stream(lines(events, said, body.thinks, began), failed, LINES)
    answer = await gathered(events)
    told = said(answer.text, answer.reasoning if body.thinks else "", answer.tool_calls)
    base = {"model": answer.chosen.model, "created_at": _now()}
    return _json({**base, **told, **_last(answer.finished, began)})


async def lines(events: AsyncGenerator[ChatEvent], said: Said, thinks: bool, began: int) -> AsyncGenerator[bytes, None]:
    """The answer, a JSON object a line. Tool calls come whole. One that breaks raises: no `done` was said."""
    base: Json = {"model": "", "created_at": _now()}
    calls: dict[int, ToolCallDelta] = {}
    told = False

    def line(more: Json) -> bytes:
        return json.dumps({**base, **more}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    async with aclosing(events):
        async for one in events:
            match one:
                case Chosen():
                    base["model"] = one.model
                case Restart():
                    refuse_to_double(told, one)
                    calls.clear()
                case TextDelta(text):
                    told = True
                    yield line({**said(text, "", ()), "done": False})
                case ReasoningDelta(text):
                    if thinks:
                        told = True
                        yield line({**said("", text, ()), "done": False})
                case ToolCallDelta():
                    before = calls.get(one.index, ToolCallDelta(one.index))
                    calls[one.index] = ToolCallDelta(
                        one.index, before.id or one.id, before.name or one.name, before.arguments + one.arguments
                    )
                case Finished():
                    if calls:
                        whole = [ToolCall(call.id, call.name, call.arguments) for _, call in sorted(calls.items())]
                        yield line({**said("", "", whole), "done": False})
                    yield line({**said("", "", ()), **_last(one, began)})
                    return
    raise IncompleteAnswer("The model ended without saying so.", "Ask again.")


def _message(text: str, thinking: str, calls: Sequence[ToolCall]) -> Json:
    message: Json = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": as_object(call.arguments)}} for call in calls
        ]
    return {"message": message}


def _response(text: str, thinking: str, calls: Sequence[ToolCall]) -> Json:
    return {"response": text, **({"thinking": thinking} if thinking else {})}


def _last(finished: Finished, began: int) -> Json:
    """What ends an answer. Durations are in nanoseconds; the parts of the whole are not told apart."""
    took = time.perf_counter_ns() - began
    return {
        "done": True,
        "done_reason": "length" if finished.reason == "length" else "stop",
        "total_duration": took,
        "load_duration": 0,
        "prompt_eval_count": finished.input_tokens,
        "prompt_eval_duration": 0,
        "eval_count": finished.output_tokens,
        "eval_duration": took,
    }


def _shown(info: ModelInfo, file: ModelFile | None) -> Json:
    architecture = file.facts.architecture if file else ""
    about: Json = {"general.architecture": architecture}
    if info.context is not None:
        about[f"{architecture or 'model'}.context_length"] = info.context
    capabilities = [_CAPABILITIES[role] for role in info.roles]
    if "chat" in info.roles:
        capabilities.append("tools")
    return {
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": _details(file),
        "model_info": about,
        "capabilities": capabilities,
    }


def _details(file: ModelFile | None) -> Json:
    family = file.facts.architecture if file else ""
    return {
        "parent_model": "",
        "format": "gguf" if file else "",
        "family": family,
        "families": [family] if family else [],
        "parameter_size": "",
        "quantization_level": "",
    }


def failed(error: HearthError, request_id: str) -> bytes:
    """The last line of a stream that broke: an error, and no `done`."""
    return problems.ollama(error, request_id).body + b"\n"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _json(value: Json) -> Reply:
    return Reply(problems.dump(value))
