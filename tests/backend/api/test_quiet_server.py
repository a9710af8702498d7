import asyncio
from pathlib import Path

import pytest

from hearth_backend.api.endpoint import get
from hearth_backend.api.exchange import Call, Reply
from hearth_shared.protocol.principals import Scope
from support.ask import ask
from support.doors import doors

pytestmark = pytest.mark.integration


async def show(call: Call) -> Reply:
    return Reply(b"{}")


ENDPOINTS = [get("/v1/notes", show, "").needing(Scope.STATUS)]


async def test_an_idle_server_sleeps(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        assert not [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]


async def test_nothing_in_an_answer_tells_who_serves(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS) as house:
        answer = await ask(house.port, "GET", "/v1/notes", await house.token(Scope.STATUS))
        assert not {"server", "date", "via", "x-powered-by"} & answer.headers.keys()


async def test_it_ends_when_nobody_needs_it(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS, linger_s=0.0) as house:
        await asyncio.wait_for(house.ended.wait(), 60)


async def test_a_connection_keeps_it_alive(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS, linger_s=1000.0) as house:
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        await ask(house.port, "GET", "/v1/notes", await house.token(Scope.STATUS))
        assert not house.ended.is_set()
        writer.close()
