import asyncio
from pathlib import Path

import pytest

from hearth_bridge.backend import Backend
from hearth_bridge.knock import Visitor
from hearth_shared.errors import BackendUnavailable, DeadlineExceeded, Unauthorized
from hearth_shared.paths import Home
from support.backend import Backend as House
from support.bridge import Paired

pytestmark = pytest.mark.integration


async def test_a_browsers_token_and_origin_open_the_backend(house: House, paired: Paired) -> None:
    said = await Backend.of(house.home).ask(Visitor(paired.origin, paired.token), "GET", "/v1/status")
    assert said.status == 200
    assert said.body.startswith(b"{")


async def test_without_them_the_bridge_itself_may_ask_nothing(house: House) -> None:
    said = await Backend.of(house.home).ask(Visitor("x", ""), "GET", "/v1/status")
    assert said.status in (401, 403)


async def test_a_stream_that_is_refused_says_why(house: House, paired: Paired) -> None:
    with pytest.raises(Unauthorized):
        async for _ in Backend.of(house.home).follow(Visitor(paired.origin, "hth_00_x"), "/v1/events", None):
            pass


async def test_a_backend_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="key cannot be read"):
        Backend.of(Home(tmp_path))
    with pytest.raises(BackendUnavailable, match="broke"):
        await Backend(str(tmp_path / "none.sock"), "key").ask(Visitor("x", "t"), "GET", "/v1/status")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", b"nonsense\r\n\r\n"])
async def test_a_half_answer_is_an_error(said: bytes, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    place = str(tmp_path / "s")
    async with await asyncio.start_unix_server(answer, place):
        with pytest.raises((BackendUnavailable, DeadlineExceeded)):
            await Backend(place, "key").ask(Visitor("x", "t"), "GET", "/v1/status")
        with pytest.raises(BackendUnavailable):
            async for _ in Backend(place, "key").follow(Visitor("x", "t"), "/v1/events", 7):
                pass
