"""Bodies in, answers out: ASGI messages for `Call` and `Reply`."""

from time import perf_counter
from typing import Final

from hearth_backend.api.asgi import Headers, Receive, Send
from hearth_backend.api.exchange import Reply
from hearth_shared.errors import TooLarge

_COMMON: Final[Headers] = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class ClientGone(Exception):
    """The client went away while it was sending."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """The body, counted while it comes: a length that was never announced is held to the limit too."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.", "Send less, or in parts.")
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def until_gone(receive: Receive) -> None:
    """Return when the client has gone; a body that nobody asked for is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Answer:
    """What is sent for one request. `status` and `at` (its time) are 0 until it began."""

    __slots__ = ("_request_id", "_send", "at", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status = 0
        self.at = 0.0

    async def whole(self, reply: Reply) -> None:
        """Send a whole answer."""
        length = str(len(reply.body)).encode()
        await self.begin(reply.status, reply.media, (*reply.headers, (b"content-length", length)))
        await self._send({"type": "http.response.body", "body": reply.body})

    async def begin(self, status: int, media: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        """Send the head; pieces follow."""
        self.status = status
        self.at = perf_counter()
        said: Headers = [(b"content-type", media), (b"x-request-id", self._request_id), *_COMMON, *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": said})

    async def piece(self, data: bytes) -> None:
        """Send more."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """Send the last of it."""
        await self._send({"type": "http.response.body", "body": data})
