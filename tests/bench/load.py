"""An open-loop load generator in a process of its own.

Requests are due at a fixed rate, whatever the server does, and latency counts from when a request was due: a server
that stalls is not spared by a client that waits for it. `python -P -m bench.load SPEC` prints its Outcome as JSON.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

from bench.module import start

_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Spec:
    """What to send where. Of ten requests `posts` are a POST, spread evenly."""

    socket: str
    key: str
    get: str
    post: str
    body: dict[str, Any]
    rate: int
    seconds: float
    posts: int = 3
    connections: int = 64


@dataclass(slots=True)
class Outcome:
    """What came of it. Latencies in milliseconds, of the answers that were 2xx."""

    sent: int = 0
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    lost: int = 0
    seconds: float = 0.0
    get_ms: dict[str, float] = field(default_factory=dict[str, float])
    post_ms: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def errors(self) -> int:
        """Everything that was not answered 2xx."""
        return self.lost + sum(count for status, count in self.statuses.items() if not status.startswith("2"))


def generate(spec: Spec) -> Outcome:
    """Runs the generator as a child and waits for its outcome."""
    with start("load", json.dumps(asdict(spec))) as child:
        said, _ = child.communicate()
    if child.returncode:
        raise SystemExit("the load generator could not do its work")
    return Outcome(**json.loads(said))


class _Connection(asyncio.Protocol):
    """Keep-alive, one request at a time."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._buffer = b""
        self._kind = 0
        self._due = 0.0
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._load.idle.append(self)

    def send(self, kind: int, due: float) -> None:
        self._kind, self._due, self._busy, self._buffer = kind, due, True, b""
        self._transport.write(self._load.requests[kind])

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0 or len(self._buffer) < head + 4 + _length(self._buffer[:head]):
            return
        self._busy = False
        self._load.answered(self._kind, self._due, self._buffer[9:12])
        self._load.next(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self, busy=self._busy)


def _length(head: bytes) -> int:
    start = head.lower().find(b"content-length:")
    return int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


class _Load:
    """The schedule, the connections that are free, and the requests that wait for one."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.idle: deque[_Connection] = deque()
        self._waiting: deque[tuple[int, float]] = deque()
        self._latencies: tuple[list[float], list[float]] = ([], [])
        self._statuses: Counter[bytes] = Counter()
        self._lost = 0
        self._sent = 0
        self._total = int(spec.rate * spec.seconds)
        self._over = asyncio.Event()
        body = json.dumps(spec.body).encode()
        headers = f"Host: localhost\r\nAuthorization: Bearer {spec.key}\r\n"
        post = (
            f"POST {spec.post} HTTP/1.1\r\n{headers}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        )
        self.requests = (f"GET {spec.get} HTTP/1.1\r\n{headers}\r\n".encode(), f"{post}\r\n".encode() + body)

    async def run(self) -> Outcome:
        loop = asyncio.get_running_loop()
        for _ in range(self._spec.connections):
            await loop.create_unix_connection(lambda: _Connection(self), self._spec.socket)
        started = time.perf_counter()
        await self._send_all(started)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), _PATIENCE_S)
        get, post = map(_quantiles, self._latencies)
        statuses = {status.decode(): count for status, count in self._statuses.items()}
        lost = self._lost + self._sent - self._answers
        return Outcome(self._sent, statuses, lost, time.perf_counter() - started, get, post)

    @property
    def _answers(self) -> int:
        return self._statuses.total() + self._lost

    async def _send_all(self, started: float) -> None:
        rate = self._spec.rate
        while self._sent < self._total:
            due = min(self._total, int((time.perf_counter() - started) * rate))
            while self._sent < due:
                kind = int(self._sent * self._spec.posts % 10 < self._spec.posts)
                self._start(kind, started + self._sent / rate)
                self._sent += 1
            await asyncio.sleep(0.001)

    def _start(self, kind: int, due: float) -> None:
        if self.idle:
            self.idle.popleft().send(kind, due)
        else:
            self._waiting.append((kind, due))

    def answered(self, kind: int, due: float, status: bytes) -> None:
        self._statuses[status] += 1
        self._look_for_end()
        if status[:1] == b"2":
            self._latencies[kind].append((time.perf_counter() - due) * 1000)

    def next(self, connection: _Connection) -> None:
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self.idle.append(connection)

    def lost(self, connection: _Connection, *, busy: bool) -> None:
        self._lost += busy
        self._look_for_end()
        if connection in self.idle:
            self.idle.remove(connection)

    def _look_for_end(self) -> None:
        if self._answers >= self._total:
            self._over.set()


def _quantiles(latencies: list[float]) -> dict[str, float]:
    if not latencies:
        return {}
    latencies.sort()
    last = len(latencies) - 1
    return {name: round(latencies[int(last * share)], 2) for name, share in _SHARES.items()}


_SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_Load(Spec(**json.loads(sys.argv[1]))).run()))))
