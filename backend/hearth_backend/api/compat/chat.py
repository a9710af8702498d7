"""A model's answer in the shape of OpenAI's chat completions."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, assert_never

from hearth_backend.api.compat.bodies import ChatBody
from hearth_backend.api.model_answer import ModelAnswer
from hearth_backend.gateway.messages import (
    ChatEvent,
    ChatRequest,
    Chosen,
    Finished,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_shared.errors import IncompleteAnswer
from hearth_shared.protocol.base import Json

DONE = b"data: [DONE]\n\n"


def asked(body: ChatBody) -> ChatRequest:
    """What the gateway is asked. Raises BadRequest for what cannot be honoured."""
    body.refuse_what_cannot_be()
    limit = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    return ChatRequest(
        messages=[said.message(number) for number, said in enumerate(body.messages)],
        model=body.model,
        sampling=body.sampling(limit),
        tools=body.tools or (),
        tool_choice=body.tool_choice,
        response_format=body.response_format,
    )


def whole(identifier: str, created: int, answer: ModelAnswer) -> Json:
    """An answer that was not streamed."""
    message: Json = {"role": "assistant", "content": answer.text or (None if answer.tool_calls else "")}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = [_call(call) for call in answer.tool_calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.reason}
    return {
        "id": identifier,
        "object": "chat.completion",
        "created": created,
        "model": answer.chosen.model,
        "choices": [choice],
        "usage": usage(answer.finished),
    }


def usage(finished: Finished) -> Json:
    """What was read and written."""
    return {
        "prompt_tokens": finished.input_tokens,
        "completion_tokens": finished.output_tokens,
        "total_tokens": finished.input_tokens + finished.output_tokens,
        "prompt_tokens_details": {"cached_tokens": finished.cached_tokens},
    }


def event(value: Json) -> bytes:
    """One server-sent event of OpenAI's kind: data alone."""
    return b"data: %b\n\n" % json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def chunks(
    identifier: str, created: int, events: AsyncGenerator[ChatEvent], *, tells_usage: bool
) -> AsyncGenerator[bytes, None]:
    """The answer in pieces. An answer that breaks raises: only a whole one is followed by [DONE]."""
    base: Json = {"id": identifier, "object": "chat.completion.chunk", "created": created, "model": ""}

    def chunk(delta: Json, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event({**base, "choices": [choice]})

    said = False
    async with aclosing(events):
        async for one in events:
            match one:
                case Chosen():
                    base["model"] = one.model
                    if not said:
                        yield chunk({"role": "assistant", "content": ""})
                case Restart():
                    refuse_to_double(said, one)
                case Finished():
                    yield chunk({}, one.reason)
                    if tells_usage:
                        yield event({**base, "choices": [], "usage": usage(one)})
                    yield DONE
                    return
                case TextDelta() | ReasoningDelta() | ToolCallDelta():
                    said = True
                    yield chunk(_delta(one))
                case _:
                    assert_never(one)
    raise IncompleteAnswer("The model ended without saying so.", "Ask again.")


def refuse_to_double(said: bool, restart: Restart) -> None:
    """What was streamed cannot be taken back here: the client must ask again rather than read two beginnings."""
    if said:
        raise IncompleteAnswer(f"The model broke off: {restart.reason}", "Ask again: another model would answer.")


def _delta(one: TextDelta | ReasoningDelta | ToolCallDelta) -> Json:
    match one:
        case TextDelta(text):
            return {"content": text}
        case ReasoningDelta(text):
            return {"reasoning_content": text}
        case ToolCallDelta():
            function: dict[str, Any] = {"arguments": one.arguments}
            call: Json = {"index": one.index, "function": function}
            if one.name:
                function["name"] = one.name
            if one.id:
                call |= {"id": one.id, "type": "function"}
            return {"tool_calls": [call]}
        case _:
            assert_never(one)


def _call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
