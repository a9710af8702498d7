"""Connections that misuse the server before any request is read."""

import asyncio
import contextlib
import os
import random
import socket
from pathlib import Path

import pytest
from pydantic import BaseModel

from hearth_backend.api.endpoint import get, post
from hearth_backend.api.exchange import Call, Reply
from hearth_backend.api.transport import Rules, peer_uid
from hearth_shared.protocol.principals import Door, Scope
from support import raw_http
from support.ask import ask
from support.doors import Doors, doors

pytestmark = pytest.mark.integration


async def show(call: Call) -> Reply:
    return Reply(b"{}")


ENDPOINTS = [get("/v1/notes", show, "").needing(Scope.STATUS)]


def rules(*, uid: int | None = None, connections: int = 64, seconds: float = 60, size: int = 65_536) -> Rules:
    return Rules(os.getuid() if uid is None else uid, connections, seconds, size)


async def test_another_user_of_this_machine_is_hung_up_on(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS, rules=rules(uid=os.getuid() + 1)) as house:
        with pytest.raises(ConnectionError):
            await ask(house.home.socket, "GET", "/v1/notes", house.keys[Door.TRAY])
        token = await house.token(Scope.STATUS)
        assert (await ask(house.port, "GET", "/v1/notes", token)).status == 200


def test_the_system_tells_who_is_at_the_other_end() -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert peer_uid(here) == os.getuid()


async def test_a_head_that_does_not_come_ends_the_connection(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS, rules=rules(seconds=0.2)) as house:
        for said in (b"", b"GET /v1/notes HT", b"GET /v1/notes HTTP/1.1\r\nHost: x\r\nX: "):
            connection = raw_http.connect(house.port)
            connection.sendall(said)
            assert await asyncio.to_thread(raw_http.wait_closed, connection) == b""
            connection.close()


async def test_the_second_head_of_a_connection_is_timed_too(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS, rules=rules(seconds=0.2)) as house:
        token = await house.token(Scope.STATUS)
        headers = [("Host", f"127.0.0.1:{house.port}"), ("Authorization", f"Bearer {token}")]
        with raw_http.connect(house.port) as connection:
            connection.sendall(raw_http.request("GET", "/v1/notes", headers))
            assert (await asyncio.to_thread(raw_http.read_answer, connection)).status == 200
            connection.sendall(b"GET /v1/no")
            assert await asyncio.to_thread(raw_http.wait_closed, connection) == b""


async def test_a_head_without_end_is_cut_off(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS, rules=rules(size=10_000)) as house:
        with raw_http.connect(house.port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 20_000)
            answer = await asyncio.to_thread(raw_http.read_answer, connection)
            assert answer.status == 431
            await asyncio.to_thread(raw_http.wait_closed, connection)


async def test_more_connections_than_allowed_are_told_to_come_back(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS, rules=rules(connections=2)) as house:
        with raw_http.connect(house.port), raw_http.connect(house.port), raw_http.connect(house.port) as third:
            answer = await asyncio.to_thread(raw_http.read_answer, third)
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_fields_after_a_body_are_dropped(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS) as house:
        token = await house.token(Scope.STATUS)
        headers = [
            ("Host", f"127.0.0.1:{house.port}"),
            ("Authorization", f"Bearer {token}"),
            ("Content-Type", "application/json"),
            ("Transfer-Encoding", "chunked"),
        ]
        body = b"2\r\n{}\r\n0\r\nHost: evil.example\r\nAuthorization: none\r\n\r\n"
        data = raw_http.request("GET", "/v1/notes", headers, body)
        assert (await asyncio.to_thread(raw_http.exchange, house.port, data)).status == 200


async def test_requests_sent_in_one_piece_are_answered_in_order(tmp_path: Path) -> None:
    async with doors(tmp_path, ENDPOINTS) as house:
        token = await house.token(Scope.STATUS)
        good = [("Host", f"127.0.0.1:{house.port}"), ("Authorization", f"Bearer {token}")]
        with raw_http.connect(house.port) as connection:
            connection.sendall(
                raw_http.request("GET", "/v1/notes", good)
                + raw_http.request("GET", "/v1/nothing", good)
                + raw_http.request("GET", "/v1/notes", good[:1])
            )
            statuses = [(await asyncio.to_thread(raw_http.read_answer, connection)).status for _ in range(1)]
        assert statuses == [200]


async def late(call: Call) -> Reply:
    await asyncio.sleep(0)
    return Reply(call.params["name"].encode())


class Anything(BaseModel):
    """Any JSON object."""


async def taken(call: Call, body: Anything) -> Reply:
    return Reply(b"x" + call.body)


MORE = [
    *ENDPOINTS,
    get("/v1/late/{name}", late, "").needing(Scope.STATUS),
    post("/v1/taken", Anything, taken, "").needing(Scope.STATUS),
]


async def signed(house: Doors) -> list[tuple[str, str]]:
    token = await house.token(Scope.STATUS)
    return [("Host", f"127.0.0.1:{house.port}"), ("Authorization", f"Bearer {token}")]


async def test_a_connection_serves_one_request_after_another(tmp_path: Path) -> None:
    async with doors(tmp_path, MORE) as house:
        good = await signed(house)
        with raw_http.connect(house.port) as connection:
            for name in ("a", "b%20c", "d"):
                connection.sendall(raw_http.request("GET", f"/v1/late/{name}", good))
                answer = await asyncio.to_thread(raw_http.read_answer, connection)
                assert answer.body.decode() == name.replace("%20", " ")
        assert len(house.server.server_state.connections) <= 1


async def test_many_requests_in_one_piece_are_answered_in_their_order(tmp_path: Path) -> None:
    async with doors(tmp_path, MORE) as house:
        good = await signed(house)
        names = [f"n{number}" for number in range(100)]
        with raw_http.connect(house.port) as connection:
            last = raw_http.request("GET", "/v1/late/last", [*good, ("Connection", "close")])
            pieces = b"".join(raw_http.request("GET", f"/v1/late/{name}", good) for name in names)
            connection.sendall(pieces + last)
            said = await asyncio.to_thread(raw_http.wait_closed, connection)
        bodies = [part.partition(b"\r\n\r\n")[2].decode() for part in said.split(b"HTTP/1.1 200 OK\r\n")[1:]]
        assert bodies == [*names, "last"]


async def test_a_body_in_many_pieces_is_one_body(tmp_path: Path) -> None:
    async with doors(tmp_path, MORE) as house:
        body = b'{"a": "' + b"y" * 300_000 + b'"}'
        headers = [*await signed(house), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        with raw_http.connect(house.port) as connection:
            data = raw_http.request("POST", "/v1/taken", headers, body)
            for start in range(0, len(data), 7_000):
                await asyncio.to_thread(connection.sendall, data[start : start + 7_000])
            answer = await asyncio.to_thread(raw_http.read_answer, connection)
        assert answer.body == b"x" + body


async def test_a_client_that_leaves_in_its_body_leaves_nothing_behind(tmp_path: Path) -> None:
    async with doors(tmp_path, MORE) as house:
        headers = [*await signed(house), ("Content-Type", "application/json"), ("Content-Length", "100")]
        with raw_http.connect(house.port) as connection:
            connection.sendall(raw_http.request("POST", "/v1/taken", headers, b"{"))
            await asyncio.to_thread(connection.shutdown, socket.SHUT_WR)
            await asyncio.to_thread(raw_http.wait_closed, connection)
        await asyncio.gather(*house.server.server_state.tasks)
        assert not house.server.server_state.connections


async def test_an_old_client_is_answered_and_hung_up_on(tmp_path: Path) -> None:
    async with doors(tmp_path, MORE) as house:
        with raw_http.connect(house.port) as connection:
            connection.sendall(raw_http.request("GET", "/v1/notes", await signed(house), version="HTTP/1.0"))
            said = await asyncio.to_thread(raw_http.wait_closed, connection)
        assert said.startswith(b"HTTP/1.1 200 ")
        assert said.endswith(b"{}")


@pytest.mark.parametrize(
    "data", [b"\x00\x01\x02", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nA\r\n\r\n"]
)
@pytest.mark.logs("uvicorn.error")
async def test_what_is_no_http_is_told_so_and_hung_up_on(tmp_path: Path, data: bytes) -> None:
    async with doors(tmp_path, ENDPOINTS) as house:
        with raw_http.connect(house.port) as connection:
            connection.sendall(data)
            said = await asyncio.to_thread(raw_http.wait_closed, connection)
        assert said.startswith(b"HTTP/1.1 400 ")


@pytest.mark.logs("uvicorn.error")
async def test_any_bytes_leave_the_server_well(tmp_path: Path) -> None:
    chance = random.Random(4747)
    async with doors(tmp_path, MORE) as house:
        good = raw_http.request("POST", "/v1/taken", [*await signed(house), ("Content-Length", "2")], b"{}")
        for _ in range(150):
            data = bytearray(good)
            for _ in range(chance.randint(1, 8)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            cut = chance.randrange(len(data))
            with raw_http.connect(house.port) as connection, contextlib.suppress(OSError):
                connection.sendall(data[:cut])
                await asyncio.sleep(0)
                connection.sendall(data[cut:])
        with raw_http.connect(house.port) as connection:
            connection.sendall(raw_http.request("GET", "/v1/notes", await signed(house)))
            assert (await asyncio.to_thread(raw_http.read_answer, connection)).status == 200
