import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace

import pytest

from hearth_backend.gateway.messages import (
    ChatMessage,
    ChatRequest,
    Chosen,
    CompletionRequest,
    Finished,
    Sampling,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_backend.gateway.openai_compatible import OpenAICompatible
from hearth_backend.gateway.stream import Patience
from hearth_shared.errors import BadRequest, HearthError, IncompleteAnswer, ModelFailed, ModelUnavailable, SettingsError
from hearth_shared.settings import Provider as ProviderSettings
from support import provider as server_that
from support.gateways import CALLER, CALM, HASTY, HELLO, KeyRing, collected, provider_of, text_of
from support.provider import Behaviour, model_server, words

pytestmark = pytest.mark.integration
SILENT, STALLS = server_that.never_answers(), server_that.stalls()


def patience_with(fault: Behaviour) -> Patience:
    """Little with a server that falls silent, where it falls silent."""
    return HASTY if fault is SILENT else replace(CALM, gap_s=HASTY.gap_s) if fault is STALLS else CALM


async def test_an_answer_comes_as_the_model_the_text_and_the_end() -> None:
    async with model_server(words("one ", "two")) as server:
        events = await collected(provider_of(server).chat(HELLO, CALLER))
    assert events == [
        Chosen("m", "p", "this machine"),
        TextDelta("one "),
        TextDelta("two"),
        Finished("stop", input_tokens=7, output_tokens=3, cached_tokens=2),
    ]


async def test_a_conversation_goes_out_in_openais_shape() -> None:
    call = ToolCall("c1", "clock", "{}")
    request = ChatRequest(
        [
            ChatMessage("system", "Be brief."),
            ChatMessage("assistant", tool_calls=(call,)),
            ChatMessage("tool", "noon", tool_call_id="c1"),
            ChatMessage("user", "hi"),
        ],
        model="named",
        sampling=Sampling(max_tokens=5, temperature=0, top_k=3, stop=("x",)),
        tools=[{"type": "function", "function": {"name": "clock", "parameters": {}}}],
        tool_choice="auto",
    )
    async with model_server() as server:
        await collected(provider_of(server).chat(request, CALLER))
        body = server.calls[0].body
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "noon", "tool_call_id": "c1"},
        {"role": "user", "content": "hi"},
    ]
    assert (body["model"], body["stream"], body["stream_options"]) == ("named", True, {"include_usage": True})
    assert (body["max_tokens"], body["temperature"], body["top_k"], body["stop"]) == (5, 0, 3, ["x"])
    assert body["tools"] == request.tools


async def test_a_cloud_gets_no_samplers_it_does_not_know() -> None:
    request = ChatRequest([ChatMessage("user", "hi")], sampling=Sampling(top_k=3, min_p=0.1))
    async with model_server() as server:
        provider = provider_of(server, where="cloud", model="m", keys=KeyRing(p="k"))
        await collected(provider.chat(request, CALLER))
        assert not {"top_k", "min_p"} & set(server.calls[0].body)


async def test_a_completion_with_a_suffix_fills_in_the_middle() -> None:
    async with model_server(words("x = 1")) as server:
        events = await collected(provider_of(server).complete(CompletionRequest("a", "b"), CALLER))
        assert server.calls[0].path == "/v1/completions"
        assert (server.calls[0].body["prompt"], server.calls[0].body["suffix"]) == ("a", "b")
    assert text_of(events) == "x = 1"


async def test_tool_calls_come_in_pieces_and_end_the_turn() -> None:
    async with model_server(server_that.tool_call("recall", '{"ques', 'tion": "x"}', finish="stop")) as server:
        events = await collected(provider_of(server).chat(HELLO, CALLER))
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert (calls[0].id, calls[0].name) == ("call_a", "recall")
    assert "".join(call.arguments for call in calls) == '{"question": "x"}'
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "tool_calls"


async def test_vectors_come_normalised() -> None:
    async with model_server(server_that.vectors((3, 4), (0, 2))) as server:
        found = await provider_of(server).embed(["a", "b"], None, CALLER)
    assert [list(vector) for vector in found.vectors] == [[0.6, 0.8], [0, 1]]
    assert found.tokens == 5


async def test_a_missing_vector_is_not_passed_over() -> None:
    async with model_server(server_that.vectors((1, 0))) as server:
        with pytest.raises(ModelUnavailable, match="one vector for each"):
            await provider_of(server).embed(["a", "b"], None, CALLER)


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (server_that.cut_off(orderly=True), IncompleteAnswer),
        (server_that.cut_off(orderly=False), IncompleteAnswer),
        (server_that.unterminated(), IncompleteAnswer),
        (STALLS, IncompleteAnswer),
        (server_that.says({"choices": [{"delta": {"content": "one"}}]}, "{not json"), ModelFailed),
        (server_that.says({"choices": [{"delta": {"content": "one"}}]}, {"error": {"message": "busy"}}), ModelFailed),
        (server_that.says({"choices": [{"delta": {"content": "one"}}]}), IncompleteAnswer),
        (server_that.tool_call("t", '{"path": "/home/u/no', finish="length"), IncompleteAnswer),
        (server_that.tool_call("t", '{"path": "/home/u/no'), IncompleteAnswer),
        (server_that.floods(line=True), ModelUnavailable),
        (server_that.floods(line=False), ModelFailed),
    ],
    ids=[
        "close",
        "reset",
        "no end",
        "stall",
        "bad JSON",
        "error",
        "no reason",
        "cut tool",
        "bad tool",
        "long line",
        "long answer",
    ],
)
async def test_an_answer_without_its_end_is_never_an_answer(
    fault: Behaviour, error: type[HearthError], framing: str
) -> None:
    async with model_server(fault, framing=framing) as server:
        with pytest.raises(error):
            await collected(provider_of(server, patience=patience_with(fault)).chat(HELLO, CALLER))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (server_that.refuses(500, "boom"), "500: boom"),
        (server_that.refuses(503), "503"),
        (server_that.refuses(401), "hearth keys set p"),
        (server_that.html(), "text/html"),
        (SILENT, "within 1 s"),
        (server_that.says({"error": {"message": "overloaded"}}), "overloaded"),
        (server_that.says(), "without saying"),
    ],
    ids=["500", "503", "401", "HTML", "silence", "error first", "nothing"],
)
async def test_a_server_that_does_not_begin_is_unavailable(fault: Behaviour, said: str) -> None:
    async with model_server(fault) as server:
        with pytest.raises(ModelUnavailable) as raised:
            await collected(provider_of(server, patience=patience_with(fault)).chat(HELLO, CALLER))
    assert said in str(raised.value)
    assert len(server.calls) == 1


async def test_nobody_is_followed_elsewhere() -> None:
    async with model_server() as elsewhere, model_server(server_that.redirects(f"{elsewhere.url}/x")) as server:
        with pytest.raises(ModelUnavailable, match="307"):
            await collected(provider_of(server, keys=KeyRing(p="k")).chat(HELLO, CALLER))
    assert elsewhere.connections == 0


async def test_a_request_the_server_will_never_take_is_the_callers() -> None:
    async with model_server(server_that.refuses(400, "context too long")) as server:
        with pytest.raises(BadRequest, match="context too long"):
            await collected(provider_of(server).chat(HELLO, CALLER))


async def test_how_long_to_stay_away_is_passed_on() -> None:
    async with model_server(server_that.refuses(429, retry_after="7")) as server:
        with pytest.raises(ModelUnavailable) as raised:
            await collected(provider_of(server).chat(HELLO, CALLER))
    assert raised.value.data["retry_after"] == 7


async def test_nobody_there_is_said_with_what_to_do() -> None:
    async with model_server() as server:
        pass
    with pytest.raises(ModelUnavailable) as raised:
        await collected(provider_of(server, model="m").chat(HELLO, CALLER))
    assert raised.value.fix == "Start p, or check its URL."


async def test_the_key_goes_into_the_header_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with model_server(server_that.refuses(500, "bad key k-secret-9")) as server:
        provider = provider_of(server, where="cloud", model="m", keys=KeyRing(p="k-secret-9"))
        with pytest.raises(ModelUnavailable):
            await collected(provider.chat(HELLO, CALLER))
    assert server.calls[0].headers["authorization"] == "Bearer k-secret-9"
    assert "k-secret-9" not in server.calls[0].path + repr(provider) + caplog.text


async def test_an_echoed_key_stays_out_of_the_error() -> None:
    key = "sk-" + "a1b2c3d4e5f6g7h8i9j0k1l2"
    async with model_server(server_that.refuses(500, f"Incorrect API key provided: {key}")) as server:
        with pytest.raises(ModelUnavailable) as raised:
            await collected(provider_of(server, keys=KeyRing(p=key)).chat(HELLO, CALLER))
    assert key not in str(raised.value)


async def test_leaving_the_answer_hangs_up_on_the_server() -> None:
    async with model_server(server_that.stalls()) as server:
        provider = provider_of(server)
        async with aclosing(provider.chat(HELLO, CALLER)) as events:
            assert isinstance(await anext(events), Chosen)
        async with asyncio.timeout(60):
            await server.hung_up.wait()


async def test_the_named_model_is_listed_first() -> None:
    async with model_server(models=["a", "b", "text-embed-x"]) as server:
        listed = await provider_of(server, model="b").models()
    assert [(info.id, info.roles) for info in listed] == [("b", ["chat"]), ("a", ["chat"]), ("text-embed-x", ["embed"])]


async def test_a_listing_is_not_asked_for_twice_in_a_minute() -> None:
    async with model_server() as server:
        provider = provider_of(server)
        await asyncio.gather(*(provider.models() for _ in range(5)))
    assert len(server.requests) == 1


async def test_a_cloud_without_a_key_lists_nothing_and_is_not_asked() -> None:
    async with model_server() as server:
        assert await provider_of(server, where="cloud", model="m").models() == ()
    assert server.connections == 0


async def test_nobody_there_lists_nothing() -> None:
    async with model_server() as server:
        pass
    assert await provider_of(server).models() == ()


@pytest.mark.parametrize(
    ("url", "where", "said"),
    [
        ("ftp://example.org/v1", "cloud", "not a web address"),
        ("https://me:secret@example.org/v1", "cloud", "hearth keys set"),
        ("https://example.org/v1?key=1", "cloud", "hearth keys set"),
        ("https://example.org/v1", "this machine", "not on this machine"),
        ("http://example.org/v1", "cloud", "in the clear"),
    ],
)
def test_an_address_that_breaks_a_promise_is_refused(url: str, where: str, said: str) -> None:
    settings = ProviderSettings.model_validate({"url": url, "where": where})
    with pytest.raises(SettingsError, match=said):
        OpenAICompatible("p", settings, KeyRing())
