"""The backend as the bridge sees it: HTTP on the Unix socket, one connection for each request.

The bridge shows its own key, and forwards a browser's token and Origin; the backend alone knows whether they are good.
Answers and events go through as the JSON they came as: they are the browser's to read, not the bridge's.

A stream is asked for in strides: what happens within one comes in one go. Whoever reads along sees no difference, and
most of what a stream costs is waking up for each of its pieces.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NamedTuple, Protocol, cast

from hearth_bridge.answers import Answer
from hearth_bridge.knock import Visitor
from hearth_shared.errors import BackendUnavailable, DeadlineExceeded, HearthError, from_body
from hearth_shared.paths import Home
from hearth_shared.sse import EventStream

_PLAIN_S: Final = 60.0
_SILENT_S: Final = 60.0  # a stream says something every 15 s
_PIECE: Final = 65536
_LARGEST: Final = 64 << 20
STRIDE_MS: Final = 100


class Said(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes


class Listener(Protocol):
    """Who reads a stream."""

    def take(self, events: list[str]) -> None:
        """The JSON of these events, in order."""
        ...

    def is_full(self) -> bool:
        """Whether enough lies unread: nothing more is read until `drained`."""
        ...

    async def drained(self) -> None:
        """Everything was read."""
        ...


class Backend:
    """Its Unix socket, and the bridge's key for it."""

    def __init__(self, socket: str, key: str) -> None:
        self._socket = socket
        self._key = key

    @classmethod
    def of(cls, home: Home) -> "Backend":
        """That of a home. The bridge lives no longer than the backend that started it, so the key stays good."""
        try:
            return cls(str(home.socket), home.key("browser").read_text("ascii").strip())
        except OSError as error:
            raise BackendUnavailable(
                f"The browser's key cannot be read: {error.strerror}.", "Restart Hearth: `hearth down`, `hearth up`."
            ) from error

    async def ask(self, who: Visitor, method: str, path: str, body: bytes | None = None, key: str = "") -> Said:
        """One request and its whole answer, whatever its status."""
        headers = {"Idempotency-Key": key} if key else {}
        with _translated():
            async with asyncio.timeout(_PLAIN_S), self._opened() as (reader, writer):
                writer.write(self._head(who, method, path, body, headers) + (body or b""))
                return await _whole(reader)

    async def follow(
        self, who: Visitor, path: str, after_seq: int | None, listener: Listener, *, stride_ms: int = STRIDE_MS
    ) -> None:
        """A stream's events until its orderly end. Raises the HearthError for which it could not be had, or ended."""
        headers = {"Accept": "text/event-stream"}
        if after_seq is not None:
            headers["Last-Event-ID"] = str(after_seq)
        loop = asyncio.get_running_loop()
        with _translated():
            transport, stream = await loop.create_unix_connection(lambda: _Stream(listener), self._socket)
            try:
                transport.write(self._head(who, "GET", f"{path}?stride_ms={stride_ms}", None, headers))
                await stream.ended
            finally:
                stream.close()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=_PIECE)
        try:
            yield reader, writer
        finally:
            writer.close()

    def _head(self, who: Visitor, method: str, path: str, body: bytes | None, more: Mapping[str, str]) -> bytes:
        """Nothing here can hold a line break: the path is of the list, the rest was checked where it came in."""
        fields = {"Host": "localhost", "Authorization": f"Bearer {self._key}", "Connection": "close", **more}
        if who.token:
            fields |= {"X-Hearth-Token": who.token, "X-Hearth-Origin": who.origin}
        if body is not None:
            fields |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("ascii")


class _Stream(asyncio.Protocol):
    """Reads a stream as it comes, without a task of its own; `ended` is done when it is over."""

    def __init__(self, listener: Listener) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._answer = Answer()
        self._events = EventStream()
        self._refusal = bytearray()
        self._draining: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport
        self._silence = self._loop.call_later(_SILENT_S, self._too_silent)
        self._heard_at = self._loop.time()
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are, without saying so

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            self._take(self._answer.feed(data))
        except HearthError as error:
            return self._over(error)
        if self._answer.complete:
            self._over(from_body(self._answer.status, bytes(self._refusal)) if self._answer.status >= 400 else None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over(BackendUnavailable("The backend closed the stream before its end.", "See: `hearth doctor`."))

    def close(self) -> None:
        """Read no further."""
        for timer in (self._silence, self._draining):
            if timer is not None:
                timer.cancel()
        self._transport.close()

    def _take(self, body: bytes) -> None:
        if self._answer.status >= 400:
            self._refusal += body
            return
        events = self._events.feed(body)
        failed = next((event for event in events if event.type == "error"), None)
        if told := [event.data for event in events if event.type != "error"]:
            self._listener.take(told)
            self._pause_if_full()
        if failed is not None:
            raise from_body(500, failed.data.encode())

    def _pause_if_full(self) -> None:
        if self._listener.is_full() and not self._answer.complete and self._draining is None:
            self._transport.pause_reading()
            self._draining = self._loop.create_task(self._drain())

    async def _drain(self) -> None:
        await self._listener.drained()
        self._draining = None
        self._heard_at = self._loop.time()
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _too_silent(self) -> None:
        """The timer is set once for many pieces: it looks whether it has waited long enough, and waits for the rest."""
        left = self._heard_at + _SILENT_S - self._loop.time()
        if left > 0 or self._draining is not None:
            self._silence = self._loop.call_later(max(left, 1.0), self._too_silent)
        else:
            self._over(DeadlineExceeded("The backend did not answer in time.", "See how it is: `hearth doctor`."))

    def _over(self, error: HearthError | None) -> None:
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)


async def _whole(reader: asyncio.StreamReader) -> Said:
    answer, body = Answer(), bytearray()
    while not answer.complete:
        if not (data := await reader.read(_PIECE)):
            raise BackendUnavailable("The backend closed the connection before its answer.", "See: `hearth doctor`.")
        body += answer.feed(data)
        if len(body) > _LARGEST:
            raise BackendUnavailable("The backend's answer is too large for a browser.", "Ask for less.")
    return Said(answer.status, bytes(body))


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise DeadlineExceeded("The backend did not answer in time.", "See how it is: `hearth doctor`.") from error
    except OSError as error:
        raise BackendUnavailable(
            f"The connection to the backend broke ({error.strerror or type(error).__name__}).",
            "See how it is: `hearth doctor`.",
        ) from error
