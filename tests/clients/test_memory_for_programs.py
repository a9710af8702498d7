"""`X-Hearth-Memory: on` through unmodified SDKs: what is remembered is laid beside the question and told in the answer,
where the token may read it and nowhere else."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import anthropic
import ollama
import openai
import pytest
import pytest_asyncio

from hearth_shared.protocol.principals import Scope
from support.compatible import House, house_of
from support.provider import words

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="module")]

HERE, STAYS, PRIVATE = "My dentist is Dr. Ito in Rose Street.", "My dentist keeps file 77 here.", "local only"
QUESTION = "Who is my dentist?"
ON = {"X-Hearth-Memory": "on"}
HI: list[Any] = [{"role": "system", "content": "be brief"}, {"role": "user", "content": QUESTION}]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with house_of(tmp_path_factory.mktemp("remembered")) as one:
        episodes = [_episode("a", HERE), {**_episode("b", STAYS), "sensitivity": PRIVATE}]
        stored = one.backend.door().post("/v1/memory/episodes", json={"space": "main", "episodes": episodes})
        assert stored.status_code in (200, 201), stored.text
        yield one


def _episode(name: str, text: str) -> dict[str, Any]:
    return {
        "external_id": name,
        "source": "person",
        "session": "s",
        "speaker": "me",
        "text": text,
        "origin": "note",
    } | {"occurred_at": "2026-11-20T12:00:00Z"}


def is_laid_beside(house: House, told: list[dict[str, Any]]) -> None:
    """The model read it before the question, and the answer says so; what is to stay was in neither."""
    asked = json.dumps(house.models.calls[-1].body)
    assert HERE in asked
    assert STAYS not in asked
    last = house.models.calls[-1].body["messages"][-1]["content"]
    assert last.endswith(QUESTION)
    assert "[1]" in last
    assert told[0]["n"] == 1
    assert HERE in [one["quote"] for one in told]
    assert STAYS not in json.dumps(told)


def reader(house: House) -> str:
    return house.token(Scope.CHAT, Scope.MEMORY_READ)


async def test_openais_clients_whole_streamed_and_as_responses(house: House) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{house.backend.url}/v1", api_key=reader(house), max_retries=0, default_headers=ON
    ) as sdk:
        house.model_does(words("Dr. Ito [1]."))
        whole = await sdk.chat.completions.create(model="near/m", messages=HI)
        assert whole.choices[0].message.content == "Dr. Ito [1]."
        is_laid_beside(house, whole.to_dict()["hearth_memory"])  # type: ignore[arg-type]
        chunks = [chunk async for chunk in await sdk.chat.completions.create(model="near/m", messages=HI, stream=True)]
        is_laid_beside(house, chunks[0].to_dict()["hearth_memory"])  # type: ignore[arg-type]
        assert not any("hearth_memory" in chunk.to_dict() for chunk in chunks[1:])
        response = await sdk.responses.create(model="near/m", input=QUESTION)
        is_laid_beside(house, response.to_dict()["hearth_memory"])  # type: ignore[arg-type]
        kept = await sdk.responses.retrieve(response.id)
        assert "hearth_memory" not in kept.to_dict()


async def test_anthropics_and_ollamas_clients(house: House) -> None:
    async with anthropic.AsyncAnthropic(
        base_url=house.backend.url, api_key=reader(house), max_retries=0, default_headers=ON
    ) as sdk:
        house.model_does(words("Dr. Ito [1]."))
        whole = await sdk.messages.create(model="near/m", messages=HI[1:], max_tokens=9)
        is_laid_beside(house, whole.to_dict()["hearth_memory"])  # type: ignore[arg-type]
        async with sdk.messages.stream(model="near/m", messages=HI[1:], max_tokens=9) as stream:
            message = await stream.get_final_message()
        assert message.content[0].type == "text"
        assert message.content[0].text == "Dr. Ito [1]."
    made: Any = ollama.AsyncClient(house.backend.url, headers={"Authorization": f"Bearer {reader(house)}", **ON})
    async with made as client:
        said = await client.chat("near/m", HI)
        assert said.message.content == "Dr. Ito [1]."
        assert HERE in json.dumps(house.models.calls[-1].body)
        parts = [part.message.content async for part in await client.chat("near/m", HI, stream=True)]
    assert "".join(parts) == "Dr. Ito [1]."


async def test_without_the_header_nothing_is_laid_beside_a_question(house: House) -> None:
    for headers in ({}, {"X-Hearth-Memory": "off"}):
        house.model_does(words("I do not know."))
        said = await _ask(house, reader(house), headers)
        assert "hearth_memory" not in said.json()
        assert HERE not in json.dumps(house.models.calls[-1].body)


async def test_only_a_token_that_may_read_memory_is_given_any(house: House) -> None:
    house.model_does(words("never"))
    refused = await _ask(house, house.token(Scope.CHAT), ON)
    assert (refused.status_code, house.models.calls) == (403, [])
    elsewhere = house.backend.token(Scope.CHAT, Scope.MEMORY_READ, spaces=("work",)).text
    assert "hearth_memory" not in (await _ask(house, elsewhere, ON)).json()
    assert HERE not in json.dumps(house.models.calls[-1].body)
    assert (await _ask(house, reader(house), {"X-Hearth-Memory": "maybe"})).status_code == 400


async def _ask(house: House, token: str, headers: dict[str, str]) -> Any:
    body = {"model": "near/m", "messages": HI}
    client = house.backend.over_tcp(token)  # the model answers in this loop
    return await asyncio.to_thread(client.post, "/v1/chat/completions", json=body, headers=headers)
