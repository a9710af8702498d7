"""Browsers without a browser: the plain half of `hearth.v1` that the extension speaks, for tests of the bridge."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from hearth_shared.extension import CHROMIUM_ORIGIN
from support.backend import Backend

LIMIT_S = 60.0


@dataclass
class Browser:
    """A paired browser's half of `hearth.v1`, as plain as can be."""

    socket: ClientConnection
    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _next: int = 0

    async def send(self, **frame: Any) -> None:
        """One frame."""
        await self.socket.send(json.dumps(frame))

    async def want(self, **wanted: Any) -> dict[str, Any]:
        """The next frame that has all of these."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                frame = json.loads(await self.socket.recv())
                self.frames.append(frame)
                if wanted.items() <= frame.items():
                    return frame

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """One call and its answer."""
        self._next += 1
        await self.send(id=self._next, method=method, path=path, **({} if body is None else {"body": body}), **more)
        return await self.want(id=self._next)

    def events(self, id: int) -> list[dict[str, Any]]:
        """What a stream told so far."""
        return [event for frame in self.frames if frame.get("id") == id for event in frame.get("events", [])]

    async def closed(self) -> int:
        """The code with which the other side closes."""
        async with asyncio.timeout(LIMIT_S):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


@dataclass(frozen=True)
class Paired:
    """A token, and the client that it is."""

    id: str
    token: str
    origin: str


def pair(house: Backend, origin: str = CHROMIUM_ORIGIN) -> Paired:
    """As the native host does it."""
    asked = {"native": True, "origin": origin, "name": "a test"}
    made = house.door("browser").post("/v1/pair", json=asked)
    assert made.status_code == 201, made.text
    return Paired(made.json()["client"]["id"], made.json()["token"], origin)


@contextlib.asynccontextmanager
async def opened(port: int, paired: Paired, **options: Any) -> AsyncGenerator[Browser]:
    """A connection of this browser."""
    protocols: list[Any] = ["hearth.v1", f"hearth.token.{paired.token}"]
    url = f"ws://127.0.0.1:{port}/v1"
    origin: Any = paired.origin
    async with connect(url, origin=origin, subprotocols=protocols, compression=None, **options) as socket:
        yield Browser(socket)
