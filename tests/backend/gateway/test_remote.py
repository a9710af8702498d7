"""Anthropic's and Google's dialects against servers on loopback: what goes out and comes back, what is never whole."""

from typing import Any

import pytest

from hearth_backend.gateway.messages import (
    ChatMessage,
    ChatRequest,
    Chosen,
    CompletionRequest,
    Finished,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_backend.gateway.providers import provider
from hearth_backend.gateway.remote import Remote
from hearth_shared.errors import BadRequest, IncompleteAnswer, ModelFailed, ModelUnavailable
from hearth_shared.settings import Provider as ProviderSettings
from support.dialects import claude, claude_calls, claude_says, gemini, gemini_says
from support.gateways import CALLER, HELLO, KeyRing, collected
from support.provider import Behaviour, ModelServer, model_server, refuses

pytestmark = pytest.mark.integration

CALL = ToolCall("t", "clock", '{"in": "Kyoto"}')
CLOCK = {"name": "clock", "description": "Tells.", "parameters": {"type": "object"}}
BUSY = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
TURN = ChatRequest(
    [
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "What time is it?"),
        ChatMessage("assistant", "Let me look.", tool_calls=(CALL,)),
        ChatMessage("tool", "noon", tool_call_id="t"),
        ChatMessage("user", "And now?"),
    ],
    sampling=Sampling(max_tokens=5, temperature=1.5, top_k=3, stop=("x",)),
    tools=[
        {"type": "function", "function": {"name": "clock", "description": "Tells.", "parameters": {"type": "object"}}}
    ],
    tool_choice="required",
)


def of(server: ModelServer, kind: str) -> Remote:
    settings = ProviderSettings.model_validate({"url": server.url, "where": "cloud", "kind": kind, "model": "m"})
    return provider("p", settings, KeyRing(p="secret"))


async def test_claude_is_asked_in_its_own_shape_and_shown_its_key_in_its_own_header() -> None:
    async with model_server(claude(*claude_says("One ", "two."))) as server:
        claudes = of(server, "anthropic")
        events = await collected(claudes.chat(TURN, CALLER))
        await claudes.close()
        (asked,) = server.calls
    assert events == [
        Chosen("m", "p", "cloud"),
        TextDelta("One "),
        TextDelta("two."),
        Finished("stop", input_tokens=7, output_tokens=3, cached_tokens=2),
    ]
    assert (asked.headers["x-api-key"], "authorization" in asked.headers) == ("secret", False)
    body = asked.body
    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"][1] == {
        "type": "tool_use",
        "id": "t",
        "name": "clock",
        "input": {"in": "Kyoto"},
    }
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "text"]
    assert (body["max_tokens"], body["temperature"], body["stop_sequences"]) == (5, 1.0, ["x"])
    assert body["tool_choice"] == {"type": "any"}
    assert body["tools"] == [{"name": "clock", "description": "Tells.", "input_schema": {"type": "object"}}]


async def test_gemini_is_asked_in_its_own_shape_and_shown_its_key_in_its_own_header() -> None:
    said = gemini_says({"text": "Hm.", "thought": True}, {"text": "One "}, {"text": "two."})
    async with model_server(gemini(*said)) as server:
        geminis = of(server, "google")
        events = await collected(geminis.chat(TURN, CALLER))
        await geminis.close()
        (asked,) = server.requests
    assert events == [
        Chosen("m", "p", "cloud"),
        ReasoningDelta("Hm."),
        TextDelta("One "),
        TextDelta("two."),
        Finished("stop", input_tokens=7, output_tokens=3),
    ]
    assert asked.path.endswith("/models/m:streamGenerateContent?alt=sse")
    assert (asked.headers["x-goog-api-key"], "authorization" in asked.headers) == ("secret", False)
    body = asked.body
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user"]
    assert body["contents"][2]["parts"][0]["functionResponse"]["name"] == "clock"
    assert body["generationConfig"]["maxOutputTokens"] == 5
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


@pytest.mark.parametrize(
    ("kind", "behaviour"),
    [
        ("anthropic", claude(*claude_calls("clock", '{"in":', ' "Kyoto"}'))),
        ("google", gemini(*gemini_says({"functionCall": {"name": "clock", "args": {"in": "Kyoto"}}}))),
    ],
)
async def test_a_tool_call_comes_with_its_name_and_arguments(kind: str, behaviour: Behaviour) -> None:
    async with model_server(behaviour) as server:
        one = of(server, kind)
        events = await collected(one.chat(HELLO, CALLER))
        await one.close()
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert calls[0].name == "clock"
    assert "".join(call.arguments for call in calls) == '{"in": "Kyoto"}'
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "tool_calls"


@pytest.mark.parametrize(
    ("kind", "behaviour", "error"),
    [
        ("anthropic", claude(*claude_says("Hal")[:-1]), IncompleteAnswer),
        ("anthropic", claude(*claude_says("Hal")[:4], orderly=False), IncompleteAnswer),
        ("anthropic", claude(*claude_says("Hal")[:4], {"type": "message_stop"}), IncompleteAnswer),
        ("anthropic", claude(*claude_calls("clock", '{"in":')), IncompleteAnswer),
        ("anthropic", claude(*claude_calls("clock", "{}", reason="max_tokens")), IncompleteAnswer),
        (
            "anthropic",
            claude(
                *claude_says("Hal")[:4], {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
            ),
            ModelFailed,
        ),
        ("google", gemini(*gemini_says({"text": "Hal"}, reason=None)), IncompleteAnswer),
        ("google", gemini(*gemini_says({"text": "Hal"}), orderly=False), IncompleteAnswer),
        ("google", gemini(*gemini_says({"text": "Hal"}, reason="MALFORMED_FUNCTION_CALL")), ModelFailed),
        ("google", gemini(*gemini_says({"text": "Hal"}), {"error": {"code": 503, "message": "busy"}}), ModelFailed),
    ],
)
async def test_what_was_cut_off_is_never_whole(kind: str, behaviour: Behaviour, error: type[Exception]) -> None:
    async with model_server(behaviour) as server:
        one = of(server, kind)
        with pytest.raises(error):
            await collected(one.chat(HELLO, CALLER))
        await one.close()


@pytest.mark.parametrize(
    ("kind", "behaviour", "reason"),
    [
        ("anthropic", claude(*claude_says("x", reason="max_tokens")), "length"),
        ("anthropic", claude(*claude_says("x", reason="refusal")), "content_filter"),
        ("google", gemini(*gemini_says({"text": "x"}, reason="MAX_TOKENS")), "length"),
        ("google", gemini(*gemini_says({"text": "x"}, reason="SAFETY")), "content_filter"),
        ("google", gemini({"promptFeedback": {"blockReason": "SAFETY"}}), "content_filter"),
    ],
)
async def test_why_it_stopped_is_told(kind: str, behaviour: Behaviour, reason: str) -> None:
    async with model_server(behaviour) as server:
        one = of(server, kind)
        events = await collected(one.chat(HELLO, CALLER))
        await one.close()
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == reason


@pytest.mark.parametrize("kind", ["anthropic", "google"])
async def test_a_refusal_is_told_and_what_it_cannot_do_sends_nothing(kind: str) -> None:
    async with model_server(refuses(429, "slow down", retry_after="7")) as server:
        one = of(server, kind)
        with pytest.raises(ModelUnavailable) as refused:
            await collected(one.chat(HELLO, CALLER))
        before = len(server.requests)
        with pytest.raises(BadRequest):
            await collected(one.complete(CompletionRequest("x"), CALLER))
        assert len(server.requests) == before
        await one.close()
    assert refused.value.data["retry_after"] == 7


async def test_gemini_binds_an_answer_to_a_schema_and_claude_says_that_it_cannot() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    wanted: dict[str, Any] = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    request = ChatRequest(HELLO.messages, response_format=wanted)
    async with model_server(gemini(*gemini_says({"text": "{}"}))) as server:
        one = of(server, "google")
        await collected(one.chat(request, CALLER))
        await one.close()
        settings = server.requests[0].body["generationConfig"]
    assert settings == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    async with model_server(claude(*claude_says("{}"))) as server:
        one = of(server, "anthropic")
        with pytest.raises(BadRequest, match="schema"):
            await collected(one.chat(request, CALLER))
        await one.close()
