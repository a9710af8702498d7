"""T30: too much, too often, too slow, too deep: refused, while others are served."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from hearth_shared.protocol.principals import Scope
from support import raw_http
from support.backend import Backend

pytestmark = pytest.mark.security

MEBI = 1024 * 1024


@pytest.fixture(scope="module")
def token(shared_backend: Backend) -> str:
    return shared_backend.token(Scope.TASKS, Scope.STATUS, Scope.CHAT).text


def headers(backend: Backend, token: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    host = ("Host", f"127.0.0.1:{backend.port}")
    return [host, ("Authorization", f"Bearer {token}"), ("Content-Type", "application/json"), *more]


@pytest.mark.parametrize("length", [str(MEBI + 1), "9" * 14, "9" * 18])
def test_a_body_that_announces_too_much_is_not_even_read(backend: Backend, token: str, length: str) -> None:
    asked = raw_http.request("POST", "/v1/threads", headers(backend, token, ("Content-Length", length)))
    answer = raw_http.exchange(backend.port, asked)
    assert (answer.status, answer.headers.get("connection")) == (413, "close")


def test_a_body_at_the_limit_is_read(backend: Backend, token: str) -> None:
    text = b'{"title":"' + b"x" * (MEBI - 12) + b'"}'
    asked = headers(backend, token, ("Content-Length", str(len(text))))
    answer = raw_http.exchange(backend.port, raw_http.request("POST", "/v1/threads", asked, text))
    assert answer.status == 422  # read, and the title is too long


def test_an_endless_body_is_cut_off(backend: Backend, token: str) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with raw_http.connect(backend.port) as connection:
        asked = headers(backend, token, ("Transfer-Encoding", "chunked"))
        connection.sendall(raw_http.request("POST", "/v1/threads", asked))
        for _ in range(17):
            connection.sendall(chunk)
        assert raw_http.read_answer(connection).status == 413


@pytest.mark.parametrize("deep", ["[", '{"a":', '{"context":{"files":['])
def test_a_bomb_of_depth_is_a_wrong_body(backend: Backend, token: str, deep: str) -> None:
    bomb = (deep * 100_000)[: MEBI // 2].encode()
    for path in ("/v1/agents/assistant/tasks", "/v1/chat/completions"):
        answer = backend.over_tcp(token).post(path, content=bomb, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), path
    assert backend.over_tcp(token).get("/healthz").status_code == 200


def test_a_frame_too_large_ends_the_websocket(backend: Backend, token: str) -> None:
    authorized = {"Authorization": f"Bearer {token}"}
    with connect(f"ws://127.0.0.1:{backend.port}/v1/events", additional_headers=authorized) as socket:
        socket.send("x" * (MEBI + 1))
        with pytest.raises(ConnectionClosed) as ended:
            socket.recv(timeout=30)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1009


async def test_many_idle_connections_keep_nobody_out(backend: Backend, token: str) -> None:
    idle = [raw_http.connect(backend.port) for _ in range(200)]
    try:
        answer = await asyncio.to_thread(backend.over_tcp(token).get, "/v1/status")
        assert answer.status_code == 200
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00" * 100,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_bytes_that_are_no_request_are_answered_and_forgotten(backend: Backend, nonsense: bytes) -> None:
    answer = raw_http.exchange(backend.port, nonsense)
    assert answer.status in (400, 401, 403)
    assert backend.over_tcp("").get("/healthz").status_code == 200
