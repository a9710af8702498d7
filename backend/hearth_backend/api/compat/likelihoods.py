"""How likely the tokens of an answer were, in the two shapes that OpenAI has for it."""

from collections.abc import Sequence
from typing import Any

from hearth_backend.gateway.messages import Likelihood
from hearth_shared.protocol.base import Json


def of_chat(found: Sequence[Likelihood]) -> Json | None:
    """For chat completions: every token with its bytes, which may be half a character."""
    if not found:
        return None
    return {"content": [_entry(one) for one in found], "refusal": None}


def of_completion(found: Sequence[Likelihood], begins_at: int = 0) -> Json | None:
    """For completions: columns. `begins_at` is how much of the answer's text came before."""
    if not found:
        return None
    tokens = [_shown(one.token) for one in found]
    offsets: list[int] = []
    for token in tokens:
        offsets.append(begins_at)
        begins_at += len(token)
    return {
        "tokens": tokens,
        "token_logprobs": [one.logprob for one in found],
        "top_logprobs": [{_shown(token): value for token, value in one.others} for one in found],
        "text_offset": offsets,
    }


def _entry(one: Likelihood) -> dict[str, Any]:
    return {**_token(one.token, one.logprob), "top_logprobs": [_token(*other) for other in one.others]}


def _token(token: str, logprob: float) -> dict[str, Any]:
    raw = token.encode("utf-8", "surrogateescape")
    return {"token": raw.decode("utf-8", "replace"), "logprob": logprob, "bytes": list(raw)}


def _shown(token: str) -> str:
    return token.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
