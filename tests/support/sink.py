"""A loopback server that counts what comes, and answers as it is told."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple


class Hit(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Sink:
    """Answers with the next of `statuses`, the last one from then on; 0 hangs up without a word."""

    statuses: list[int] = field(default_factory=lambda: [200])
    hits: list[Hit] = field(default_factory=list[Hit])
    port: int = 0
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, count: int) -> None:
        """Once so many have come."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.hits) >= count)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, then the end of the connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        async with self._arrived:
            self.hits.append(Hit(first.split(" ")[1], headers, body))
            self._arrived.notify_all()
        if status:
            more = "location: http://127.0.0.1:1/\r\n" if 300 <= status < 400 else ""
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n{more}\r\n".encode())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def sink(*statuses: int) -> AsyncGenerator[Sink]:
    """On a free port, until left."""
    made = Sink([*statuses] or [200])
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
