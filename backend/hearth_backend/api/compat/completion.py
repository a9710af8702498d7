"""A model's answer in the shape of OpenAI's completions."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from hearth_backend.api.compat.bodies import CompletionBody
from hearth_backend.api.compat.chat import DONE, event, refuse_to_double, usage
from hearth_backend.api.model_answer import ModelAnswer
from hearth_backend.gateway.messages import ChatEvent, Chosen, CompletionRequest, Finished, Restart, TextDelta
from hearth_shared.errors import IncompleteAnswer
from hearth_shared.protocol.base import Json

_MAX_TOKENS = 16  # OpenAI's own default for this call


def asked(body: CompletionBody) -> CompletionRequest:
    """What the gateway is asked. Raises BadRequest for what cannot be honoured."""
    body.refuse_what_cannot_be()
    return CompletionRequest(
        prefix=body.text(),
        suffix=body.suffix,
        model=body.model,
        sampling=body.sampling(_MAX_TOKENS if body.max_tokens is None else body.max_tokens),
    )


def whole(identifier: str, created: int, answer: ModelAnswer) -> Json:
    """An answer that was not streamed."""
    choice = {"index": 0, "text": answer.text, "logprobs": None, "finish_reason": answer.reason}
    return {**_base(identifier, created, answer.chosen.model), "choices": [choice], "usage": usage(answer.finished)}


async def chunks(
    identifier: str, created: int, events: AsyncGenerator[ChatEvent], *, tells_usage: bool
) -> AsyncGenerator[bytes, None]:
    """The answer in pieces. An answer that breaks raises: only a whole one is followed by [DONE]."""
    base = _base(identifier, created, "")

    def chunk(text: str, reason: str | None = None) -> bytes:
        return event({**base, "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": reason}]})

    said = False
    async with aclosing(events):
        async for one in events:
            match one:
                case Chosen():
                    base["model"] = one.model
                case Restart():
                    refuse_to_double(said, one)
                case TextDelta(text):
                    said = True
                    yield chunk(text)
                case Finished():
                    yield chunk("", one.reason)
                    if tells_usage:
                        yield event({**base, "choices": [], "usage": usage(one)})
                    yield DONE
                    return
                case _:
                    pass  # a completion has no place for thoughts or tool calls
    raise IncompleteAnswer("The model ended without saying so.", "Ask again.")


def _base(identifier: str, created: int, model: str) -> Json:
    return {"id": identifier, "object": "text_completion", "created": created, "model": model}
