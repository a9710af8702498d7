"""OpenAI's dialect as values: our requests to its JSON, its stream's chunks to our events. No I/O here."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic_core import from_json

from hearth_backend.gateway.messages import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Finished,
    FinishReason,
    Likelihood,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCallDelta,
)
from hearth_backend.gateway.text_bound import TextBound
from hearth_backend.gateway.tool_texts import ToolTexts
from hearth_shared.errors import IncompleteAnswer, ModelFailed

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_SAMPLING = ("max_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "seed")
_LOCAL_SAMPLING = ("top_k", "min_p", "repeat_penalty")


def chat_body(request: ChatRequest, model: str, *, local: bool, openai_itself: bool = False) -> dict[str, Any]:
    """The JSON of a streamed chat call. Samplers that only local servers know are left out elsewhere."""
    body: dict[str, Any] = {"model": model, "messages": [_message(message) for message in request.messages]}
    body |= _streamed(request.sampling, local=local)
    if request.sampling.logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.sampling.logprobs}
    if openai_itself and "max_tokens" in body:  # its reasoning models refuse the name all others know
        body["max_completion_tokens"] = body.pop("max_tokens")
    if request.tools:
        body["tools"] = list(request.tools)
        if request.tool_choice is not None:
            body["tool_choice"] = request.tool_choice
    if request.response_format is not None:
        body["response_format"] = request.response_format
    return body


def completion_body(request: CompletionRequest, model: str, *, local: bool) -> dict[str, Any]:
    """The JSON of a streamed completion; with a suffix, of a fill-in-the-middle one."""
    body: dict[str, Any] = {"model": model, "prompt": request.prefix}
    if request.suffix is not None:
        body["suffix"] = request.suffix
    if request.sampling.logprobs is not None:
        body["logprobs"] = request.sampling.logprobs
    return body | _streamed(request.sampling, local=local)


def estimated_tokens(characters: int) -> int:
    """For servers that do not count: four characters to a token."""
    return math.ceil(characters / 4)


def _streamed(sampling: Sampling, *, local: bool) -> dict[str, Any]:
    names = _SAMPLING + _LOCAL_SAMPLING if local else _SAMPLING
    body = {name: value for name in names if (value := getattr(sampling, name)) is not None}
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.logit_bias:
        body["logit_bias"] = {str(token): bias for token, bias in sampling.logit_bias}
    return body | {"stream": True, "stream_options": {"include_usage": True}}


def _message(message: ChatMessage) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        plain["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
        plain["content"] = message.content or None
    if message.role == "tool":
        plain["tool_call_id"] = message.tool_call_id
    if message.name:
        plain["name"] = message.name
    return plain


class AnswerReader:
    """Turns a stream's chunks into events and knows whether it came to its end.

    An answer is whole only with a finish reason, the terminator, and tool arguments that parse: anything else raises
    IncompleteAnswer, for a cut-off answer must never look like an answer.
    """

    def __init__(self, asked_characters: int = 0) -> None:
        self.over = False
        self._asked = asked_characters
        self._text = TextBound()
        self._reason: FinishReason | None = None
        self._usage: Mapping[str, Any] = {}
        self._calls = ToolTexts()

    def read(self, data: str) -> list[ChatEvent]:
        """The events in the data of one server-sent event."""
        if data == "[DONE]":
            self.over = True
            return []
        try:
            chunk: Any = from_json(data)
        except ValueError:
            raise ModelFailed("The model's server sent something that is not JSON.") from None
        if not isinstance(chunk, dict):
            raise ModelFailed("The model's server sent something that is not a chunk of an answer.")
        chunk = cast("dict[str, Any]", chunk)
        if chunk.get("error"):
            raise ModelFailed(f"The model's server reported: {complaint(chunk['error'])}")
        if usage := as_object(chunk.get("usage")):
            self._usage = usage
        return list(self._choice(chunk.get("choices")))

    def finished(self) -> Finished:
        """Call at the terminator: the last event of a whole answer."""
        if self._reason is None:
            raise IncompleteAnswer("The model's server ended the answer without saying that it was finished.")
        self._calls.check(cut_off=self._reason == "length")
        usage = self._usage
        return Finished(
            reason="tool_calls" if self._calls else self._reason,
            input_tokens=count_of(usage, "prompt_tokens") or estimated_tokens(self._asked),
            output_tokens=count_of(usage, "completion_tokens") or estimated_tokens(self._text.length),
            cached_tokens=count_of(as_object(usage.get("prompt_tokens_details")), "cached_tokens"),
            counted=bool(usage),
        )

    def _choice(self, choices: Any) -> Iterator[ChatEvent]:
        if not isinstance(choices, list) or not choices:
            return
        choice = as_object(cast("list[Any]", choices)[0])
        parts = as_object(choice.get("delta"))
        yield from self._texts(parts, choice)
        yield from self._tool_calls(parts.get("tool_calls"))
        if reason := choice.get("finish_reason"):
            self._reason = _REASONS.get(str(reason), "stop")

    def _texts(self, parts: Mapping[str, Any], choice: Mapping[str, Any]) -> Iterator[ChatEvent]:
        thought = parts.get("reasoning_content") or parts.get("reasoning")
        if isinstance(thought, str) and thought:
            yield ReasoningDelta(self._text.counted(thought))
        text = parts.get("content") or choice.get("text")
        if isinstance(text, str) and text:
            yield TextDelta(self._text.counted(text), likelihoods_of(choice.get("logprobs")))

    def _tool_calls(self, calls: Any) -> Iterator[ChatEvent]:
        for call in cast("list[Any]", calls) if isinstance(calls, list) else ():
            parts = as_object(call)
            index = parts.get("index")
            index = index if isinstance(index, int) else len(self._calls)
            function = as_object(parts.get("function"))
            more = self._text.counted(str(function.get("arguments") or ""))
            self._calls.add(index, more)
            yield ToolCallDelta(index, str(parts.get("id") or ""), str(function.get("name") or ""), more)


def likelihoods_of(said: Any) -> tuple[Likelihood, ...]:
    """What a server tells of its tokens, in the shape of chat or of completions; nothing that is not well formed."""
    found = as_object(said)
    if not found:
        return ()
    try:
        return _of_chat(found) if "content" in found else _of_completion(found)
    except (TypeError, ValueError, KeyError, AttributeError):
        return ()


def _of_chat(found: Mapping[str, Any]) -> tuple[Likelihood, ...]:
    return tuple(
        Likelihood(
            _token(one),
            float(one["logprob"]),
            tuple((_token(other), float(other["logprob"])) for other in one.get("top_logprobs") or ()),
        )
        for one in found["content"] or ()
    )


def _token(one: Mapping[str, Any]) -> str:
    raw = one.get("bytes")
    if not isinstance(raw, list):
        return str(one["token"])
    return bytes(cast("list[Any]", raw)).decode("utf-8", "surrogateescape")


def _of_completion(found: Mapping[str, Any]) -> tuple[Likelihood, ...]:
    tokens, values = found["tokens"], found["token_logprobs"]
    others: list[Any] = found.get("top_logprobs") or [None] * len(tokens)
    return tuple(
        Likelihood(str(token), float(value), tuple((str(one), float(its)) for one, its in as_object(beside).items()))
        for token, value, beside in zip(tokens, values, others, strict=True)
    )


def as_object(value: Any) -> Mapping[str, Any]:
    """A JSON object, or an empty one in place of anything else: servers differ in what they leave out."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def count_of(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def complaint(error: Any) -> str:
    """What a server says went wrong, cut to a sentence's length."""
    said = cast("dict[str, Any]", error).get("message") if isinstance(error, dict) else None
    return " ".join(str(said or cast("object", error)).split())[:300]


def complaint_of(body: bytes) -> str:
    """What the JSON body of a refusal says went wrong; empty when it says nothing readable."""
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        return ""
    error = as_object(parsed).get("error")
    return complaint(error) if error else ""
