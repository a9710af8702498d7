"""A model's answer in the shape of OpenAI's completions."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from hearth_backend.api.compat.bodies import CompletionBody
from hearth_backend.api.compat.chat import DONE, event, refuse_to_double, usage
from hearth_backend.api.compat.choices import numbered
from hearth_backend.api.compat.likelihoods import of_completion
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
        sampling=body.sampling(_MAX_TOKENS if body.max_tokens is None else body.max_tokens, body.logprobs),
        budget=body.budget(None if body.suffix is None else 0),  # an editor's text is all around the cursor
    )


def whole(identifier: str, created: int, *answers: ModelAnswer) -> Json:
    """Answers that were not streamed, the choices of one request."""
    choices = [
        {
            "index": index,
            "text": answer.text,
            "logprobs": of_completion(answer.likelihoods),
            "finish_reason": answer.reason,
        }
        for index, answer in enumerate(answers)
    ]
    told = usage(*(answer.finished for answer in answers))
    return {**_base(identifier, created, answers[0].chosen.model), "choices": choices, "usage": told}


async def chunks(
    identifier: str, created: int, *answers: AsyncGenerator[ChatEvent], tells_usage: bool
) -> AsyncGenerator[bytes, None]:
    """The answer in pieces, or several side by side. One that breaks raises: only whole ones are followed by [DONE]."""
    base = _base(identifier, created, "")

    def chunk(index: int, text: str, reason: str | None = None, logprobs: Json | None = None) -> bytes:
        choice = {"index": index, "text": text, "logprobs": logprobs, "finish_reason": reason}
        return event({**base, "choices": [choice]})

    said, finished = dict[int, int](), list[Finished]()
    async with aclosing(numbered(answers)) as events:
        async for index, one in events:
            match one:
                case Chosen():
                    base["model"] = one.model
                case Restart():
                    refuse_to_double(index in said, one)
                case TextDelta(text, likely):
                    before = said.get(index, 0)
                    said[index] = before + len(text)
                    yield chunk(index, text, logprobs=of_completion(likely, before))
                case Finished():
                    finished.append(one)
                    yield chunk(index, "", one.reason)
                case _:
                    pass  # a completion has no place for thoughts or tool calls
    if len(finished) < len(answers):
        raise IncompleteAnswer("The model ended without saying so.", "Ask again.")
    if tells_usage:
        yield event({**base, "choices": [], "usage": usage(*finished)})
    yield DONE


def _base(identifier: str, created: int, model: str) -> Json:
    return {"id": identifier, "object": "text_completion", "created": created, "model": model}
