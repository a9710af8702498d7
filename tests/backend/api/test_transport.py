"""Connections that misuse the server before any request is read."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from hearth_backend.api.endpoint import get
from hearth_backend.api.exchange import Call, Reply
from hearth_backend.api.transport import Rules, peer_uid
from hearth_shared.protocol.principals import Door, Scope
from support import raw_http
from support.ask import ask
from support.doors import doors

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
