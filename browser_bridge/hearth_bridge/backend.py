"""The backend as the bridge sees it: HTTP on the Unix socket, one connection for each request.

The bridge shows its own key, and forwards a browser's token and Origin; the backend alone knows whether they are good.
Answers and events go through as the JSON they came as: they are the browser's to read, not the bridge's.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NamedTuple

from hearth_bridge.answers import Answer
from hearth_bridge.knock import Visitor
from hearth_shared.errors import BackendUnavailable, DeadlineExceeded, from_body
from hearth_shared.paths import Home
from hearth_shared.sse import EventStream, ServerEvent

_PLAIN_S: Final = 60.0
_SILENT_S: Final = 60.0  # a stream says something every 15 s
_PIECE: Final = 65536
_LARGEST: Final = 64 << 20


class Said(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes


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
            async with asyncio.timeout(_PLAIN_S), self._sent(who, method, path, body, headers) as reader:
                return await _whole(reader)

    async def follow(self, who: Visitor, path: str, after_seq: int | None) -> AsyncGenerator[ServerEvent]:
        """A stream's events until its orderly end. Raises the HearthError for which it could not be had, or ended."""
        headers = {"Accept": "text/event-stream"}
        if after_seq is not None:
            headers["Last-Event-ID"] = str(after_seq)
        with _translated():
            async with self._sent(who, "GET", path, None, headers) as reader:
                async for event in _events(reader):
                    yield event

    @asynccontextmanager
    async def _sent(
        self, who: Visitor, method: str, path: str, body: bytes | None, more: Mapping[str, str]
    ) -> AsyncGenerator[asyncio.StreamReader]:
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=_PIECE)
        try:
            writer.write(self._head(who, method, path, body, more) + (body or b""))
            await writer.drain()
            yield reader
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


async def _whole(reader: asyncio.StreamReader) -> Said:
    answer, body = Answer(), bytearray()
    while not answer.complete:
        if not (data := await reader.read(_PIECE)):
            raise BackendUnavailable("The backend closed the connection before its answer.", "See: `hearth doctor`.")
        body += answer.feed(data)
        if len(body) > _LARGEST:
            raise BackendUnavailable("The backend's answer is too large for a browser.", "Ask for less.")
    return Said(answer.status, bytes(body))


async def _events(reader: asyncio.StreamReader) -> AsyncGenerator[ServerEvent]:
    answer, stream, refusal = Answer(), EventStream(), bytearray()
    while not answer.complete:
        async with asyncio.timeout(_SILENT_S):
            data = await reader.read(_PIECE)
        if not data:
            raise BackendUnavailable("The backend closed the stream before its end.", "See: `hearth doctor`.")
        body = answer.feed(data)
        if answer.status >= 400:
            refusal += body
            continue
        for event in stream.feed(body):
            if event.type == "error":
                raise from_body(500, event.data.encode())
            yield event
    if answer.status >= 400:
        raise from_body(answer.status, bytes(refusal))


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
