import asyncio
import contextlib
import json
import logging
import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hearth_bridge import limits
from hearth_bridge.server import Door, bind
from hearth_bridge.session import NOT_A_FRAME
from hearth_shared.extension import CHROMIUM_ORIGIN
from support.backend import Backend
from support.bridge import LIMIT_S, Paired, opened

pytestmark = pytest.mark.integration

FIREFOX = "moz-extension://0c2f2d1e-7a39-4b6e-9c55-3d5f1f0a8e11"


async def refused(port: int, *protocols: str, origin: str | None = CHROMIUM_ORIGIN, **more: Any) -> int:
    """The status with which a handshake is turned away."""
    options: dict[str, Any] = {"origin": origin, "subprotocols": list(protocols) or None, **more}
    with pytest.raises(InvalidStatus) as turned:
        async with connect(f"ws://127.0.0.1:{port}/v1", **options):
            pass
    return turned.value.response.status_code


async def test_a_page_is_turned_away_also_with_a_good_token(door: Door, paired: Paired) -> None:
    good = ("hearth.v1", f"hearth.token.{paired.token}")
    assert await refused(door.port, *good, origin="https://evil.example") == 403
    assert await refused(door.port, *good, origin=None) == 403
    assert await refused(door.port, *good, origin="chrome-extension://" + "a" * 32) == 403
    assert await refused(door.port, "hearth.v1") == 401
    assert await refused(door.port) == 400
    evil = {"Host": f"evil.example:{door.port}"}
    assert await refused(door.port, *good, additional_headers=evil) == 403


async def test_the_token_is_neither_answered_nor_logged(
    door: Door, paired: Paired, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets").setLevel(logging.WARNING)  # the client of this test tells everything
    async with opened(door.port, paired) as browser:
        assert browser.socket.subprotocol == "hearth.v1"
        assert browser.socket.response is not None
        assert paired.token not in str(browser.socket.response.headers)
        await browser.call("GET", "/v1/status")
    await refused(door.port, "hearth.v1", f"hearth.token.{paired.token}", origin="https://evil.example")
    assert paired.token not in caplog.text


async def test_only_so_many_come_in_at_once(door: Door, paired: Paired) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(limits.CONNECTIONS):
            browser = await stack.enter_async_context(opened(door.port, paired))
            await browser.send(ping=1)
            await browser.want(pong=1)
        assert await refused(door.port, "hearth.v1", f"hearth.token.{paired.token}") == 503


async def asked_to_pair(port: int, text: str, origin: str = FIREFOX) -> tuple[dict[str, Any] | None, int | None]:
    """What comes of one message on a pairing connection, and the code it is closed with."""
    protocols: Any = ["hearth.v1", "hearth.pair"]
    where: Any = origin
    async with connect(f"ws://127.0.0.1:{port}/v1", origin=where, subprotocols=protocols) as connection:
        await connection.send(text)
        said: list[dict[str, Any]] = []
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(LIMIT_S):
                said = [json.loads(message) async for message in connection]
        return (said[0] if said else None), connection.close_code


async def test_a_code_that_is_shown_pairs_the_browser_that_types_it(door: Door, house: Backend) -> None:
    code = house.door().post("/v1/clients/pairing", json={}).json()["code"]
    wrong = "000000" if code != "000000" else "111111"
    said, _ = await asked_to_pair(door.port, json.dumps({"pair": {"code": wrong, "name": "Firefox"}}))
    assert said is not None
    assert (said["problem"]["code"], said["problem"]["tries_left"]) == ("wrong_code", 4)
    said, _ = await asked_to_pair(door.port, json.dumps({"pair": {"code": code, "name": "Firefox"}}))
    assert said is not None
    assert said["paired"]["client"]["origin"] == FIREFOX
    async with opened(door.port, Paired("", said["paired"]["token"], FIREFOX)) as browser:
        assert (await browser.call("GET", "/v1/status"))["status"] == 200
    said, _ = await asked_to_pair(door.port, json.dumps({"pair": {"code": code, "name": "another"}}))
    assert said is not None
    assert said["problem"]["code"] == "no_pairing"


@pytest.mark.parametrize("text", ["{", '{"id": 1, "method": "GET", "path": "/v1/status"}', '{"id": 1, "follow": "/x"}'])
async def test_without_a_token_nothing_but_a_pairing_is_possible(door: Door, text: str) -> None:
    assert await asked_to_pair(door.port, text) == (None, NOT_A_FRAME)


async def test_a_taken_port_gives_way_to_the_next(door: Door) -> None:
    with bind(door.port) as second:
        assert door.port < second.getsockname()[1] <= 65535


async def test_what_is_no_handshake_is_ended(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(b"\x16\x03\x01 hello\r\n\r\n")
    async with asyncio.timeout(LIMIT_S):
        assert b"101" not in await reader.read()
    writer.close()


async def test_nobody_beyond_this_machine_reaches_it(door: Door) -> None:
    with socket.socket() as other, pytest.raises(OSError, match=r"refused|unreachable"):
        other.connect(("127.0.0.2", door.port))
