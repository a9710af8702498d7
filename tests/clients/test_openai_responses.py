"""The `openai` SDK's responses, unmodified; a loopback server stands in for the model."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import openai
import pytest
import pytest_asyncio
from openai.types.responses import FunctionToolParam, ResponseInputParam

from hearth_shared.protocol.principals import Scope
from support.compatible import House, house_of
from support.provider import cut_off, stalls, tool_call, words

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="module")]

LOOK: FunctionToolParam = {
    "type": "function",
    "name": "look",
    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    "strict": False,
}


def sdk_of(house: House) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{house.backend.url}/v1", api_key=house.token(Scope.CHAT), max_retries=0)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with house_of(tmp_path_factory.mktemp("responses")) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def sdk(house: House) -> AsyncIterator[openai.AsyncOpenAI]:
    async with sdk_of(house) as client:
        yield client


async def test_a_conversation_goes_on_from_the_id_of_its_last_answer(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hello ", "there", read=7, written=2))
    first = await sdk.responses.create(model="near/m", input="hi", instructions="be brief")
    assert (first.status, first.output_text) == ("completed", "Hello there")
    assert first.usage is not None
    assert (first.usage.input_tokens, first.usage.output_tokens) == (7, 2)
    house.model_does(words("Yes"))
    second = await sdk.responses.create(model="near/m", input="again?", previous_response_id=first.id)
    said = [(one["role"], one["content"]) for one in house.models.calls[-1].body["messages"]]
    assert said == [("user", "hi"), ("assistant", "Hello there"), ("user", "again?")]
    assert second.previous_response_id == first.id


async def test_what_was_stored_is_read_and_deleted_by_its_owner_alone(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hello"))
    made = await sdk.responses.create(model="near/m", input="hi")
    assert (await sdk.responses.retrieve(made.id)).output_text == "Hello"
    assert [item.type async for item in sdk.responses.input_items.list(made.id)] == ["message"]
    async with sdk_of(house) as stranger:
        with pytest.raises(openai.NotFoundError):
            await stranger.responses.retrieve(made.id)
        with pytest.raises(openai.NotFoundError):
            await stranger.responses.create(model="near/m", input="x", previous_response_id=made.id)
    await sdk.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve(made.id)


async def test_nothing_is_stored_when_that_was_asked(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hello"))
    made = await sdk.responses.create(model="near/m", input="hi", store=False)
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve(made.id)


async def test_a_response_streams_and_is_stored_before_its_end_is_told(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hello ", "there"))
    async with sdk.responses.stream(model="near/m", input="hi") as stream:
        kinds: list[str] = []
        async for event in stream:
            kinds.append(event.type)
            if event.type == "response.completed":
                assert (await sdk.responses.retrieve(event.response.id)).output_text == "Hello there"
        assert (await stream.get_final_response()).output_text == "Hello there"
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")


async def test_a_tool_is_called_and_its_result_goes_back(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(tool_call("look", '{"at":', '"the sky"}'))
    called = await sdk.responses.create(model="near/m", input="look up", tools=[LOOK])
    (call,) = called.output
    assert call.type == "function_call"
    assert (call.name, call.arguments) == ("look", '{"at":"the sky"}')
    house.model_does(words("blue"))
    result: ResponseInputParam = [{"type": "function_call_output", "call_id": call.call_id, "output": "it is blue"}]
    await sdk.responses.create(model="near/m", input=result, previous_response_id=called.id, tools=[LOOK])
    asked = house.models.calls[-1].body["messages"]
    assert [one["role"] for one in asked] == ["user", "assistant", "tool"]
    assert asked[2]["tool_call_id"] == call.call_id == asked[1]["tool_calls"][0]["id"]


async def test_an_answer_that_was_cut_short_says_so(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(words("Hel", finish="length"))
    made = await sdk.responses.create(model="near/m", input="hi", max_output_tokens=1)
    assert made.status == "incomplete"
    assert made.incomplete_details is not None
    assert made.incomplete_details.reason == "max_output_tokens"


async def test_an_answer_that_breaks_is_never_completed(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(cut_off("Hal", orderly=True))
    with pytest.raises(openai.APIStatusError):
        await sdk.responses.create(model="near/m", input="hi")
    kinds = [event.type async for event in await sdk.responses.create(model="near/m", input="hi", stream=True)]
    assert kinds[-1] == "response.failed"


async def test_an_answer_in_the_making_is_stopped_by_its_id(house: House, sdk: openai.AsyncOpenAI) -> None:
    house.model_does(stalls())
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def read() -> list[str]:
        kinds: list[str] = []
        async for event in await sdk.responses.create(model="near/m", input="hi", stream=True):
            kinds.append(event.type)
            if event.type == "response.created":
                begun.set_result(event.response.id)
        return kinds

    reading = asyncio.create_task(read())
    id = await begun
    async with sdk_of(house) as stranger:
        with pytest.raises(openai.NotFoundError):
            await stranger.responses.cancel(id)
    assert (await sdk.responses.cancel(id)).status == "cancelled"
    assert (await reading)[-1] == "response.failed"


async def test_what_only_openais_servers_can_do_is_refused_by_name(house: House, sdk: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="web_search"):
        await sdk.responses.create(model="near/m", input="hi", tools=[{"type": "web_search"}])
    with pytest.raises(openai.BadRequestError, match="background"):
        await sdk.responses.create(model="near/m", input="hi", background=True)
