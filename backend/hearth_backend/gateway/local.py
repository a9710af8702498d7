"""The engine of this machine as a provider."""

import dataclasses
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from hearth_backend.engine.client import Engine
from hearth_backend.engine.files import ModelFile
from hearth_backend.engine.frames import Ended, Event, Piece, Started
from hearth_backend.engine.gguf import Facts
from hearth_backend.engine.gguf_embedder import rows_of
from hearth_backend.engine.sampling import Sampling as EngineSampling
from hearth_backend.engine.supervisor import Asker
from hearth_backend.engine.toolcalls import MARKERS, CallPart, TaggedAnswer, Thought, Told, Words
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatMessage,
    ChatRequest,
    Chosen,
    CompletionRequest,
    Embeddings,
    Finished,
    Likelihood,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCallDelta,
)
from hearth_backend.gateway.policy import ENGINE
from hearth_shared.errors import BadRequest, IncompleteAnswer
from hearth_shared.protocol.models import ModelInfo, Role, Where


class LocalEngine:
    """GGUF files answered by llama.cpp. The engine belongs to whoever made it: `close` leaves it running."""

    name = ENGINE
    where: Where = "this machine"

    def __init__(self, engine: Engine, *, context: int, embed_tokens: int = 512) -> None:
        """`context` is the length set for the engine: what it loads a model with, unless the model has less; of a text
        to embed it reads `embed_tokens`."""
        self._engine = engine
        self._context = context
        self._embed_tokens = embed_tokens

    async def models(self) -> Sequence[ModelInfo]:
        if not self._engine.available():
            return ()
        return [self._info(file) for file in await self._engine.files() if file.facts.writes or file.facts.embeds]

    async def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        tools = () if request.tool_choice == "none" else request.tools
        if tools and not (request.tool_choice is None or request.tool_choice == "auto"):
            raise BadRequest("A model on this machine cannot be made to call a tool.", 'Set `tool_choice` to "auto".')
        events = self._engine.chat(
            request.model or "",
            [_message(message) for message in request.messages],
            _sampling(request.sampling),
            tools,
            lane=caller.lane,
            asker=_asker(caller),
            response_format=request.response_format,
            budget=request.budget,
        )
        async with aclosing(self._told(events, _names(tools))) as told:
            async for event in told:
                yield event

    async def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        sampling = _sampling(request.sampling)
        events = self._engine.complete(
            request.model or "",
            request.prefix,
            request.suffix,
            sampling,
            request.files,
            lane=caller.lane,
            asker=_asker(caller, request.document),
            budget=request.budget,
        )
        async with aclosing(self._told(events, None)) as told:
            async for event in told:
                yield event

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        vectors, tokens = list[list[float]](), 0
        async for said in self._engine.embed(model or "", texts, lane=caller.lane, asker=_asker(caller)):
            vectors += rows_of(said).tolist()
            tokens += said.tokens
        return Embeddings(model or "", vectors, tokens)

    async def count(self, model: str, text: str) -> int:
        """A text's tokens, by this model's own tokenizer."""
        return len(await self._engine.tokenize(model, text))

    async def close(self) -> None:
        """Nothing is held here."""

    def _info(self, file: ModelFile) -> ModelInfo:
        most = self._embed_tokens if file.facts.embeds else self._context
        context = min(most, file.facts.context) if file.facts.context else most
        return ModelInfo(
            id=file.id,
            provider=self.name,
            where=self.where,
            roles=roles_of(file.facts),
            context=context,
            test_model=file.facts.test_model,
        )

    async def _told(
        self, events: AsyncGenerator[Event, None], tools: Sequence[str] | None
    ) -> AsyncGenerator[ChatEvent]:
        """The engine's events as the gateway's; thoughts and calls told apart, unless `tools` is None."""
        tagged: TaggedAnswer | None = None
        likely: tuple[Likelihood, ...] = ()  # of tokens whose text is held back, until it is known what they are
        async with aclosing(events) as stream:
            async for event in stream:
                match event:
                    case Started(model, test_model=test_model):
                        tagged = None if tools is None else TaggedAnswer(tools, thinking=event.thinking)
                        yield Chosen(model, self.name, self.where, test_model)
                    case Piece(text, logprobs):
                        if logprobs:
                            likely += tuple(_likelihood(*one) for one in logprobs if one[0] not in MARKERS)
                        for told in tagged.feed(text) if tagged else (Words(text),):
                            yield _delta(told, likely)
                            likely = ()
                    case Ended():
                        for told in tagged.finish() if tagged else ():
                            yield _delta(told, likely)
                            likely = ()
                        if likely and not (tagged and tagged.calls):
                            yield TextDelta("", likely)
                        yield _finished(event, calls=bool(tagged and tagged.calls))
                        return
        raise IncompleteAnswer("The engine ended the answer before it was finished.")


def roles_of(facts: Facts) -> list[Role]:
    """What a model file can do."""
    if facts.embeds:
        return ["embed"]
    if not facts.writes:
        return []
    return ["chat", "complete"] if facts.fim else ["chat"]


def _names(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(tool.get("function", {}).get("name", "")) for tool in tools]


def _likelihood(token: str, logprob: float, others: Sequence[tuple[str, float]]) -> Likelihood:
    return Likelihood(token, logprob, tuple((text, value) for text, value in others))


def _delta(told: Told, likely: tuple[Likelihood, ...]) -> ChatEvent:
    """The likelihoods are those of the answer's own tokens: thoughts and calls have none."""
    match told:
        case Words(text):
            return TextDelta(text, likely)
        case Thought(text):
            return ReasoningDelta(text)
        case CallPart(index, id, name, arguments):
            return ToolCallDelta(index, id, name, arguments)


def _asker(caller: Caller, document: str = "") -> Asker:
    """Whose turn it is among those who ask: a program with a token of its own, or a door."""
    return Asker(caller.client or caller.door, document)


def _finished(event: Ended, *, calls: bool) -> Finished:
    reason = "tool_calls" if calls else event.reason
    return Finished(reason, event.prompt_tokens, event.output_tokens, event.cached_tokens, left_out=event.left_out)


def _sampling(sampling: Sampling) -> EngineSampling:
    return EngineSampling(**{part.name: getattr(sampling, part.name) for part in dataclasses.fields(sampling)})


def _message(message: ChatMessage) -> Mapping[str, Any]:
    """OpenAI's shape, but for arguments: chat templates take them as an object."""
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        plain["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _object(call.arguments)}}
            for call in message.tool_calls
        ]
    if message.role == "tool":
        plain["tool_call_id"] = message.tool_call_id
    if message.name:
        plain["name"] = message.name
    return plain


def _object(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments
