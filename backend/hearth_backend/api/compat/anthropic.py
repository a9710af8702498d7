"""The Anthropic-compatible door: stateless calls, straight to the gateway; nothing is remembered."""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Literal

from hearth_backend.api import problems
from hearth_backend.api.compat.anthropic_bodies import CountBody, MessagesBody
from hearth_backend.api.compat.chat import refuse_to_double
from hearth_backend.api.compat.remembered import Remembered, citing
from hearth_backend.api.compat.token_count import count_tokens
from hearth_backend.api.compat.tool_input import as_object
from hearth_backend.api.endpoint import Endpoint, post
from hearth_backend.api.exchange import Call, Reply, Stream
from hearth_backend.api.model_answer import ModelAnswer, gathered
from hearth_backend.gateway.messages import (
    ChatEvent,
    Chosen,
    Finished,
    FinishReason,
    Models,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCallDelta,
)
from hearth_backend.services import Services
from hearth_shared.errors import HearthError, IncompleteAnswer
from hearth_shared.protocol.base import Json
from hearth_shared.protocol.principals import Scope

_REASONS: Final[Mapping[FinishReason, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_AROUND_A_MESSAGE: Final = 4
Kind = Literal["text", "thinking", "tool_use"]


class Anthropic:
    """`/v1/messages` and `/v1/messages/count_tokens`."""

    def __init__(self, services: Services) -> None:
        self._models: Models = services.models
        self._engine = services.engine
        self._remembered = Remembered(services)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            post(
                "/v1/messages", MessagesBody, self.messages, "Answer a conversation.", kind="model", dialect="anthropic"
            ).needing(Scope.CHAT),
            post(
                "/v1/messages/count_tokens",
                CountBody,
                self.count,
                "How many tokens a conversation takes: counted by a model of this machine, else estimated.",
                kind="model",
                dialect="anthropic",
            ).needing(Scope.CHAT),
        )

    async def messages(self, call: Call, body: MessagesBody) -> Reply | Stream:
        """In pieces or whole."""
        asked, entries = await self._remembered.beside(call, body.asked())
        events = self._models.chat(asked, call.caller("chat"))
        identifier = f"msg_{call.request_id}"
        if body.stream:
            return citing(Stream(pieces(identifier, events), failed), entries)
        return citing(Reply(problems.dump(whole(identifier, await gathered(events)))), entries)

    async def count(self, call: Call, body: CountBody) -> Reply:
        """The text's tokens, and a few for what a template puts around each message."""
        said = body.said()
        texts = [message.content for message in said] + [call.arguments for one in said for call in one.tool_calls]
        texts += [json.dumps(tool) for tool in body.functions()]
        tokens = await count_tokens(self._engine, body.model or "", "\n".join(texts))
        return Reply(problems.dump({"input_tokens": tokens + _AROUND_A_MESSAGE * len(said)}))


def whole(identifier: str, answer: ModelAnswer) -> Json:
    """An answer that was not streamed."""
    content: list[Json] = []
    if answer.reasoning:
        content.append({"type": "thinking", "thinking": answer.reasoning, "signature": ""})
    if answer.text:
        content.append({"type": "text", "text": answer.text})
    for call in answer.tool_calls:
        content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": as_object(call.arguments)})
    said = _message(identifier, answer.chosen.model, content, _reason(answer.reason))
    return {**said, "usage": _usage(answer.finished)}


async def pieces(identifier: str, events: AsyncGenerator[ChatEvent]) -> AsyncGenerator[bytes, None]:
    """The answer in Anthropic's events. One that breaks raises: only a whole one ends with `message_stop`."""
    told = _Told()
    begun = False
    async with aclosing(events):
        async for one in events:
            match one:
                case Chosen():
                    if not begun:
                        begun = True
                        start = {**_message(identifier, one.model, [], None), "usage": _NOTHING_YET}
                        yield _event("message_start", message=start)
                case Restart():
                    refuse_to_double(told.index >= 0, one)
                case Finished():
                    for piece in (*told.closed(), *_ended(one)):
                        yield piece
                    return
                case TextDelta() | ReasoningDelta() | ToolCallDelta():
                    for piece in told.more(one):
                        yield piece
    raise IncompleteAnswer("The model ended without saying so.", "Ask again.")


class _Told:
    """The block that is open. Anthropic's stream has one at a time, numbered from 0."""

    def __init__(self) -> None:
        self.index = -1
        self._open: tuple[Kind, int] | None = None

    def more(self, one: TextDelta | ReasoningDelta | ToolCallDelta) -> Iterator[bytes]:
        """The events of one more piece; a block of another kind closes the one that is open."""
        kind, number, start, delta = _block(one)
        if self._open != (kind, number):
            yield from self.closed()
            self.index += 1
            self._open = kind, number
            yield _event("content_block_start", index=self.index, content_block=start)
        if delta is not None:
            yield _event("content_block_delta", index=self.index, delta=delta)

    def closed(self) -> Sequence[bytes]:
        """The end of the open block, when there is one."""
        if self._open is None:
            return ()
        self._open = None
        return (_event("content_block_stop", index=self.index),)


def _block(one: TextDelta | ReasoningDelta | ToolCallDelta) -> tuple[Kind, int, Json, Json | None]:
    match one:
        case TextDelta(text):
            return "text", 0, {"type": "text", "text": ""}, {"type": "text_delta", "text": text}
        case ReasoningDelta(text):
            block: Json = {"type": "thinking", "thinking": "", "signature": ""}
            return "thinking", 0, block, {"type": "thinking_delta", "thinking": text}
        case ToolCallDelta(index, id, name, arguments):
            start: Json = {"type": "tool_use", "id": id, "name": name, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": arguments} if arguments else None
            return "tool_use", index, start, delta


def _ended(finished: Finished) -> Iterator[bytes]:
    delta = {"stop_reason": _reason(finished.reason), "stop_sequence": None}
    yield _event("message_delta", delta=delta, usage=_usage(finished))
    yield _event("message_stop")


def _reason(reason: FinishReason) -> str:
    return _REASONS[reason]


def _message(identifier: str, model: str, content: list[Json], reason: str | None) -> Json:
    return {
        "id": identifier,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
    }


_NOTHING_YET: Final[Json] = {"input_tokens": 0, "output_tokens": 0}


def _usage(finished: Finished) -> Json:
    """Anthropic counts what came from a cache apart from what was read."""
    return {
        "input_tokens": max(0, finished.input_tokens - finished.cached_tokens),
        "cache_read_input_tokens": finished.cached_tokens,
        "output_tokens": finished.output_tokens,
    }


def _event(kind: str, **more: Any) -> bytes:
    said = json.dumps({"type": kind, **more}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), said)


def failed(error: HearthError, request_id: str) -> bytes:
    """The last event of a stream that broke: an error, and no `message_stop`."""
    return b"event: error\ndata: %b\n\n" % problems.anthropic(error, request_id).body
