import asyncio
from pathlib import Path

import pytest

from hearth_bridge.backend import Backend
from hearth_bridge.knock import Visitor
from hearth_shared.errors import BackendUnavailable, DeadlineExceeded, Overloaded, Unauthorized
from hearth_shared.paths import Home
from support.backend import Backend as House
from support.bridge import Paired

pytestmark = pytest.mark.integration


class Heard:
    """Whoever reads a stream, and what was told."""

    def __init__(self, *, full: int = 0) -> None:
        self.events: list[str] = []
        self.drains = 0
        self._full = full

    def take(self, events: list[str]) -> None:
        self.events += events

    def is_full(self) -> bool:
        return bool(self._full) and len(self.events) % self._full == 0

    async def drained(self) -> None:
        self.drains += 1


async def test_a_browsers_token_and_origin_open_the_backend(house: House, paired: Paired) -> None:
    said = await Backend.of(house.home).ask(Visitor(paired.origin, paired.token), "GET", "/v1/status")
    assert said.status == 200
    assert said.body.startswith(b"{")


async def test_without_them_the_bridge_itself_may_ask_nothing(house: House) -> None:
    said = await Backend.of(house.home).ask(Visitor("x", ""), "GET", "/v1/status")
    assert said.status in (401, 403)


async def test_a_stream_that_is_refused_says_why(house: House, paired: Paired) -> None:
    with pytest.raises(Unauthorized):
        await Backend.of(house.home).follow(Visitor(paired.origin, "hth_00_x"), "/v1/events", None, Heard())


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
            await Backend(place, "key").follow(Visitor("x", "t"), "/v1/events", 7, Heard())


@pytest.mark.parametrize("full", [0, 1])
async def test_a_stream_is_read_to_its_end_also_by_a_slow_reader(full: int, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(5):
            event = b'id: %d\nevent: x\ndata: {"seq":%d}\n\n' % (number, number)
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"0\r\n\r\n")
        writer.close()

    heard = Heard(full=full)
    async with await asyncio.start_unix_server(answer, str(tmp_path / "s")):
        await Backend(str(tmp_path / "s"), "key").follow(Visitor("x", "t"), "/v1/events", None, heard, stride_ms=1)
    assert heard.events == [f'{{"seq":{number}}}' for number in range(5)]
    assert bool(heard.drains) is bool(full)


async def test_a_stream_that_ends_with_an_error_says_which(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        event = b'event: error\ndata: {"code":"overloaded","status":503,"detail":"Too slow."}\n\n'
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(event), event))
        writer.close()

    async with await asyncio.start_unix_server(answer, str(tmp_path / "s")):
        with pytest.raises(Overloaded, match="Too slow"):
            await Backend(str(tmp_path / "s"), "key").follow(Visitor("x", "t"), "/v1/events", None, Heard())
