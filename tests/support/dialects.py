"""Servers that speak Anthropic's and Google's dialects, for `provider.model_server`: every byte is ours."""

from collections.abc import Sequence
from typing import Any

from support.provider import Behaviour, Received, Reply


def claude(*events: dict[str, Any], orderly: bool = True) -> Behaviour:
    """Anthropic's events as they are given, each named by its type."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for event in events:
            reply.raw(f"event: {event['type']}\n".encode())
            reply.event(event)
        await reply.sent()
        if orderly:
            reply.end()
        else:
            reply.writer.transport.abort()

    return behave


def claude_says(*texts: str, reason: str = "end_turn") -> list[dict[str, Any]]:
    """A whole answer of text."""
    usage = {"input_tokens": 5, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 0, "output_tokens": 1}
    return [
        {"type": "message_start", "message": {"id": "m", "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]


def claude_calls(name: str, *pieces: str, reason: str = "tool_use") -> list[dict[str, Any]]:
    """A whole answer that is a tool call."""
    return [
        {"type": "message_start", "message": {"id": "m"}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": name}},
        *(
            {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": reason}},
        {"type": "message_stop"},
    ]


def gemini(*chunks: dict[str, Any], orderly: bool = True) -> Behaviour:
    """Google's chunks as they are given."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for chunk in chunks:
            reply.event(chunk)
        await reply.sent()
        if orderly:
            reply.end()
        else:
            reply.writer.transport.abort()

    return behave


def gemini_says(*parts: dict[str, Any], reason: str | None = "STOP") -> Sequence[dict[str, Any]]:
    """An answer of these parts, a chunk each; without a reason it is not whole."""
    chunks: list[dict[str, Any]] = [{"candidates": [{"content": {"role": "model", "parts": [part]}}]} for part in parts]
    if reason is not None:
        usage = {"promptTokenCount": 7, "candidatesTokenCount": 2, "thoughtsTokenCount": 1}
        chunks.append({"candidates": [{"content": {}, "finishReason": reason}], "usageMetadata": usage})
    return chunks
