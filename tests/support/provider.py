"""A model server on loopback that speaks OpenAI's dialect and fails on demand; every byte on the wire is ours.

    async with model_server(words("one ", "two")) as server:
        … server.url, server.requests …

Each call takes the next behaviour; the last one repeats.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Reply:
    """Writes one HTTP reply by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    framing: str = "chunked"

    def whole(self, body: bytes, status: int = 200, kind: str = "application/json", extra: str = "") -> None:
        """A reply with its length."""
        self.writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{extra}"
            "connection: close\r\n\r\n".encode()
            + body
        )

    def json(self, value: Any, status: int = 200, extra: str = "") -> None:
        """A JSON reply."""
        self.whole(json.dumps(value).encode(), status, extra=extra)

    def start(self, kind: str = "text/event-stream") -> None:
        """The head of a stream."""
        framing = "transfer-encoding: chunked\r\n" if self.framing == "chunked" else ""
        self.writer.write(f"HTTP/1.1 200 X\r\ncontent-type: {kind}\r\n{framing}connection: close\r\n\r\n".encode())

    def raw(self, data: bytes) -> None:
        """Bytes of a stream."""
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data) if self.framing == "chunked" else data)

    def event(self, value: Any) -> None:
        """One server-sent event."""
        self.raw(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode())

    def delta(self, finish: str | None = None, **delta: Any) -> None:
        """One chunk of an answer."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})

    def usage(self, read: int, written: int, cached: int = 0) -> None:
        """The chunk that counts."""
        details = {"prompt_tokens_details": {"cached_tokens": cached}}
        self.event({"choices": [], "usage": {"prompt_tokens": read, "completion_tokens": written, **details}})

    def end(self) -> None:
        """An orderly end of the bytes, whatever was said before."""
        if self.framing == "chunked":
            self.writer.write(b"0\r\n\r\n")

    def done(self) -> None:
        """The terminator, and the end."""
        self.event("[DONE]")
        self.end()

    async def sent(self) -> None:
        """Everything so far is on its way."""
        await self.writer.drain()

    async def hang(self) -> None:
        """Say nothing more until the other side hangs up."""
        while await self.reader.read(65536):
            pass


Behaviour = Callable[[Reply, Received], Awaitable[None]]


@dataclass
class ModelServer:
    """What the server saw, and what it does next."""

    behaviours: list[Behaviour]
    models: Sequence[str] = ("m",)
    framing: str = "chunked"
    key: str = ""  # without it, nobody gets in
    anywhere: bool = False  # whether it lists its models under every address
    port: int = 0
    connections: int = 0
    requests: list[Received] = field(default_factory=list[Received])
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    _talks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def calls(self) -> list[Received]:
        """The requests that were not for the listing."""
        return [request for request in self.requests if request.method == "POST"]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new connection."""
        self.connections += 1
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def hang_up(self) -> None:
        """End every connection."""
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.requests.append(request)
            reply = Reply(reader, writer, self.framing)
            if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
                await refuses(401, "wrong key")(reply, request)
            elif request.method == "GET" and (self.anywhere or request.path == "/v1/models"):
                reply.json({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})
            else:
                await self._next()(reply, request)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.hung_up.set()
            writer.close()

    def _next(self) -> Behaviour:
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name
    }
    length = int(headers.get("content-length", "0"))
    body = await reader.readexactly(length) if length else b""
    return Received(method, path, headers, json.loads(body) if body else None)


@asynccontextmanager
async def model_server(
    *behaviours: Behaviour, models: Sequence[str] = ("m",), framing: str = "chunked"
) -> AsyncGenerator[ModelServer]:
    """A server on a free port, closed with the block."""
    server = ModelServer([*behaviours] or [words("fallback ", "ok")], models, framing)
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.hang_up()


# -- what it can do


def words(*texts: str, read: int = 7, written: int = 3, finish: str = "stop", counts: bool = True) -> Behaviour:
    """A whole answer."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for text in texts:
            if request.path.endswith("/chat/completions"):
                reply.delta(content=text)
            else:
                reply.event({"choices": [{"index": 0, "text": text, "finish_reason": None}]})
        reply.delta(finish)
        if counts:
            reply.usage(read, written, cached=2)
        reply.done()

    return behave


def echo() -> Behaviour:
    """A whole answer that repeats the last message in two pieces."""

    async def behave(reply: Reply, request: Received) -> None:
        text = request.body["messages"][-1]["content"]
        reply.start()
        reply.delta(content=text[: len(text) // 2])
        reply.delta(content=text[len(text) // 2 :])
        reply.delta("stop")
        reply.done()

    return behave


def tool_call(name: str, *pieces: str, finish: str = "tool_calls", call_id: str = "call_a") -> Behaviour:
    """An answer that calls a tool, its arguments in pieces."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        reply.delta(
            tool_calls=[{"index": 0, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}]
        )
        for piece in pieces:
            reply.delta(tool_calls=[{"index": 0, "function": {"arguments": piece}}])
        reply.delta(finish)
        reply.usage(9, 4)
        reply.done()

    return behave


def vectors(*rows: Sequence[float]) -> Behaviour:
    """Embeddings."""

    async def behave(reply: Reply, request: Received) -> None:
        data = [{"object": "embedding", "index": n, "embedding": list(row)} for n, row in enumerate(rows)]
        reply.json({"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 5, "total_tokens": 5}})

    return behave


def refuses(status: int, said: str = "no", retry_after: str = "") -> Behaviour:
    """An error status."""

    async def behave(reply: Reply, request: Received) -> None:
        extra = f"retry-after: {retry_after}\r\n" if retry_after else ""
        reply.json({"error": {"message": said, "type": "x"}}, status, extra)

    return behave


def html() -> Behaviour:
    """A captive portal: HTML with status 200."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.whole(b"<html>captive portal</html>", kind="text/html")

    return behave


def never_answers() -> Behaviour:
    """No byte at all."""

    async def behave(reply: Reply, request: Received) -> None:
        await reply.hang()

    return behave


def stalls() -> Behaviour:
    """One word, then silence."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        reply.delta(content="one ")
        await reply.sent()
        await reply.hang()

    return behave


def cut_off(*texts: str, orderly: bool) -> Behaviour:
    """An answer without its end: the connection reset, or (worse) closed as if all were well."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for text in texts or ("one ", "two "):
            reply.delta(content=text)
        await reply.sent()
        if orderly:
            reply.end()
        else:
            reply.writer.transport.abort()

    return behave


def unterminated(*texts: str) -> Behaviour:
    """An answer that says it is finished, and closes in good order without the terminator."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for text in texts or ("one ",):
            reply.delta(content=text)
        reply.delta("stop")
        reply.end()

    return behave


def redirects(url: str) -> Behaviour:
    """Go elsewhere, and take your words and your key along."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.whole(b"", 307, extra=f"location: {url}\r\n")

    return behave


def says(*events: Any, end: bool = True) -> Behaviour:
    """A stream of exactly these events."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for event in events:
            reply.event(event)
        if end:
            reply.done()

    return behave


def floods(line: bool) -> Behaviour:
    """A line, or an answer, that never ends."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        while not reply.writer.is_closing():
            if line:
                reply.raw(b"x" * 65536)
            else:
                reply.delta(content="x" * 65536)
            await reply.sent()

    return behave
