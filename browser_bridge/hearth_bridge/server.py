"""The bridge's WebSocket door on loopback: who may come in, how many, how much."""

import asyncio
import contextlib
import errno
import http
import logging
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from time import monotonic
from typing import Final

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from hearth_bridge import frames, limits
from hearth_bridge.backend import Backend
from hearth_bridge.frames import NotAFrame, Pair, Refused
from hearth_bridge.knock import PROTOCOL, Turned, Visitor, look
from hearth_bridge.limits import Bucket
from hearth_bridge.session import NOT_A_FRAME, Ended, Session
from hearth_shared.errors import HearthError, PortInUse, from_body

log = logging.getLogger(__name__)
HOST: Final = "127.0.0.1"
_TRIED: Final = 20
_BACKLOG: Final = 64
_HANDSHAKE_S: Final = 5.0
_CLOSE_S: Final = 1.0
_PAIR_S: Final = 10.0


def bind(port: int) -> socket.socket:
    """A listening socket on `port`, or the next free one when it is taken."""
    candidates = (0,) if port == 0 else (*range(port, min(port + _TRIED, 65536)), 0)
    for candidate in candidates:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, candidate))
            listener.listen(_BACKLOG)
            return listener
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise PortInUse("No port is free for the browser.", "Choose another with the setting bridge.port.", port=port)


class Door:
    """Serves every browser that comes to one listening socket."""

    def __init__(self, backend: Backend, listener: socket.socket) -> None:
        self._backend = backend
        self._listener = listener
        self._knocks = Bucket(limits.KNOCKS_A_SECOND, limits.KNOCKS_AT_ONCE, monotonic)
        self._inside = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.getsockname()[1]

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Open until left; then every connection is closed with "going away"."""
        async with serve(
            self._receive,
            sock=self._listener,
            process_request=self._check,
            subprotocols=[Subprotocol(PROTOCOL)],
            compression=None,  # nothing leaves this machine: it would cost time and save nothing
            max_size=limits.FRAME_BYTES,
            max_queue=16,
            write_limit=limits.WRITE_BYTES,
            open_timeout=_HANDSHAKE_S,
            close_timeout=_CLOSE_S,
            ping_interval=None,  # on loopback the system tells at once when the other side has gone
            server_header=None,
            logger=_silent(),
        ):
            yield

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        if not self._knocks.take() or self._inside >= limits.CONNECTIONS:
            return _turned(connection, Turned(503, "Too many connections; try again in a moment."))
        found = self._look(request)
        return _turned(connection, found) if isinstance(found, Turned) else None

    def _look(self, request: Request) -> Visitor | Turned:
        every = request.headers.get_all
        offers = every("Sec-WebSocket-Protocol")
        return look(request.path, self.port, every("Host"), every("Origin"), offers)

    async def _receive(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        who = self._look(connection.request)
        assert isinstance(who, Visitor)
        self._inside += 1
        try:
            await (self._serve(connection, who) if who.token else self._pair(connection, who))
        except Ended as ended:
            await connection.close(ended.code, ended.why)
        except Exception:
            log.exception("a browser's connection ended by a fault")
            await connection.close(1011)
        finally:
            self._inside -= 1

    async def _serve(self, connection: ServerConnection, who: Visitor) -> None:
        await Session(self._backend, who, _Outlet(connection)).run(_messages(connection))

    async def _pair(self, connection: ServerConnection, who: Visitor) -> None:
        """One question, one answer: the code is checked by the backend, bound to the Origin seen here."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(_PAIR_S):
                text = await connection.recv()
            await connection.send(await self._paired(who, text))

    async def _paired(self, who: Visitor, text: str | bytes) -> str:
        try:
            frame = frames.read(text)
        except (NotAFrame, Refused) as error:
            raise Ended(NOT_A_FRAME, "only a pairing is possible here") from error
        if not isinstance(frame, Pair):
            raise Ended(NOT_A_FRAME, "only a pairing is possible here")
        try:
            said = await self._backend.ask(who, "POST", "/v1/pair", frames.pairing(frame, who.origin))
            if said.status >= 400:
                raise from_body(said.status, said.body)
        except HearthError as error:
            return frames.problem(None, error)
        log.info("a browser was paired")
        return frames.paired(said.body)


class _Outlet:
    """A browser's socket. When it is closed nothing is sent: its reader finds out, and ends the session."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(text)

    def push(self, text: str) -> None:
        broadcast((self._connection,), text)

    def is_full(self) -> bool:
        return self._connection.transport.get_write_buffer_size() > limits.WRITE_BYTES

    async def drained(self) -> None:
        """A browser answers a ping when it has read what came before."""
        with contextlib.suppress(ConnectionClosed):
            await (await self._connection.ping())


async def _messages(connection: ServerConnection) -> AsyncIterator[str | bytes]:
    with contextlib.suppress(ConnectionClosed):
        async for text in connection:
            yield text


def _turned(connection: ServerConnection, turned: Turned) -> Response:
    log.info("turned away with %d: %s", turned.status, turned.why)
    return connection.respond(http.HTTPStatus(turned.status), f"{turned.why}\n")


def _silent() -> logging.Logger:
    """The library logs every header at its lower levels, and one of them is a token: nothing of that is written."""
    logger = logging.getLogger(f"{__name__}.library")
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    return logger
