"""T28: of everything that could be planted in a call nothing reaches a cloud's server; of what comes back, all."""

import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import pytest

from hearth_backend.gateway.messages import (
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Sampling,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from support.gateways import CALLER, Bench, KeyRing, collected, gateway_over, provider_of, text_of
from support.planted import PLANTED
from support.provider import ModelServer, Received, Reply, echo, model_server, tool_call, vectors, words

pytestmark = pytest.mark.security

ALL = "\n".join(planted.text for planted in PLANTED)


def seen(server: ModelServer) -> list[str]:
    """What was planted and arrived, in whatever way JSON writes it."""
    arrived = json.dumps([call.body for call in server.calls], ensure_ascii=False)
    spoken = "\n".join(_strings([call.body for call in server.calls]))
    return [planted.value for planted in PLANTED if planted.value in arrived or planted.value in spoken]


def _strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            fields = cast("dict[str, Any]", value)
            return [*fields, *(text for one in fields.values() for text in _strings(one))]
        case list():
            return [text for one in cast("list[Any]", value) for text in _strings(one)]
        case _:
            return []


async def echo_in_characters(reply: Reply, request: Received) -> None:
    """The last message, a character at a time."""
    reply.start()
    for character in request.body["messages"][-1]["content"]:
        reply.delta(content=character)
    reply.delta("stop")
    reply.done()


async def test_a_conversation_leaves_without_what_was_planted_in_it_and_comes_back_with_it(tmp_path: Path) -> None:
    tool = {
        "type": "function",
        "function": {"name": "mail", "description": ALL, "parameters": {"type": "object", "enum": [ALL]}},
    }
    request = ChatRequest(
        [
            ChatMessage("system", f"You know {ALL}"),
            ChatMessage("assistant", "", (ToolCall("c", "mail", json.dumps({"text": ALL, ALL: [ALL]})),)),
            ChatMessage("tool", json.dumps({"said": PLANTED[0].value}), tool_call_id="c"),
            ChatMessage("user", ALL, name=PLANTED[0].value),
        ],
        tools=[tool],
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"description": ALL}}},
        sampling=Sampling(stop=(PLANTED[0].value,)),
    )
    for behaviour in (echo(), echo_in_characters):
        async with model_server(behaviour) as cloud, _over(tmp_path, cloud) as bench:
            events = await collected(bench.gateway.chat(request, CALLER))
        assert len(cloud.calls) == 1
        assert seen(cloud) == []
        assert text_of(events) == ALL


async def test_a_tool_is_called_with_the_values_and_not_with_their_marks(tmp_path: Path) -> None:
    request = ChatRequest([ChatMessage("user", PLANTED[0].value)])
    called = tool_call("mail", *'{"to": "\\u003cEMAIL_1>", "cc": ["<EMAIL_1>"]}')
    async with model_server(called) as cloud, _over(tmp_path, cloud) as bench:
        events = await collected(bench.gateway.chat(request, CALLER))
    arguments = "".join(event.arguments for event in events if isinstance(event, ToolCallDelta))
    assert json.loads(arguments) == {"to": PLANTED[0].value, "cc": [PLANTED[0].value]}
    assert not any(isinstance(event, TextDelta) for event in events)


async def test_a_completion_leaves_without_what_was_planted_around_the_cursor(tmp_path: Path) -> None:
    request = CompletionRequest(ALL, ALL, files=[(PLANTED[0].value, ALL)], sampling=Sampling(stop=(PLANTED[0].value,)))
    async with model_server(words("x")) as cloud, _over(tmp_path, cloud) as bench:
        await collected(bench.gateway.complete(request, CALLER))
    assert len(cloud.calls) == 1
    assert seen(cloud) == []


async def test_texts_to_embed_leave_masked_each_for_itself(tmp_path: Path) -> None:
    async with model_server(vectors((1.0, 0.0), (0.0, 1.0))) as cloud, _over(tmp_path, cloud) as bench:
        await bench.gateway.embed([ALL, PLANTED[0].value], "p/text-embed", CALLER)
    assert seen(cloud) == []
    assert cloud.calls[0].body["input"][1] == "<EMAIL_1>"


def _over(folder: Path, cloud: ModelServer) -> AbstractAsyncContextManager[Bench]:
    settings = provider_of(cloud, where="cloud", keys=KeyRing(p="k"), model="m", complete=True)
    return gateway_over(folder, settings)
