"""uvicorn's connection, held to what a server for one person needs: who connects, how many, how slowly, how much."""

import asyncio
import logging
import re
import socket
import struct
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from hearth_backend.api.asgi import Application, Scope
from hearth_backend.api.cycle import Cycle
from hearth_backend.api.deadlines import Deadlines
from hearth_backend.api.principals import Listener

log = logging.getLogger(__name__)
HEAD_LIMIT_S: Final = 10.0
HEAD_LIMIT_BYTES: Final = 65_536
QUIET_S: Final = 65.0  # how long a connection is kept that asks for nothing
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}
_PLAIN_PATH: Final = re.compile(rb"/[A-Za-z0-9_./~:-]*")
_NO_TRAILERS: Final[Any] = deque[tuple[bytes, bytes]](maxlen=0)
_CREDENTIALS: Final = struct.Struct("3i")
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LONG: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a connection is held to. `uid` is the only user that may use the Unix socket."""

    uid: int
    connections: int
    head_limit_s: float = HEAD_LIMIT_S
    head_limit_bytes: int = HEAD_LIMIT_BYTES


class DoorProtocol(HttpToolsProtocol):
    """One connection: uvicorn's parsing, upgrades and refusals, with request cycles of our own.

    All requests of a connection are served by one task, in the order they came. What is known of the connection
    (`listener`) is in each request's `scope["state"]`.
    """

    def __init__(
        self,
        rules: Rules,
        heads: Deadlines,
        quiet: Deadlines,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._application = cast("Application", cast("Any", config).loaded_app)
        self._rules = rules
        self._heads = heads
        self._quiet = quiet
        self._head_bytes = 0
        self._in_head = True
        self._awaits_head = False
        self._coming: Cycle | None = None
        self._waiting: deque[Cycle] = deque()
        self._serving: Cycle | None = None
        self._server: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._is_over = False

    # -- the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        peer: socket.socket = transport.get_extra_info("socket")
        listener = Listener.SOCKET if peer.family == socket.AF_UNIX else Listener.TCP
        self.app_state = {"listener": listener}
        if listener is Listener.SOCKET and peer_uid(peer) not in (None, self._rules.uid):
            transport.abort()
        elif len(self.connections) > self._rules.connections:
            self._end(_BUSY)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        self._quiet.drop(self)
        for cycle in (self._serving, self._coming, *self._waiting):
            if cycle is not None:
                cycle.gone()
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._quiet.drop(self)
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > self._rules.head_limit_bytes:
            self._end(_TOO_LONG)
        elif not self._awaits_head:
            self._await_head()

    def shutdown(self) -> None:
        """Called when the server stops: what is being answered is answered, and nothing more is begun."""
        if self._serving is None and not self._waiting:
            self.transport.close()
        for cycle in (self._serving, *self._waiting):
            if cycle is not None:
                cycle.keep_alive = False

    # -- the parser

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_is_here()
        parser, headers = cast("Any", self.parser), self.headers
        method: str = parser.get_method().decode("ascii")
        if parser.should_upgrade() and self._should_upgrade():
            self._coming = None
            self.scope = cast("Any", {"method": method, "headers": headers})
            return
        version: str = parser.get_http_version()
        path, query = _target(self.url)
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": method,
            "path": path,
            "query_string": query,
            "headers": headers,
            "state": self.app_state,
        }
        keep_alive = version == "1.1" and parser.should_keep_alive()
        self._coming = Cycle(self, scope, keep_alive=keep_alive, expects_continue=self.expect_100_continue)
        self.headers = _NO_TRAILERS  # fields after a chunked body: nobody reads them, and they have no limit
        self._enqueue(self._coming)

    def on_body(self, body: bytes) -> None:
        if self._coming is not None:
            self._coming.body(body)

    def on_message_complete(self) -> None:
        if self._coming is not None:
            self._coming.end()
            self._coming = None

    def handle_websocket_upgrade(self) -> None:
        self._leave()
        super().handle_websocket_upgrade()

    # -- what a cycle needs

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self.transport.write(data)

    async def drain(self) -> None:
        """Wait while the other side does not read."""
        if self.flow.write_paused:
            await self.flow.drain()

    def pause_reading(self) -> None:
        """Take no more for now."""
        self.flow.pause_reading()

    def resume_reading(self) -> None:
        """Take more."""
        self.flow.resume_reading()

    # -- serving

    def _enqueue(self, cycle: Cycle) -> None:
        if self._serving is not None or self._waiting:
            self.flow.pause_reading()
        self._waiting.append(cycle)
        if self._server is None:
            self._server = self.loop.create_task(self._serve())
            self.tasks.add(self._server)
            self._server.add_done_callback(self.tasks.discard)
        elif self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _serve(self) -> None:
        """Answer what comes, until the connection is over. A task for each request would cost it some 10 µs."""
        while not self._is_over:
            while self._waiting and not self._is_over:
                self._serving = self._waiting.popleft()
                await self._answer(self._serving)
                self._serving = None
            if self._is_over or self.transport.is_closing():
                return
            self.flow.resume_reading()
            self._quiet.add(self, self.transport.close)
            self._wake = self.loop.create_future()
            await self._wake
            self._wake = None

    async def _answer(self, cycle: Cycle) -> None:
        try:
            await self._application(cycle.scope, cycle.receive, cycle.send)
        except Exception:
            log.exception("a request was not answered")
            await cycle.fail()
        except BaseException:
            self.transport.abort()
            raise
        if not (cycle.is_answered or cycle.is_gone):
            await cycle.fail()
        if not cycle.keep_alive:
            self._is_over = True
            self.transport.close()

    def _leave(self) -> None:
        self._is_over = True
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _await_head(self) -> None:
        self._awaits_head = True
        self._heads.add(self, self.transport.abort)

    def _head_is_here(self) -> None:
        if self._awaits_head:
            self._awaits_head = False
            self._heads.drop(self)

    def _end(self, answer: bytes) -> None:
        self._head_is_here()
        self.transport.write(answer)
        self.transport.close()


def _target(url: bytes) -> tuple[str, bytes]:
    """Path, decoded, and query of a request's target. Raises httptools' error for one that is none."""
    if _PLAIN_PATH.fullmatch(url):
        return url.decode("ascii"), b""
    parsed = httptools.parse_url(url)
    return unquote(parsed.path.decode("ascii")), parsed.query or b""


def peer_uid(connection: socket.socket) -> int | None:
    """The user at the other end of a Unix socket; None where the system cannot tell (the folder's mode then does)."""
    if not sys.platform.startswith("linux"):
        return None
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(credentials)[1]


def protocol(rules: Rules) -> type[asyncio.Protocol]:
    """What uvicorn calls for each connection; it takes any callable, and says that it wants a class."""

    heads = Deadlines(rules.head_limit_s)
    quiet = Deadlines(QUIET_S, every_s=QUIET_S / 10)

    def build(**given: Any) -> DoorProtocol:
        return DoorProtocol(rules, heads, quiet, **given)

    return cast("type[asyncio.Protocol]", build)
