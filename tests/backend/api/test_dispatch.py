"""Calls behind the gate: limits of time and number, streams, and clients that go."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hearth_backend.api import event_stream
from hearth_backend.api.endpoint import get, post
from hearth_backend.api.exchange import Call, Reply, Stream
from hearth_shared.errors import ModelFailed
from hearth_shared.protocol.base import Message, Request
from hearth_shared.protocol.principals import Scope
from hearth_shared.settings import Server
from support import raw_http
from support.ask import ask
from support.doors import Doors, doors

pytestmark = pytest.mark.integration


class Note(Request):
    """A body."""

    text: str = ""


class Noted(Message):
    """An answer."""

    length: float


@dataclass
class Handlers:
    """Handlers that a test can hold up and look into."""

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def note(self, call: Call, body: Note) -> Noted:
        return Noted(length=float("inf") if body.text == "endless" else len(body.text))

    async def wait(self, call: Call) -> Reply:
        self.entered.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Reply(b'{"waited":true}')

    async def stream(self, call: Call) -> Stream:
        return Stream(self._pieces(), event_stream.failed)

    async def broken(self, call: Call) -> Stream:
        return Stream(self._broken(), event_stream.failed)

    async def broken_at_once(self, call: Call) -> Stream:
        async def pieces() -> AsyncGenerator[bytes, None]:
            raise ModelFailed("It broke.", "Ask again.")
            yield b""

        return Stream(pieces(), event_stream.failed)

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"data: one\n\n"
            self.entered.set()
            await self.go_on.wait()
            yield b"data: two\n\n"
        finally:
            self.cancelled.set()

    async def _broken(self) -> AsyncGenerator[bytes, None]:
        yield b"data: one\n\n"
        raise ModelFailed("It broke.", "Ask again.")


@dataclass
class House:
    """Open doors, and what is behind them."""

    doors: Doors
    handlers: Handlers
    token: str

    async def ask(self, method: str, path: str, body: bytes = b"") -> raw_http.Answer:
        return await ask(self.doors.port, method, path, self.token, body=body)

    @contextlib.asynccontextmanager
    async def asking(self, path: str) -> AsyncGenerator[asyncio.StreamReader]:
        """A request whose client hangs up at the end of the block."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.doors.port)
        headers = [("Host", f"127.0.0.1:{self.doors.port}"), ("Authorization", f"Bearer {self.token}")]
        writer.write(raw_http.request("GET", path, headers))
        try:
            yield reader
        finally:
            writer.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    handlers = Handlers()
    endpoints = [
        post("/v1/notes", Note, handlers.note, "", answer=Noted, status=201).needing(Scope.CHAT),
        get("/v1/plain", handlers.wait, "").needing(Scope.CHAT),
        get("/v1/model", handlers.wait, "", kind="model").needing(Scope.CHAT),
        get("/v1/stream", handlers.stream, "", kind="lasting").needing(Scope.CHAT),
        get("/v1/broken", handlers.broken, "", kind="model").needing(Scope.CHAT),
        get("/v1/broken-at-once", handlers.broken_at_once, "", kind="model").needing(Scope.CHAT),
    ]
    settings = Server(max_body=4096, model_requests=1, plain_timeout_s=0.5, model_timeout_s=60)
    async with doors(tmp_path, endpoints, settings=settings) as opened:
        yield House(opened, handlers, await opened.token(Scope.CHAT))


async def test_a_model_of_the_wire_is_answered_with_its_status(house: House) -> None:
    answer = await house.ask("POST", "/v1/notes", b'{"text":"four"}')
    assert (answer.status, answer.json()) == (201, {"length": 4.0})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_number_that_json_lacks_is_null(house: House) -> None:
    assert (await house.ask("POST", "/v1/notes", b'{"text":"endless"}')).json() == {"length": None}


async def test_a_body_is_counted_while_it_comes(house: House) -> None:
    chunks = b"".join(b"400\r\n" + b"x" * 1024 + b"\r\n" for _ in range(8))
    headers = [
        ("Host", f"127.0.0.1:{house.doors.port}"),
        ("Authorization", f"Bearer {house.token}"),
        ("Content-Type", "application/json"),
        ("Transfer-Encoding", "chunked"),
    ]
    data = raw_http.request("POST", "/v1/notes", headers, chunks + b"0\r\n\r\n")
    answer = await asyncio.to_thread(raw_http.exchange, house.doors.port, data)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


async def test_a_call_that_takes_too_long_is_told_so(house: House) -> None:
    answer = await house.ask("GET", "/v1/plain")
    assert (answer.status, answer.json()["code"]) == (504, "deadline_exceeded")
    assert house.handlers.cancelled.is_set()


async def test_a_body_that_never_comes_ends_with_the_same_limit(house: House) -> None:
    headers = [
        ("Host", f"127.0.0.1:{house.doors.port}"),
        ("Authorization", f"Bearer {house.token}"),
        ("Content-Type", "application/json"),
        ("Content-Length", "100"),
    ]
    data = raw_http.request("POST", "/v1/notes", headers, b"{")
    answer = await asyncio.to_thread(raw_http.exchange, house.doors.port, data)
    assert (answer.status, answer.headers["connection"]) == (504, "close")


async def test_more_model_requests_than_slots_are_told_to_come_back(house: House) -> None:
    first = asyncio.create_task(house.ask("GET", "/v1/model"))
    await house.handlers.entered.wait()
    second = await house.ask("GET", "/v1/model")
    assert (second.status, second.json()["code"], second.headers["retry-after"]) == (503, "overloaded", "2")
    house.handlers.go_on.set()
    assert (await first).json() == {"waited": True}
    assert (await house.ask("GET", "/v1/model")).status == 200


async def test_a_model_call_ends_when_its_client_goes(house: House) -> None:
    async with house.asking("/v1/model"):
        await house.handlers.entered.wait()
    await asyncio.wait_for(house.handlers.cancelled.wait(), 60)


async def test_a_stream_ends_when_its_client_goes(house: House) -> None:
    async with house.asking("/v1/stream") as reader:
        await reader.readuntil(b"data: one\n\n")
        await house.handlers.entered.wait()
    await asyncio.wait_for(house.handlers.cancelled.wait(), 60)
    assert len(house.doors.connections) == 0


async def test_a_stream_is_longer_than_a_plain_call_may_be(house: House) -> None:
    async with house.asking("/v1/stream") as reader:
        await reader.readuntil(b"data: one\n\n")
        asyncio.get_running_loop().call_later(1.0, house.handlers.go_on.set)
        await asyncio.wait_for(reader.readuntil(b"data: two\n\n"), 60)


async def test_a_stream_that_breaks_says_so(house: House) -> None:
    async with house.asking("/v1/broken") as reader:
        await reader.readuntil(b"event: error")
        assert b'"code":"model_failed"' in await reader.readuntil(b"0\r\n\r\n")


async def test_a_stream_that_breaks_before_its_first_piece_is_an_ordinary_error(house: House) -> None:
    answer = await house.ask("GET", "/v1/broken-at-once")
    assert (answer.status, answer.json()["code"]) == (502, "model_failed")


async def test_revoking_answers_a_call_that_has_not_begun_its_answer(house: House) -> None:
    asked = asyncio.create_task(house.ask("GET", "/v1/model"))
    await house.handlers.entered.wait()
    client = (await house.doors.clients.list()).clients[0].id
    await house.doors.clients.revoke(client)
    assert (await asked).status == 401
    assert house.handlers.cancelled.is_set()


async def test_a_stop_tells_who_still_waits(house: House) -> None:
    asked = asyncio.create_task(house.ask("GET", "/v1/model"))
    await house.handlers.entered.wait()
    house.doors.connections.stop(endless_only=False)
    answer = await asked
    assert (answer.status, answer.json()["code"]) == (503, "backend_unavailable")
