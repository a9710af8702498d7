"""What a cloud model gets to see: marks in place of secrets and personal data, put back in its answer."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from hearth_backend.gateway.messages import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_backend.privacy import Restorer, Vault


def masked_chat(request: ChatRequest) -> tuple[ChatRequest, Vault]:
    """The request as the cloud may see it, and what undoes it."""
    vault = Vault(text for message in request.messages for text in _texts(message))
    return replace(request, messages=[_masked(message, vault) for message in request.messages]), vault


def masked_completion(request: CompletionRequest) -> tuple[CompletionRequest, Vault]:
    """The request as the cloud may see it, and what undoes it."""
    texts = (request.prefix, request.suffix or "", *(text for _, text in request.files))
    vault = Vault(texts)
    suffix = None if request.suffix is None else vault.mask(request.suffix)
    files = [(name, vault.mask(text)) for name, text in request.files]
    return replace(request, prefix=vault.mask(request.prefix), suffix=suffix, files=files), vault


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


def _texts(message: ChatMessage) -> list[str]:
    return [message.content, *(call.arguments for call in message.tool_calls)]


def _masked(message: ChatMessage, vault: Vault) -> ChatMessage:
    calls = tuple(ToolCall(call.id, call.name, vault.mask(call.arguments)) for call in message.tool_calls)
    return replace(message, content=vault.mask(message.content), tool_calls=calls)
