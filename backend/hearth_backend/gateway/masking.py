"""What a cloud model gets to see: marks in place of secrets and personal data, put back in its answer."""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from hearth_backend.gateway.messages import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Finished,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_backend.privacy import Restorer, Vault


def masked_chat(request: ChatRequest) -> tuple[ChatRequest, Vault]:
    """The request as the cloud may see it, and what undoes it."""
    vault = Vault(_said(request))
    hidden = replace(
        request,
        messages=[_masked(message, vault) for message in request.messages],
        tools=[_shaped(tool, vault) for tool in request.tools],
        response_format=None if request.response_format is None else _shaped(request.response_format, vault),
        sampling=_stopping(request.sampling, vault),
    )
    return hidden, vault


def masked_completion(request: CompletionRequest) -> tuple[CompletionRequest, Vault]:
    """The request as the cloud may see it, and what undoes it."""
    texts = (request.prefix, request.suffix or "", *(text for file in request.files for text in file))
    vault = Vault(texts)
    prefix = vault.mask(request.prefix)
    suffix = None if request.suffix is None else vault.mask(request.suffix)
    files = [(vault.mask(name), vault.mask(text)) for name, text in request.files]
    sampling = _stopping(request.sampling, vault)
    return replace(request, prefix=prefix, suffix=suffix, files=files, sampling=sampling), vault


def masked_texts(texts: Sequence[str]) -> list[str]:
    """Texts to embed, as the cloud may see them: each for itself, so that the same text has the same vector always."""
    return [Vault([text]).mask(text) for text in texts]


async def restored(events: AsyncGenerator[ChatEvent], vault: Vault) -> AsyncGenerator[ChatEvent]:
    """The events with the values back in place; a mark that is cut in two by the stream is waited for."""
    if not vault:
        async with aclosing(events) as plain:
            async for event in plain:
                yield event
        return
    text, thought = Restorer(vault), Restorer(vault)
    arguments: dict[int, Restorer] = {}
    async with aclosing(events) as stream:
        async for event in stream:
            match event:
                case TextDelta(piece):
                    if shown := text.feed(piece):
                        yield TextDelta(shown)
                case ReasoningDelta(piece):
                    if shown := thought.feed(piece):
                        yield ReasoningDelta(shown)
                case ToolCallDelta(index, arguments=piece):
                    restorer = arguments.setdefault(index, Restorer(vault, in_json=True))
                    yield replace(event, arguments=restorer.feed(piece))
                case Finished():
                    for late in _late(text, thought, arguments):
                        yield late
                    yield event
                case _:
                    yield event


def _late(text: Restorer, thought: Restorer, arguments: dict[int, Restorer]) -> list[ChatEvent]:
    late: list[ChatEvent] = [ToolCallDelta(index, arguments=restorer.rest()) for index, restorer in arguments.items()]
    late += [ReasoningDelta(thought.rest()), TextDelta(text.rest())]
    return [event for event in late if not _is_empty(event)]


def _is_empty(event: ChatEvent) -> bool:
    match event:
        case TextDelta(text) | ReasoningDelta(text) | ToolCallDelta(arguments=text):
            return not text
        case _:
            return False


def _said(request: ChatRequest) -> Iterator[str]:
    for message in request.messages:
        yield from (message.content, message.name, *(call.arguments for call in message.tool_calls))
    yield from request.sampling.stop
    for shape in (*request.tools, request.response_format):
        if shape is not None:
            yield json.dumps(shape, ensure_ascii=False)


def _masked(message: ChatMessage, vault: Vault) -> ChatMessage:
    calls = tuple(ToolCall(call.id, call.name, vault.mask_json(call.arguments)) for call in message.tool_calls)
    return replace(message, content=vault.mask(message.content), name=vault.mask(message.name), tool_calls=calls)


def _shaped(shape: Mapping[str, Any], vault: Vault) -> Mapping[str, Any]:
    """A schema: its words are masked, the names of its fields stay as they are."""
    return cast("Mapping[str, Any]", vault.mask_value(dict(shape)))


def _stopping(sampling: Sampling, vault: Vault) -> Sampling:
    return replace(sampling, stop=tuple(map(vault.mask, sampling.stop))) if sampling.stop else sampling
