"""Every way in which a server of models was seen to fail: before its first word (`OPENING`), in the middle of an answer
(`MIDDLE`), when it has begun to say BEGUN, or to call a tool where `tools` is set."""

import socket
import struct
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from types import MappingProxyType
from typing import Final

from support import provider
from support.provider import Behaviour, Received, Reply

BEGUN: Final = "one two "
Fault = Callable[[bool], Behaviour]
_HALF: Final = '{"path": "/home/u/no'


def _begin(reply: Reply, tools: bool) -> None:
    if tools:
        function = {"name": "t", "arguments": _HALF}
        reply.delta(tool_calls=[{"index": 0, "id": "call_a", "type": "function", "function": function}])
        return
    for word in ("one ", "two "):
        reply.delta(content=word)


def _broken(*then: Callable[[Reply], object], hangs: bool = False) -> Fault:
    """A beginning, what comes `then`, and the end of the connection."""

    def fault(tools: bool) -> Behaviour:
        async def behave(reply: Reply, request: Received) -> None:
            reply.start()
            _begin(reply, tools)
            await reply.sent()
            for step in then:
                step(reply)
            await reply.sent()
            if hangs:
                await reply.hang()

        return behave

    return fault


def _reset(reply: Reply) -> None:
    """Not an end but a reset: what the other side has not read yet may be lost to it."""
    reply.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reply.writer.transport.abort()


def _closed_as_if_whole(tools: bool) -> Behaviour:
    """No length, no chunks: only the end of the connection says that it is over."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.framing = "close"
        reply.start()
        _begin(reply, tools)
        await reply.sent()

    return behave


def _of_length(promised: int) -> Fault:
    """A Content-Length that is not the body's."""

    def fault(tools: bool) -> Behaviour:
        async def behave(reply: Reply, request: Received) -> None:
            reply.framing = "close"
            head = f"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ncontent-length: {promised}\r\n"
            reply.writer.write(f"{head}connection: close\r\n\r\n".encode())
            _begin(reply, tools)
            await reply.sent()

        return behave

    return fault


def _cut_tool_call(tools: bool) -> Behaviour:
    """Said to be finished by its length in the middle of its arguments; a text like that is whole, so it is reset."""
    ending: tuple[Callable[[Reply], object], ...] = (
        (lambda reply: reply.delta("length"), Reply.done) if tools else (_reset,)
    )
    return _broken(*ending)(tools)


def _always(behaviour: Behaviour) -> Fault:
    return lambda tools: behaviour


def _large_body() -> Behaviour:
    """64 MiB in place of an answer."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.writer.write(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 67108864\r\n\r\n")
        for _ in range(1024):
            reply.writer.write(b"x" * 65536)
            await reply.sent()

    return behave


def _date_in(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


SILENT: Final = frozenset({"slow first byte", "stall"})
"""Those that only patience ends."""
OPENING: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "429 with seconds": _always(provider.refuses(429, retry_after="3600")),
        "429 with a date": _always(provider.refuses(429, retry_after=_date_in(600))),
        "500": _always(provider.refuses(500)),
        "503": _always(provider.refuses(503)),
        "wrong key": _always(provider.refuses(401)),
        "unknown model": _always(provider.refuses(404)),
        "unsupported field": _always(provider.refuses(400)),
        "slow first byte": _always(provider.never_answers()),
        "HTML with 200": _always(provider.html()),
        "64 MiB body": _always(_large_body()),
        "error event first": _always(provider.says({"error": {"message": "overloaded"}})),
        "endless line": _always(provider.floods(line=True)),
    }
)
MIDDLE: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "clean close without finish": _broken(Reply.end),
        "terminator without finish": _broken(Reply.done),
        "finish without terminator": _broken(lambda reply: reply.delta("stop"), Reply.end),
        "abort in a chunked body": _broken(lambda reply: reply.writer.write(b"ff\r\ndata: {")),
        "reset": _broken(_reset),
        "close-delimited body": _closed_as_if_whole,
        "more promised than sent": _of_length(100_000),
        "less promised than sent": _of_length(60),
        "malformed event": _broken(lambda reply: reply.event("{not json"), Reply.done),
        "error event": _broken(lambda reply: reply.event({"error": {"message": "overloaded"}}), Reply.done),
        "stall": _broken(hangs=True),
        "tool call cut by its length": _cut_tool_call,
    }
)
