"""The `ollama` client, unmodified, against the Ollama-compatible door; a loopback server stands in for the model."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import ollama
import pytest
import pytest_asyncio

from support.backend import wrong_token
from support.compatible import House, house_of
from support.provider import cut_off, tool_call, vectors, words

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="module")]

Client = Any  # ollama.AsyncClient, whose signatures name types that it does not define
HI = [{"role": "user", "content": "hi"}]
LOOK = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look somewhere.",
        "parameters": {"type": "object", "properties": {"at": {"type": "string", "description": "where"}}},
    },
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with house_of(tmp_path_factory.mktemp("ollama")) as one:
        yield one


@contextlib.asynccontextmanager
async def client_of(house: House, token: str) -> AsyncGenerator[Client]:
    made: Client = ollama.AsyncClient(host=house.backend.url, headers={"Authorization": f"Bearer {token}"})
    async with made as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def client(house: House) -> AsyncIterator[Client]:
    async with client_of(house, house.token()) as one:
        yield one


async def test_models_are_listed_shown_and_seen_in_memory(house: House, client: Client) -> None:
    assert "near/m" in [model.model for model in (await client.list()).models]
    shown = await client.show("near/m:latest")
    assert "completion" in (shown.capabilities or [])
    assert list((await client.ps()).models) == []
    with pytest.raises(ollama.ResponseError) as raised:
        await client.show("nobody")
    assert raised.value.status_code == 404


async def test_a_conversation_is_answered_whole(house: House, client: Client) -> None:
    house.model_does(words("Hello ", "there", read=7, written=2))
    answer = await client.chat("near/m:latest", messages=HI, options={"num_predict": 9, "temperature": 0.25})
    assert answer.message.content == "Hello there"
    assert (answer.done, answer.done_reason) == (True, "stop")
    assert (answer.prompt_eval_count, answer.eval_count) == (7, 2)
    asked = house.models.calls[-1].body
    assert asked["temperature"] == 0.25
    assert 9 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))


async def test_a_conversation_streams(house: House, client: Client) -> None:
    house.model_does(words("Hello ", "there"))
    lines = [line async for line in await client.chat("near/m", messages=HI, stream=True)]
    assert "".join(line.message.content or "" for line in lines) == "Hello there"
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]


async def test_a_tool_is_called_and_its_result_goes_back(house: House, client: Client) -> None:
    house.model_does(tool_call("look", '{"at":', '"the sky"}'))
    lines = [line async for line in await client.chat("near/m", messages=HI, tools=[LOOK], stream=True)]
    calls = [call for line in lines for call in line.message.tool_calls or ()]
    assert [(call.function.name, call.function.arguments) for call in calls] == [("look", {"at": "the sky"})]

    house.model_does(words("blue"))
    said = [*HI, {"role": "assistant", "tool_calls": calls}, {"role": "tool", "tool_name": "look", "content": "blue"}]
    assert (await client.chat("near/m", messages=said)).message.content == "blue"
    asked = house.models.calls[-1].body["messages"]
    assert asked[2]["tool_call_id"] == asked[1]["tool_calls"][0]["id"] != ""


async def test_a_text_is_answered_gone_on_from_and_filled_in(house: House, client: Client) -> None:
    house.model_does(words("it is 4"))
    assert (await client.generate("near/m", "2 and 2", system="count")).response == "it is 4"
    assert [message["role"] for message in house.models.calls[-1].body["messages"]] == ["system", "user"]
    assert (await client.generate("near/m", "")).done_reason == "load"


async def test_an_answer_that_is_bound_to_a_schema(house: House, client: Client) -> None:
    house.model_does(words('{"a": 1}'))
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    await client.chat("near/m", messages=HI, format=schema)
    assert house.models.calls[-1].body["response_format"]["json_schema"]["schema"] == schema


async def test_texts_are_embedded(house: House, client: Client) -> None:
    house.model_does(vectors([1.0, 0.0], [0.0, 1.0]))
    found = await client.embed("near/text-embed", ["a", "b"])
    assert [list(vector) for vector in found.embeddings] == [[1.0, 0.0], [0.0, 1.0]]


async def test_an_answer_that_breaks_is_an_error_and_never_done(house: House, client: Client) -> None:
    house.model_does(cut_off("Hal", orderly=True))
    seen: list[bool] = []

    async def read() -> None:
        async for line in await client.chat("near/m", messages=HI, stream=True):
            seen.append(line.done)

    with pytest.raises(ollama.ResponseError):
        await read()
    assert True not in seen


async def test_pictures_and_a_wrong_token_are_refused(house: House, client: Client, tmp_path: Path) -> None:
    picture = tmp_path / "x.png"
    picture.write_bytes(b"\x89PNG")
    with pytest.raises(ollama.ResponseError, match="pictures"):
        await client.chat("near/m", messages=[{"role": "user", "content": "what?", "images": [str(picture)]}])
    async with client_of(house, wrong_token()) as stranger:
        with pytest.raises(ollama.ResponseError) as raised:
            await stranger.list()
    assert raised.value.status_code == 401
