"""Google's dialect (Gemini API): our requests to its JSON, its stream's chunks to our events. No I/O here.

https://ai.google.dev/api/generate-content. A stream has no end of its own: it is whole when a candidate said why it
stopped and the connection closed in good order.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

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

_REASONS: Final[Mapping[str, FinishReason]] = {"STOP": "stop", "MAX_TOKENS": "length"}
_BROKEN: Final = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER"})
_NAMES: Final[Mapping[str, str]] = {
    "max_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
    "seed": "seed",
}
_MODES: Final[Mapping[str, str]] = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
_EMBEDDED: Final = TypeAdapter(list[list[float]])


class GoogleDialect:
    """Implements `remote.Dialect`."""

    ends_with_connection = True
    listing = "/models?pageSize=1000"

    def shows(self, key: str) -> Mapping[str, str]:
        return {"x-goog-api-key": key}

    def ids(self, reply: Mapping[str, Any]) -> list[str]:
        entries = cast("list[Any]", reply["models"]) if isinstance(reply.get("models"), list) else []
        return [str(name).removeprefix("models/") for entry in entries if (name := as_object(entry).get("name"))]

    def chat(self, request: ChatRequest, model: str) -> Asked:
        body: Json = {"contents": list(_turns(request.messages))}
        if system := [{"text": one.content} for one in request.messages if one.role == "system" and one.content]:
            body["systemInstruction"] = {"parts": system}
        if settings := _sampling(request.sampling) | _format(request.response_format):
            body["generationConfig"] = settings
        if request.tools:
            body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in request.tools]}]
            if request.tool_choice is not None:
                body["toolConfig"] = {"functionCallingConfig": _choice(request.tool_choice)}
        return f"/models/{quote(model, safe='')}:streamGenerateContent?alt=sse", body

    def completion(self, request: CompletionRequest, model: str) -> Asked:
        raise BadRequest("A model of this kind does not go on from a text.", "Ask it as a conversation.")

    def embedding(self, texts: Sequence[str], model: str) -> Asked:
        asked = [{"model": f"models/{model}", "content": {"parts": [{"text": text}]}} for text in texts]
        return f"/models/{quote(model, safe='')}:batchEmbedContents", {"requests": asked}

    def vectors(self, reply: Mapping[str, Any]) -> tuple[list[list[float]], int]:
        entries = cast("list[Any]", reply["embeddings"]) if isinstance(reply.get("embeddings"), list) else []
        try:
            return _EMBEDDED.validate_python([as_object(entry).get("values") for entry in entries]), 0
        except ValidationError:
            return [], 0

    def reader(self, asked_characters: int) -> "GoogleReader":
        return GoogleReader(asked_characters)


class GoogleReader:
    """Implements `remote.Reader`."""

    over = False

    def __init__(self, asked_characters: int = 0) -> None:
        self._asked = asked_characters
        self._text = TextBound()
        self._calls = ToolTexts()
        self._reason: FinishReason | None = None
        self._usage: Mapping[str, Any] = {}

    def read(self, data: str) -> list[ChatEvent]:
        try:
            chunk = as_object(json.loads(data))
        except ValueError:
            raise ModelFailed("The model's server sent something that is not JSON.") from None
        if error := chunk.get("error"):
            raise ModelFailed(f"The model's server reported: {complaint(error)}")
        self._usage = as_object(chunk.get("usageMetadata")) or self._usage
        if as_object(chunk.get("promptFeedback")).get("blockReason"):
            self._reason = "content_filter"
        candidates = chunk.get("candidates")
        if not isinstance(candidates, list) or not candidates:
            return []
        candidate = as_object(cast("list[Any]", candidates)[0])
        events = [event for part in _parts(candidate) for event in self._part(part)]
        if reason := candidate.get("finishReason"):
            self._stopped(str(reason))
        return events

    def finished(self) -> Finished:
        if self._reason is None:
            raise IncompleteAnswer("The model's server ended the answer without saying that it was finished.")
        self._calls.check(cut_off=self._reason == "length")
        usage = self._usage
        written = count_of(usage, "candidatesTokenCount") + count_of(usage, "thoughtsTokenCount")
        return Finished(
            reason="tool_calls" if self._calls else self._reason,
            input_tokens=count_of(usage, "promptTokenCount") or estimated_tokens(self._asked),
            output_tokens=written or estimated_tokens(self._text.length),
            cached_tokens=count_of(usage, "cachedContentTokenCount"),
            counted=bool(usage),
        )

    def _part(self, part: Mapping[str, Any]) -> Iterator[ChatEvent]:
        if call := as_object(part.get("functionCall")):
            index = len(self._calls)
            arguments = self._text.counted(json.dumps(call.get("args") or {}))
            self._calls.add(index, arguments)
            yield ToolCallDelta(index, str(call.get("id") or f"call_{index}"), str(call.get("name") or ""), arguments)
        elif isinstance(text := part.get("text"), str) and text:
            said = self._text.counted(text)
            yield ReasoningDelta(said) if part.get("thought") else TextDelta(said)

    def _stopped(self, reason: str) -> None:
        if reason in _BROKEN:
            raise ModelFailed(f"The model gave up ({reason}).")
        self._reason = _REASONS.get(reason, "content_filter")


def _parts(candidate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parts = as_object(candidate.get("content")).get("parts")
    return [as_object(part) for part in cast("list[Any]", parts)] if isinstance(parts, list) else []


def _turns(messages: Sequence[ChatMessage]) -> Iterator[Json]:
    """Sides that alternate; what a tool said answers by the name of its function, not by its call."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    side, parts = "", list[Json]()
    for message in messages:
        if message.role == "system":
            continue
        speaks = "model" if message.role == "assistant" else "user"
        if speaks != side and parts:
            yield {"role": side, "parts": parts}
            parts = []
        side = speaks
        parts.extend(_said(message, names))
    if parts:
        yield {"role": side, "parts": parts}


def _said(message: ChatMessage, names: Mapping[str, str]) -> Iterator[Json]:
    if message.role == "tool":
        name = names.get(message.tool_call_id) or message.name or "tool"
        yield {"functionResponse": {"name": name, "response": {"result": message.content}}}
        return
    if message.content:
        yield {"text": message.content}
    for call in message.tool_calls:
        yield {"functionCall": {"name": call.name, "args": _arguments(call.arguments)}}


def _arguments(text: str) -> Json:
    try:
        return dict(as_object(json.loads(text or "{}")))
    except ValueError:
        return {}


def _sampling(sampling: Sampling) -> Json:
    settings = {google: value for ours, google in _NAMES.items() if (value := getattr(sampling, ours)) is not None}
    return settings | ({"stopSequences": list(sampling.stop)} if sampling.stop else {})


def _format(wanted: Mapping[str, Any] | None) -> Json:
    if wanted is None or wanted.get("type") not in ("json_object", "json_schema"):
        return {}
    schema = as_object(wanted.get("json_schema")).get("schema")
    return {"responseMimeType": "application/json", **({"responseJsonSchema": schema} if schema else {})}


def _tool(tool: Mapping[str, Any]) -> Json:
    function = as_object(tool.get("function"))
    described: Json = {"name": function.get("name", ""), "description": function.get("description", "")}
    if parameters := function.get("parameters"):
        described["parametersJsonSchema"] = parameters
    return described


def _choice(choice: str | Mapping[str, Any]) -> Json:
    if isinstance(choice, str):
        return {"mode": _MODES.get(choice, "AUTO")}
    return {"mode": "ANY", "allowedFunctionNames": [as_object(choice.get("function")).get("name", "")]}
