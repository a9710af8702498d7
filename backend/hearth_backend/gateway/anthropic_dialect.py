"""Anthropic's dialect: our requests to its JSON, its stream's events to ours. No I/O here.

https://docs.anthropic.com/en/api/messages-streaming
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from hearth_backend.gateway.dialect import as_object, complaint, count_of, estimated_tokens
from hearth_backend.gateway.messages import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Finished,
    FinishReason,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCallDelta,
)
from hearth_backend.gateway.remote import Asked
from hearth_backend.gateway.text_bound import TextBound
from hearth_backend.gateway.tool_texts import ToolTexts
from hearth_shared.errors import BadRequest, IncompleteAnswer, ModelFailed
from hearth_shared.protocol.base import Json

_MAX_TOKENS: Final = 8192  # Anthropic takes no request without a limit
_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_KEPT: Final[Json] = {
    "type": "ephemeral"
}  # the beginning is the same from turn to turn: its cache is a tenth of the price


class AnthropicDialect:
    """Implements `remote.Dialect`."""

    ends_with_connection = False
    listing = "/models?limit=1000"

    def shows(self, key: str) -> Mapping[str, str]:
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}

    def ids(self, reply: Mapping[str, Any]) -> list[str]:
        entries = cast("list[Any]", reply["data"]) if isinstance(reply.get("data"), list) else []
        return [str(id) for entry in entries if (id := as_object(entry).get("id"))]

    def chat(self, request: ChatRequest, model: str) -> Asked:
        if request.response_format is not None and request.response_format.get("type") != "text":
            raise BadRequest(
                "A model of this kind cannot be bound to a schema.", "Name another, or ask for JSON in words."
            )
        system = "\n\n".join(one.content for one in request.messages if one.role == "system" and one.content)
        body: Json = {"model": model, "messages": list(_turns(request.messages)), "stream": True}
        body |= _sampling(request.sampling)
        if system:
            body["system"] = [{"type": "text", "text": system, "cache_control": _KEPT}]
        if request.tools and request.tool_choice != "none":
            body["tools"] = [_tool(tool) for tool in request.tools]
            if (choice := _choice(request.tool_choice)) is not None:
                body["tool_choice"] = choice
        return "/messages", body

    def completion(self, request: CompletionRequest, model: str) -> Asked:
        raise BadRequest("A model of this kind does not go on from a text.", "Ask it as a conversation.")

    def embedding(self, texts: Sequence[str], model: str) -> Asked:
        raise BadRequest("This provider makes no embeddings.", "The built-in model does: all-minilm-l6-v2.")

    def vectors(self, reply: Mapping[str, Any]) -> tuple[list[list[float]], int]:
        return [], 0

    def reader(self, asked_characters: int) -> "AnthropicReader":
        return AnthropicReader(asked_characters)


class AnthropicReader:
    """Implements `remote.Reader`."""

    def __init__(self, asked_characters: int = 0) -> None:
        self.over = False
        self._asked = asked_characters
        self._text = TextBound()
        self._calls = ToolTexts()
        self._blocks: dict[int, int] = {}
        self._reason: FinishReason | None = None
        self._usage: dict[str, Any] = {}

    def read(self, data: str) -> list[ChatEvent]:
        try:
            event = as_object(json.loads(data))
        except ValueError:
            raise ModelFailed("The model's server sent something that is not JSON.") from None
        match event.get("type"):
            case "message_start":
                self._usage |= as_object(as_object(event.get("message")).get("usage"))
            case "content_block_start":
                return list(self._begun(event))
            case "content_block_delta":
                return list(self._more(event))
            case "message_delta":
                reason = as_object(event.get("delta")).get("stop_reason")
                self._reason = _REASONS.get(str(reason)) if reason else self._reason
                self._usage |= as_object(event.get("usage"))
            case "message_stop":
                self.over = True
            case "error":
                raise ModelFailed(f"The model's server reported: {complaint(event.get('error'))}")
            case _:
                pass  # pings, ends of blocks, and what a later version adds
        return []

    def finished(self) -> Finished:
        if self._reason is None:
            raise IncompleteAnswer("The model's server ended the answer without saying that it was finished.")
        self._calls.check(cut_off=self._reason == "length")
        cached = count_of(self._usage, "cache_read_input_tokens")
        read = count_of(self._usage, "input_tokens") + count_of(self._usage, "cache_creation_input_tokens") + cached
        return Finished(
            reason="tool_calls" if self._calls else self._reason,
            input_tokens=read or estimated_tokens(self._asked),
            output_tokens=count_of(self._usage, "output_tokens") or estimated_tokens(self._text.length),
            cached_tokens=cached,
            counted=bool(self._usage),
        )

    def _begun(self, event: Mapping[str, Any]) -> Iterator[ChatEvent]:
        block = as_object(event.get("content_block"))
        if block.get("type") == "tool_use":
            index = self._blocks[_place(event)] = len(self._calls)
            self._calls.add(index, "")
            yield ToolCallDelta(index, str(block.get("id") or ""), str(block.get("name") or ""))

    def _more(self, event: Mapping[str, Any]) -> Iterator[ChatEvent]:
        delta = as_object(event.get("delta"))
        match delta.get("type"):
            case "text_delta" if text := delta.get("text"):
                yield TextDelta(self._text.counted(str(text)))
            case "thinking_delta" if text := delta.get("thinking"):
                yield ReasoningDelta(self._text.counted(str(text)))
            case "input_json_delta" if more := delta.get("partial_json"):
                index = self._blocks.get(_place(event))
                if index is None:
                    raise ModelFailed("The model's server sent a tool call that it never began.")
                self._calls.add(index, self._text.counted(str(more)))
                yield ToolCallDelta(index, arguments=str(more))
            case _:
                pass


def _place(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else -1


def _turns(messages: Sequence[ChatMessage]) -> Iterator[Json]:
    """What tools said belongs to the person's turn; neighbours of one side are one turn: sides have to alternate."""
    side, blocks = "", list[Json]()
    for message in messages:
        if message.role == "system":
            continue
        speaks = "assistant" if message.role == "assistant" else "user"
        if speaks != side and blocks:
            yield {"role": side, "content": blocks}
            blocks = []
        side = speaks
        blocks.extend(_blocks(message))
    if blocks:
        yield {"role": side, "content": blocks}


def _blocks(message: ChatMessage) -> Iterator[Json]:
    if message.role == "tool":
        yield {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}
        return
    if message.content:
        yield {"type": "text", "text": message.content}
    for call in message.tool_calls:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call.arguments)}


def _input(arguments: str) -> Json:
    try:
        return dict(as_object(json.loads(arguments or "{}")))
    except ValueError:
        return {}


def _sampling(sampling: Sampling) -> Json:
    body: Json = {"max_tokens": sampling.max_tokens or _MAX_TOKENS}
    for name in ("temperature", "top_p", "top_k"):
        if (value := getattr(sampling, name)) is not None:
            body[name] = min(value, 1.0) if name == "temperature" else value
    if sampling.stop:
        body["stop_sequences"] = list(sampling.stop)
    return body


def _tool(tool: Mapping[str, Any]) -> Json:
    function = as_object(tool.get("function"))
    schema = function.get("parameters") or {"type": "object"}
    return {"name": function.get("name", ""), "description": function.get("description", ""), "input_schema": schema}


def _choice(choice: str | Mapping[str, Any] | None) -> Json | None:
    if isinstance(choice, Mapping):
        return {"type": "tool", "name": as_object(choice.get("function")).get("name", "")}
    return {"required": {"type": "any"}, "auto": {"type": "auto"}}.get(choice or "")
