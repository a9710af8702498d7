"""One request and its answer on a connection: ASGI messages to and from bytes (HTTP/1.1, RFC 9112).

uvicorn's own cycle costs more than everything Hearth does for a small request (docs/decisions/0016): it makes a task,
an event and a timer for each, and looks at every header of ours three times. This one makes none of them.
"""

import asyncio
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any, Final, Protocol

from hearth_backend.api.asgi import Headers, Message, Scope

_STATUS: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_GONE: Final[Message] = {"type": "http.disconnect"}
_WITHOUT_BODY: Final = frozenset({204, 304})
_UNREAD_BYTES: Final = 65_536
_FAILED: Final = b"Internal Server Error"
_FAILED_HEAD: Final[Headers] = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", str(len(_FAILED)).encode()),
    (b"connection", b"close"),
]


class Line(Protocol):
    """The connection as its requests see it."""

    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None:
        """Return when the other side has read enough of what was written."""
        ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Cycle:
    """A request while it comes and its answer while it goes; `receive` and `send` are the application's."""

    __slots__ = (
        "_answer",
        "_body",
        "_expects_continue",
        "_has_news",
        "_is_chunked",
        "_left",
        "_line",
        "_more",
        "_start",
        "_waiter",
        "is_answered",
        "is_gone",
        "keep_alive",
        "scope",
    )

    def __init__(self, line: Line, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> None:
        self._line = line
        self.scope = scope
        self.keep_alive = keep_alive
        self.is_gone = False
        self.is_answered = False
        self._expects_continue = expects_continue
        self._body = b""
        self._more = True
        self._has_news = False
        self._waiter: asyncio.Future[None] | None = None
        self._start: MutableMapping[str, Any] | None = None
        self._answer = False
        self._is_chunked = False
        self._left = -1

    # -- the connection's side

    def body(self, data: bytes) -> None:
        """A piece of the body came; whoever reads is told, and nothing more is taken while nobody does."""
        if self.is_answered:
            return
        self._body += data
        if len(self._body) > _UNREAD_BYTES:
            self._line.pause_reading()
        self._tell()

    def end(self) -> None:
        """The request is here in full."""
        self._more = False
        self._tell()

    def gone(self) -> None:
        """The client went away."""
        self.is_gone = True
        self._tell()

    def _tell(self) -> None:
        self._has_news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- the application's side

    async def receive(self) -> Message:
        """The next of the body; once it is over, and when the client is gone or answered, `http.disconnect`."""
        if self._expects_continue:
            self._expects_continue = False
            self._line.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not (self._has_news or self.is_gone or self.is_answered):
            self._line.resume_reading()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self.is_gone or self.is_answered:
            return _GONE
        self._has_news = False
        body, self._body = self._body, b""
        return {"type": "http.request", "body": body, "more_body": self._more}

    async def send(self, message: Message) -> None:
        """`http.response.start` is kept until the first of the body, so that both leave in one write."""
        if self.is_gone:
            return
        if self._start is None:
            self._start = message
            return
        head = b"" if self._answer else self._head(self._start)
        self._answer = True
        more = message.get("more_body", False)
        self._line.write(head + self._framed(message.get("body", b""), more))
        if not more:
            self._ended()
        else:
            await self._line.drain()

    async def fail(self) -> None:
        """The application broke, or left without an answer: say so, or cut off what can no longer be whole."""
        if not self._answer:
            self._start = None
            await self.send({"type": "http.response.start", "status": 500, "headers": _FAILED_HEAD})
            await self.send({"type": "http.response.body", "body": _FAILED})
        self.keep_alive = False

    def _ended(self) -> None:
        if self._left > 0:
            raise RuntimeError("the answer is shorter than its content-length")
        self.is_answered = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _head(self, start: Message) -> bytes:
        status: int = start["status"]
        headers: Headers = start["headers"]
        said = [_STATUS[status]]
        for name, value in headers:
            said.append(b"%b: %b\r\n" % (name, value))
            if name == b"content-length":
                self._left = int(value)
            elif name == b"connection":
                self.keep_alive = self.keep_alive and value != b"close"
        if self._left < 0 and status not in _WITHOUT_BODY and self.scope["method"] != "HEAD":
            self._is_chunked = self.scope["http_version"] == "1.1"
            if self._is_chunked:
                said.append(b"transfer-encoding: chunked\r\n")
            else:
                self.keep_alive = False  # its end is the connection's
        if not self.keep_alive and (b"connection", b"close") not in headers:
            said.append(b"connection: close\r\n")
        head = b"".join(said)
        if head.count(b"\n") != len(said) or head.count(b"\r") != len(said):
            raise RuntimeError("a header holds a line break")
        return head + b"\r\n"

    def _framed(self, body: bytes, more: bool) -> bytes:
        if self._is_chunked:
            piece = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return piece if more else piece + b"0\r\n\r\n"
        if self.scope["method"] == "HEAD":
            self._left = 0
            return b""
        if self._left >= 0:
            if len(body) > self._left:
                raise RuntimeError("the answer is longer than its content-length")
            self._left -= len(body)
        return body
