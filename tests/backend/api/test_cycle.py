"""A cycle turns ASGI messages into exactly the bytes of HTTP/1.1, and a request's pieces into messages."""

import asyncio

import pytest

from hearth_backend.api.asgi import Headers
from hearth_backend.api.cycle import Cycle

pytestmark = pytest.mark.unit


class Line:
    """A connection that remembers."""

    def __init__(self) -> None:
        self.written = b""
        self.drained = 0
        self.is_paused = False

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None:
        self.drained += 1

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


def cycle(line: Line, method: str = "GET", version: str = "1.1", *, keep: bool = True, expects: bool = False) -> Cycle:
    return Cycle(line, {"method": method, "http_version": version}, keep_alive=keep, expects_continue=expects)


async def answer(one: Cycle, headers: Headers, *bodies: bytes, status: int = 200) -> None:
    await one.send({"type": "http.response.start", "status": status, "headers": headers})
    for number, body in enumerate(bodies, 1):
        await one.send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})


async def test_head_and_body_leave_in_one_write() -> None:
    line = Line()
    one = cycle(line)
    await one.send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    assert line.written == b""
    await one.send({"type": "http.response.body", "body": b"{}"})
    assert line.written == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    assert one.is_answered
    assert one.keep_alive


async def test_an_answer_without_a_length_goes_in_chunks() -> None:
    line = Line()
    await answer(cycle(line), [(b"a", b"b")], b"one", b"", b"three", b"")
    head, _, body = line.written.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 200 OK\r\na: b\r\ntransfer-encoding: chunked"
    assert body == b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"
    assert line.drained == 3


async def test_an_old_client_gets_no_chunks_and_a_closed_connection() -> None:
    line = Line()
    one = cycle(line, version="1.0")
    await answer(one, [], b"one", b"two")
    assert line.written == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonetwo"
    assert not one.keep_alive


async def test_a_head_request_gets_the_head_alone() -> None:
    line = Line()
    await answer(cycle(line, "HEAD"), [(b"content-length", b"5")], b"12345", status=405)
    assert line.written == b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 5\r\n\r\n"


async def test_an_answer_that_closes_says_so_once() -> None:
    line = Line()
    one = cycle(line)
    await answer(one, [(b"connection", b"close"), (b"content-length", b"0")], b"")
    assert line.written.count(b"connection: close") == 1
    assert not one.keep_alive


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb"])
async def test_a_header_with_a_line_break_is_never_sent(value: bytes) -> None:
    line = Line()
    with pytest.raises(RuntimeError):
        await answer(cycle(line), [(b"allow", value), (b"content-length", b"0")], b"")
    assert line.written == b""


@pytest.mark.parametrize("body", [b"123456", b"1234"])
async def test_an_answer_of_another_length_than_said_is_a_fault(body: bytes) -> None:
    with pytest.raises(RuntimeError):
        await answer(cycle(Line()), [(b"content-length", b"5")], body)


async def test_a_body_is_given_as_it_comes() -> None:
    line = Line()
    one = cycle(line, "POST")
    reading = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    one.body(b"ab")
    one.body(b"cd")
    assert await reading == {"type": "http.request", "body": b"abcd", "more_body": True}
    one.end()
    assert await one.receive() == {"type": "http.request", "body": b"", "more_body": False}
    waiting = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    assert not waiting.done()
    one.gone()
    assert await waiting == {"type": "http.disconnect"}


async def test_a_body_that_nobody_reads_is_held_back() -> None:
    line = Line()
    one = cycle(line, "POST")
    one.body(b"x" * 70_000)
    assert line.is_paused
    await one.receive()
    reading = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    assert not line.is_paused
    one.end()
    await reading


async def test_a_client_that_asks_first_is_told_to_go_on_once() -> None:
    line = Line()
    one = cycle(line, "POST", expects=True)
    one.body(b"x")
    one.end()
    await one.receive()
    await answer(one, [(b"content-length", b"0")], b"")
    assert line.written.count(b"100 Continue") == 1


async def test_the_end_of_the_answer_ends_the_wait_for_the_client() -> None:
    one = cycle(Line())
    one.end()
    await one.receive()
    waiting = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    await answer(one, [(b"content-length", b"0")], b"")
    assert await waiting == {"type": "http.disconnect"}


async def test_a_failure_before_the_answer_is_said() -> None:
    line = Line()
    one = cycle(line)
    await one.fail()
    assert line.written.startswith(b"HTTP/1.1 500 ")
    assert not one.keep_alive


async def test_a_failure_in_the_answer_never_looks_whole() -> None:
    line = Line()
    one = cycle(line)
    await one.send({"type": "http.response.start", "status": 200, "headers": []})
    await one.send({"type": "http.response.body", "body": b"half", "more_body": True})
    await one.fail()
    assert line.written.endswith(b"4\r\nhalf\r\n")
    assert not one.keep_alive


async def test_nothing_is_sent_to_somebody_who_has_gone() -> None:
    line = Line()
    one = cycle(line)
    one.gone()
    await answer(one, [(b"content-length", b"0")], b"")
    assert line.written == b""
