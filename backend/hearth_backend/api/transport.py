"""uvicorn's connection, held to what a server for one person needs: who connects, how many, how slowly, how much."""

import asyncio
import socket
import struct
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from hearth_backend.api.deadlines import Deadlines
from hearth_backend.api.principals import Listener

HEAD_LIMIT_S: Final = 10.0
HEAD_LIMIT_BYTES: Final = 65_536
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
    """One connection. What is known of it (`listener`) is in each request's `scope["state"]`."""

    def __init__(
        self,
        rules: Rules,
        heads: Deadlines,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._rules = rules
        self._head_bytes = 0
        self._in_head = True
        self._heads = heads
        self._awaits_head = False

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
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > self._rules.head_limit_bytes:
            self._end(_TOO_LONG)
        elif not self._awaits_head:
            self._await_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_is_here()
        super().on_headers_complete()
        if self.parser is not None and not self.parser.should_upgrade():
            self.headers = _NO_TRAILERS  # fields after a chunked body: nobody reads them, and they have no limit

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


def peer_uid(connection: socket.socket) -> int | None:
    """The user at the other end of a Unix socket; None where the system cannot tell (the folder's mode then does)."""
    if not sys.platform.startswith("linux"):
        return None
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(credentials)[1]


def protocol(rules: Rules) -> type[asyncio.Protocol]:
    """What uvicorn calls for each connection; it takes any callable, and says that it wants a class."""

    heads = Deadlines(rules.head_limit_s)

    def build(**given: Any) -> DoorProtocol:
        return DoorProtocol(rules, heads, **given)

    return cast("type[asyncio.Protocol]", build)
