"""T10: revoking a token ends what its program has open, and nobody else's."""

import asyncio

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from hearth_shared.protocol.principals import Scope
from support.backend import Backend, Token

pytestmark = pytest.mark.security

LIMIT_S = 60


async def follow(backend: Backend, token: Token, opened: asyncio.Event) -> int:
    """Read an event stream until it ends; how many bytes came."""
    headers = {"Authorization": f"Bearer {token.text}"}
    count = 0
    async with (
        httpx2.AsyncClient(timeout=LIMIT_S, trust_env=False) as client,
        client.stream("GET", f"{backend.url}/v1/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        async for piece in answer.aiter_bytes():
            count += len(piece)
            opened.set()
    return count


async def test_an_event_stream_ends(backend: Backend) -> None:
    token, opened = backend.token(Scope.TASKS), asyncio.Event()
    reading = asyncio.create_task(follow(backend, token, opened))
    await opened.wait()
    await asyncio.to_thread(backend.revoke, token)
    assert await asyncio.wait_for(reading, LIMIT_S) > 0
    assert (await asyncio.to_thread(backend.over_tcp(token.text).get, "/v1/tasks")).status_code == 401


async def test_a_websocket_ends_with_a_code_that_says_why(backend: Backend) -> None:
    token = backend.token(Scope.TASKS)
    headers = {"Authorization": f"Bearer {token.text}"}
    async with connect(f"ws://127.0.0.1:{backend.port}/v1/events", additional_headers=headers) as socket:
        await asyncio.to_thread(backend.revoke, token)
        with pytest.raises(ConnectionClosed) as ended:
            await asyncio.wait_for(socket.recv(), LIMIT_S)
    assert ended.value.rcvd is not None
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (4401, "revoked")


async def test_other_programs_streams_go_on(backend: Backend) -> None:
    one, other = backend.token(Scope.TASKS), backend.token(Scope.TASKS)
    opened, other_opened = asyncio.Event(), asyncio.Event()
    reading = asyncio.create_task(follow(backend, one, opened))
    other_reading = asyncio.create_task(follow(backend, other, other_opened))
    await opened.wait()
    await other_opened.wait()
    await asyncio.to_thread(backend.revoke, one)
    await asyncio.wait_for(reading, LIMIT_S)
    assert not other_reading.done()
    await asyncio.to_thread(backend.revoke, other)
    await asyncio.wait_for(other_reading, LIMIT_S)


def test_a_connection_that_is_kept_alive_is_refused_its_next_request(backend: Backend) -> None:
    token = backend.token(Scope.STATUS)
    client = backend.over_tcp(token.text)
    assert client.get("/readyz").status_code == 200
    backend.revoke(token)
    assert client.get("/readyz").status_code == 401
