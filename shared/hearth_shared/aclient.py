"""The same as client.py for programs that live on an asyncio loop: h11 over asyncio's streams."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import h11

from hearth_shared.discovery import START, Address, PortDoor, SocketDoor
from hearth_shared.errors import BackendUnavailable, DeadlineExceeded, from_body
from hearth_shared.paths import Home
from hearth_shared.repeating import may_be_repeated
from hearth_shared.sse import Following
from hearth_shared.wire import Event

_PLAIN_S = 60.0
_SILENT_S = 60.0


class AsyncBackendClient:
    """The backend as a first-party door sees it; `AsyncBackendClient.at_port` is the same for a third party.

    Every problem arrives as the HearthError it was made from. Closing an iterator of events closes its connection.
    """

    def __init__(self, home: Home, door: str, *, start: bool = True, command: Sequence[str] = START) -> None:
        self._door: SocketDoor | PortDoor = SocketDoor(home, door, start=start, command=command)

    @classmethod
    def at_port(cls, port: int, token: str, *, host: str = "127.0.0.1") -> "AsyncBackendClient":
        """Through the HTTP door of this machine, with a token."""
        client = cls.__new__(cls)
        client._door = PortDoor(port, token, host=host)
        return client

    async def request(self, method: str, path: str, body: Any = None, *, key: str = "", limit: float = _PLAIN_S) -> Any:
        """The JSON answer, of the type that `wire` names for it.

        `key` is the Idempotency-Key of a request that must not be done twice.
        """
        headers = {"Idempotency-Key": key} if key else {}
        asked = (method, path, body, headers, limit)
        address = await self._address()
        try:
            return await _whole(address, *asked)
        except BackendUnavailable:
            if not may_be_repeated(method, path, key):
                raise
        return await _whole(await self._address(), *asked)  # it was ending as we came

    async def events(
        self, path: str, body: Any = None, *, key: str = "", after_seq: int | None = None, ends: bool = True
    ) -> AsyncGenerator[Event]:
        """The events of a stream in order, each once; with `body` the stream is opened by a POST.

        A broken connection is opened again where it broke. With `ends` it is over when its run is.
        """
        following = Following(path, body, key=key or os.urandom(16).hex(), after_seq=after_seq, ends=ends)
        while not following.done:
            address = await self._address()
            try:
                async with aclosing(_events(address, following)) as events:
                    async for event in events:
                        yield event
            except (BackendUnavailable, DeadlineExceeded):
                if (pause := following.pause()) is None:
                    raise
                await asyncio.sleep(pause)

    async def _address(self) -> Address:
        return await asyncio.to_thread(self._door.address)


async def _whole(address: Address, method: str, path: str, body: Any, headers: Mapping[str, str], limit: float) -> Any:
    with _translated():
        async with asyncio.timeout(limit), _Exchange.opened(address) as exchange:
            text = await exchange.whole(method, path, body, {**address.headers(body), **headers})
    return json.loads(text) if text else {}


async def _events(address: Address, following: Following) -> AsyncGenerator[Event]:
    method, path, body, headers = following.ask()
    with _translated():
        async with _Exchange.opened(address) as exchange:
            async with asyncio.timeout(_SILENT_S):
                await exchange.begin(method, path, body, {**address.headers(body), **headers})
            while not following.done:
                async with asyncio.timeout(_SILENT_S):
                    data = await exchange.more()
                if not data:
                    raise BackendUnavailable("The backend closed the stream before its end.")
                for event in following.feed(data):
                    yield event


class _Exchange:
    """One request and its answer on a connection of their own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._wire = h11.Connection(h11.CLIENT)

    @classmethod
    @asynccontextmanager
    async def opened(cls, address: Address) -> AsyncGenerator["_Exchange"]:
        if address.socket is None:
            reader, writer = await asyncio.open_connection(address.host, address.port)
        else:
            reader, writer = await asyncio.open_unix_connection(address.socket)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def whole(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> bytes:
        await self.begin(method, path, body, headers)
        return await self._rest()

    async def begin(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> None:
        """Send the request and read the answer's head. Raises the HearthError that a problem was made from.

        It goes out in one piece: a backend that refuses it by its head alone would close, and a body that comes after
        that breaks the connection before the refusal is read.
        """
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        fields = [*headers.items(), ("Connection", "close")]
        if body is not None:
            fields.append(("Content-Length", str(len(data))))
        request = (h11.Request(method=method, target=path, headers=fields), h11.Data(data), h11.EndOfMessage())
        self._writer.write(b"".join(self._wire.send(event) or b"" for event in request))
        await self._writer.drain()
        event = await self._next()
        while isinstance(event, h11.InformationalResponse):
            event = await self._next()
        if isinstance(event, h11.Response) and event.status_code >= 400:
            raise from_body(event.status_code, await self._rest())

    async def more(self) -> bytes:
        """The next piece of the body; empty at its end."""
        event = await self._next()
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    async def _rest(self) -> bytes:
        pieces: list[bytes] = []
        while piece := await self.more():
            pieces.append(piece)
        return b"".join(pieces)

    async def _next(self) -> object:
        while (event := self._wire.next_event()) is h11.NEED_DATA:
            self._wire.receive_data(await self._reader.read(65536))
        return event


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise DeadlineExceeded("The backend did not answer in time.", "See how it is: `hearth doctor`.") from error
    except (OSError, h11.ProtocolError) as error:
        raise BackendUnavailable(
            f"The connection to the backend broke ({error or type(error).__name__}).", "See how it is: `hearth doctor`."
        ) from error
