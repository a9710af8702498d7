"""The `openai` SDK, unmodified, against the OpenAI-compatible door; a loopback server stands in for the model."""

import asyncio
import base64
import struct
from collections.abc import AsyncGenerator, AsyncIterator

import openai
import pytest
import pytest_asyncio
from openai.types.chat import ChatCompletionChunk, ChatCompletionToolParam, ChatCompletionUserMessageParam

from hearth_shared.protocol.principals import Scope
from support.backend import wrong_token
from support.compatible import House, house_of
from support.provider import (
    Received,
    Reply,
    cut_off,
    refuses,
    stalls,
    tool_call,
    vectors,
    words,
)

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="module")]

HI: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "hi"}]


def sdk_of(house: House, token: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{house.backend.url}/v1", api_key=token, max_retries=0)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with house_of(tmp_path_factory.mktemp("openai")) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def sdk(house: House) -> AsyncIterator[openai.AsyncOpenAI]:
    async with sdk_of(house, house.token(Scope.CHAT, Scope.COMPLETE)) as client:
        yield client


async def test_models_are_listed_and_found_by_id(house: House, sdk: openai.AsyncOpenAI) -> None:
    listed = [model.id async for model in sdk.models.list()]
    assert "near/m" in listed
    assert (await sdk.models.retrieve("near/m")).id == "near/m"
    with pytest.raises(openai.NotFoundError):
        await sdk.models.retrieve("nobody")


async def test_a_conversation_is_answered_whole(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hello ", "there", read=7, written=2))
    answer = await sdk.chat.completions.create(model="near/m", messages=HI)
    assert answer.choices[0].message.content == "Hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (7, 2, 9)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 2


async def test_a_conversation_streams(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hello ", "there"))
    stream = await sdk.chat.completions.create(
        model="near/m", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello there"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


async def test_usage_is_not_streamed_unless_asked_for(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hello"))
    stream = await sdk.chat.completions.create(model="near/m", messages=HI, stream=True)
    assert all(chunk.choices for chunk in [chunk async for chunk in stream])


async def test_what_the_model_needs_to_know_reaches_it(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("yes"))
    await sdk.chat.completions.create(
        model="near/m",
        messages=[{"role": "developer", "content": "be brief"}, *HI],
        temperature=0.25,
        top_p=0.5,
        seed=7,
        stop=["END"],
        max_completion_tokens=12,
        response_format={"type": "json_object"},
        extra_body={"a_field_of_tomorrow": {"deep": 1}},
    )
    asked = house.models.calls[-1].body
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert (asked["temperature"], asked["top_p"], asked["seed"], asked["stop"]) == (0.25, 0.5, 7, ["END"])
    assert 12 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))
    assert asked["response_format"] == {"type": "json_object"}


async def test_tool_calls_come_through_whole_and_streamed(house: House, sdk: openai.AsyncOpenAI) -> None:
    tool: ChatCompletionToolParam = {
        "type": "function",
        "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}},
    }
    house.model_does(tool_call("look", '{"at":', '"the sky"}'))
    answer = await sdk.chat.completions.create(model="near/m", messages=HI, tools=[tool])
    assert answer.choices[0].finish_reason == "tool_calls"
    calls = answer.choices[0].message.tool_calls or []
    assert [(call.function.name, call.function.arguments) for call in calls if call.type == "function"] == [
        ("look", '{"at":"the sky"}')
    ]
    house.model_does(tool_call("look", '{"at":', '"the sky"}'))
    arguments = ""
    async for chunk in await sdk.chat.completions.create(model="near/m", messages=HI, tools=[tool], stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            arguments += (call.function and call.function.arguments) or ""
    assert arguments == '{"at":"the sky"}'


async def test_a_text_is_completed_between_prefix_and_suffix(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("return ", "a + b"))
    done = await sdk.completions.create(model="near/m", prompt="def add(a, b):\n    ", suffix="\n", max_tokens=24)
    assert done.choices[0].text == "return a + b"
    assert house.models.calls[-1].body["suffix"] == "\n"
    house.model_does(words("return ", "a + b"))
    stream = await sdk.completions.create(model="near/m", prompt="def add(a, b):", suffix="\n", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream if chunk.choices]) == "return a + b"


async def test_embeddings_come_as_the_sdk_asks_for_them(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(vectors((0.6, 0.8), (1.0, 0.0)))
    found = await sdk.embeddings.create(model="near/text-embed", input=["one", "two"])
    assert [len(row.embedding) for row in found.data] == [2, 2]
    assert found.data[0].embedding == pytest.approx([0.6, 0.8])
    assert found.usage.prompt_tokens == 5


async def test_embeddings_come_as_floats_and_as_base64_of_the_same(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(vectors((0.6, 0.8)))
    plain = await sdk.embeddings.create(model="near/text-embed", input="one", encoding_format="float")
    packed = await sdk.embeddings.with_raw_response.create(
        model="near/text-embed", input="one", encoding_format="base64"
    )
    text = packed.http_response.json()["data"][0]["embedding"]
    assert struct.unpack("<2f", base64.b64decode(text)) == pytest.approx(plain.data[0].embedding)


async def test_dimensions_that_the_model_does_not_have_are_refused(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(vectors((0.6, 0.8)))
    with pytest.raises(openai.BadRequestError) as refused:
        await sdk.embeddings.create(model="near/text-embed", input="one", dimensions=3)
    assert "2" in refused.value.message
    assert refused.value.param == "dimensions"


async def test_token_ids_are_no_text(sdk: openai.AsyncOpenAI) -> None:
    for tokens in ([1, 2, 3], [[1, 2], [3]]):
        with pytest.raises(openai.BadRequestError) as refused:
            await sdk.embeddings.create(model="near/text-embed", input=tokens)  # type: ignore[arg-type]
        assert refused.value.param == "input"


async def test_several_choices_are_asked_for_side_by_side(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hello ", "there", read=7, written=2))
    answer = await sdk.chat.completions.create(model="near/m", messages=HI, n=2)
    assert [choice.message.content for choice in answer.choices] == ["Hello there"] * 2
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 4)
    assert len(house.models.calls) == 2


async def test_more_choices_than_can_be_are_refused_by_their_field(sdk: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await sdk.chat.completions.create(model="near/m", messages=HI, n=9)
    assert refused.value.param == "n"


async def test_a_wrong_token_is_an_authentication_error(house: House) -> None:
    async with sdk_of(house, wrong_token()) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.chat.completions.create(model="near/m", messages=HI)


async def test_a_token_without_the_scope_is_a_permission_error(house: House) -> None:
    async with sdk_of(house, house.token(Scope.STATUS)) as stranger:
        with pytest.raises(openai.PermissionDeniedError):
            await stranger.chat.completions.create(model="near/m", messages=HI)


async def read(stream: openai.AsyncStream[ChatCompletionChunk], said: list[str]) -> None:
    """Note what is said, to the end."""
    async for chunk in stream:
        said += [choice.delta.content or "" for choice in chunk.choices]


async def test_a_stream_that_breaks_is_an_error_and_no_end(house: House, sdk: openai.AsyncOpenAI) -> None:
    for orderly in (True, False):
        house.model_does(cut_off("one ", "two ", orderly=orderly), refuses(503))
        said: list[str] = []
        with pytest.raises(openai.APIError):
            await read(await sdk.chat.completions.create(model="near/m", messages=HI, stream=True), said)
        assert "".join(said) == "one two "


async def test_an_answer_that_breaks_is_never_half_an_answer(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(cut_off("one ", "two ", orderly=True))
    with pytest.raises(openai.InternalServerError):
        await sdk.chat.completions.create(model="near/m", messages=HI)


@pytest.mark.parametrize("stream", [True, False])
async def test_the_model_stops_when_its_client_goes(house: House, sdk: openai.AsyncOpenAI, stream: bool) -> None:
    asked = asyncio.Event()

    async def stall(reply: Reply, request: Received) -> None:
        asked.set()
        await stalls()(reply, request)

    house.model_does(stall)
    asking = asyncio.create_task(sdk.chat.completions.create(model="near/m", messages=HI, stream=stream))
    if stream:
        answer = await asking
        assert isinstance(answer, openai.AsyncStream)
        await anext(aiter(answer))
        await answer.close()
    else:
        await asked.wait()
        asking.cancel()
    await asyncio.wait_for(house.models.hung_up.wait(), 60)
