"""A model's answer in the shape of OpenAI's chat completions."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, assert_never

from hearth_backend.api.compat.bodies import ChatBody
from hearth_backend.api.compat.choices import numbered
from hearth_backend.api.compat.likelihoods import of_chat
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
        sampling=body.sampling(limit, body.likelihoods),
        tools=body.tools or (),
        tool_choice=body.tool_choice,
        response_format=body.response_format,
        budget=body.budget(None),
    )


def whole(identifier: str, created: int, *answers: ModelAnswer) -> Json:
    """Answers that were not streamed, the choices of one request."""
    return {
        "id": identifier,
        "object": "chat.completion",
        "created": created,
        "model": answers[0].chosen.model,
        "choices": [_choice(index, answer) for index, answer in enumerate(answers)],
        "usage": usage(*(answer.finished for answer in answers)),
    }


def _choice(index: int, answer: ModelAnswer) -> Json:
    message: Json = {"role": "assistant", "content": answer.text or (None if answer.tool_calls else "")}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = [_call(call) for call in answer.tool_calls]
    logprobs = of_chat(answer.likelihoods)
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": answer.reason}


def usage(*finished: Finished) -> Json:
    """What was read, once for all choices, and written."""
    first, written = finished[0], sum(one.output_tokens for one in finished)
    details = {"cached_tokens": first.cached_tokens}
    if first.left_out:
        details["left_out_messages"] = first.left_out
    return {
        "prompt_tokens": first.input_tokens,
        "completion_tokens": written,
        "total_tokens": first.input_tokens + written,
        "prompt_tokens_details": details,
    }


def event(value: Json) -> bytes:
    """One server-sent event of OpenAI's kind: data alone."""
    return b"data: %b\n\n" % json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def chunks(
    identifier: str, created: int, *answers: AsyncGenerator[ChatEvent], tells_usage: bool
) -> AsyncGenerator[bytes, None]:
    """The answer in pieces, or several side by side. One that breaks raises: only whole ones are followed by [DONE]."""
    base: Json = {"id": identifier, "object": "chat.completion.chunk", "created": created, "model": ""}

    def chunk(index: int, delta: Json, reason: str | None = None, logprobs: Json | None = None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return event({**base, "choices": [choice]})

    said, finished = set[int](), list[Finished]()
    async with aclosing(numbered(answers)) as events:
        async for index, one in events:
            match one:
                case Chosen():
                    base["model"] = one.model
                    if index not in said:
                        yield chunk(index, {"role": "assistant", "content": ""})
                case Restart():
                    refuse_to_double(index in said, one)
                case Finished():
                    finished.append(one)
                    yield chunk(index, {}, one.reason)
                case TextDelta(likelihoods=likely) if likely:
                    said.add(index)
                    yield chunk(index, _delta(one), logprobs=of_chat(likely))
                case TextDelta() | ReasoningDelta() | ToolCallDelta():
                    said.add(index)
                    yield chunk(index, _delta(one))
                case _:
                    assert_never(one)
    if len(finished) < len(answers):
        raise IncompleteAnswer("The model ended without saying so.", "Ask again.")
    if tells_usage:
        yield event({**base, "choices": [], "usage": usage(*finished)})
    yield DONE


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
