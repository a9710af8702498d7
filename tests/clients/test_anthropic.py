"""The `anthropic` SDK, unmodified, against the Anthropic-compatible door; a loopback server stands in for the model."""

from collections.abc import AsyncGenerator, AsyncIterator

import anthropic
import pytest
import pytest_asyncio
from anthropic.types import MessageParam, ToolParam

from hearth_shared.protocol.principals import Scope
from support.backend import wrong_token
from support.compatible import House, house_of
from support.provider import cut_off, refuses, tool_call, words

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="module")]

HI: list[MessageParam] = [{"role": "user", "content": "hi"}]
LOOK: ToolParam = {"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}}}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with house_of(tmp_path_factory.mktemp("anthropic")) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def sdk(house: House) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        base_url=house.backend.url, api_key=house.token(Scope.CHAT), max_retries=0
    ) as client:
        yield client


async def test_a_conversation_is_answered_whole(house: House, sdk: anthropic.AsyncAnthropic) -> None:
    house.model_does(words("Hello ", "there", read=7, written=2))
    answer = await sdk.messages.create(model="near/m", messages=HI, max_tokens=12, system="be brief")
    assert [block.type for block in answer.content] == ["text"]
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "Hello there"
    assert answer.stop_reason == "end_turn"
    cached = answer.usage.cache_read_input_tokens or 0
    assert (answer.usage.input_tokens + cached, answer.usage.output_tokens) == (7, 2)
    asked = house.models.calls[-1].body
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert 12 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))


async def test_a_conversation_streams(house: House, sdk: anthropic.AsyncAnthropic) -> None:
    house.model_does(words("Hello ", "there"))
    async with sdk.messages.stream(model="near/m", messages=HI, max_tokens=12) as stream:
        kinds = [event.type async for event in stream]
        message = await stream.get_final_message()
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert message.content[0].type == "text"
    assert message.content[0].text == "Hello there"
    assert message.stop_reason == "end_turn"


async def test_a_tool_is_called_and_its_result_goes_back(house: House, sdk: anthropic.AsyncAnthropic) -> None:
    house.model_does(tool_call("look", '{"at":', '"the sky"}'))
    async with sdk.messages.stream(model="near/m", messages=HI, max_tokens=12, tools=[LOOK]) as stream:
        called = await stream.get_final_message()
    assert called.stop_reason == "tool_use"
    block = called.content[-1]
    assert block.type == "tool_use"
    assert (block.name, block.input) == ("look", {"at": "the sky"})

    house.model_does(words("blue"))
    said: list[MessageParam] = [
        *HI,
        {"role": "assistant", "content": [{"type": "tool_use", "id": block.id, "name": "look", "input": {"at": "x"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": block.id, "content": "it is blue"}]},
    ]
    answer = await sdk.messages.create(model="near/m", messages=said, max_tokens=12, tools=[LOOK])
    assert answer.content[0].type == "text"
    asked = house.models.calls[-1].body["messages"]
    assert [message["role"] for message in asked] == ["user", "assistant", "tool"]
    assert asked[2]["tool_call_id"] == block.id
    assert asked[2]["content"] == "it is blue"


async def test_an_answer_that_breaks_is_an_error_and_never_whole(house: House, sdk: anthropic.AsyncAnthropic) -> None:
    house.model_does(cut_off("Hal", orderly=True))
    with pytest.raises(anthropic.APIStatusError):
        await sdk.messages.create(model="near/m", messages=HI, max_tokens=12)
    kinds: list[str] = []
    with pytest.raises(anthropic.APIError):
        async with sdk.messages.stream(model="near/m", messages=HI, max_tokens=12) as stream:
            kinds.extend([event.type async for event in stream])
    assert "message_stop" not in kinds


async def test_tokens_are_counted(house: House, sdk: anthropic.AsyncAnthropic) -> None:
    few = await sdk.messages.count_tokens(model="near/m", messages=HI)
    more = await sdk.messages.count_tokens(model="near/m", messages=[{"role": "user", "content": "hi " * 400}])
    assert 0 < few.input_tokens < more.input_tokens


async def test_errors_are_those_that_the_sdk_knows(house: House, sdk: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="no-such-model"):
        await sdk.messages.create(model="no-such-model", messages=HI, max_tokens=1)
    picture: MessageParam = {
        "role": "user",
        "content": [{"type": "image", "source": {"type": "url", "url": "http://localhost/x.png"}}],
    }
    with pytest.raises(anthropic.BadRequestError, match="`image`"):
        await sdk.messages.create(model="near/m", messages=[picture], max_tokens=1)
    house.model_does(refuses(500))
    with pytest.raises(anthropic.InternalServerError):
        await sdk.messages.create(model="near/m", messages=HI, max_tokens=1)


@pytest.mark.parametrize(("api_key", "auth_token"), [(wrong_token(), None), (None, wrong_token())])
async def test_a_wrong_token_is_refused_however_it_is_shown(
    house: House, api_key: str | None, auth_token: str | None
) -> None:
    async with anthropic.AsyncAnthropic(
        base_url=house.backend.url, max_retries=0, api_key=api_key, auth_token=auth_token
    ) as client:
        with pytest.raises(anthropic.AuthenticationError):
            await client.messages.create(model="near/m", messages=HI, max_tokens=1)
