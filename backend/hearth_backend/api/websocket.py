"""A WebSocket that passed the gate: opened, listened to, and ended with a code that says why."""

import logging
from collections.abc import Sequence
from typing import Final

from hearth_backend.api.asgi import Receive, Send
from hearth_backend.api.connections import Connections, watched
from hearth_backend.api.endpoint import Endpoint
from hearth_backend.api.exchange import Call
from hearth_backend.api.failures import Failures

log = logging.getLogger(__name__)
SUBPROTOCOL: Final = "hearth.v1"
_CODES: Final = {"revoked": 4401, "stopping": 1012}
_LONGEST_REASON: Final = 120


class Socket:
    """Text out; what comes in only tells that somebody is there."""

    __slots__ = ("_is_open", "_offered", "_receive", "_send")

    def __init__(self, receive: Receive, send: Send, offered: Sequence[str]) -> None:
        self._receive = receive
        self._send = send
        self._offered = offered
        self._is_open = False

    async def knocked(self) -> None:
        """The server's word that somebody is there, which comes before anything else."""
        await self._receive()

    async def open(self) -> None:
        """Let the other side in. The subprotocol that may carry the token is never answered, only the version's."""
        if self._is_open:
            return
        self._is_open = True
        chosen = SUBPROTOCOL if SUBPROTOCOL in self._offered else None
        await self._send({"type": "websocket.accept", "subprotocol": chosen})

    async def send(self, text: str) -> None:
        """Send one message."""
        await self._send({"type": "websocket.send", "text": text})

    async def until_gone(self) -> None:
        """Return when the other side has gone; what it says until then is dropped."""
        while (await self._receive())["type"] != "websocket.disconnect":
            pass

    async def close(self, code: int, reason: str = "") -> None:
        """End it; a reason reaches only who was let in."""
        await self.open()
        await self._send(
            {
                "type": "websocket.close",
                "code": code,
                "reason": reason.encode()[:_LONGEST_REASON].decode("utf-8", "ignore"),
            }
        )


async def listen(endpoint: Endpoint, call: Call, socket: Socket, connections: Connections, failures: Failures) -> None:
    """Serve a socket until either side ends it."""
    code, reason = 1000, ""
    with connections.live(call.principal.client, endless=True) as live:
        try:
            async with watched(socket.until_gone, live):
                assert endpoint.listen is not None
                await endpoint.listen(call, socket)
        except OSError:
            live.cut("gone")
        except Exception as error:
            ours = failures.ours(error, call)
            code, reason = (1011 if ours.status >= 500 else 1008), ours.detail
    if live.ended != "gone":
        await socket.close(_CODES.get(live.ended or "", code), live.ended or reason)
