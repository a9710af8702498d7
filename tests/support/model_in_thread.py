"""A model server of `support.provider` for tests that have no event loop of asyncio's: it runs in a thread.

Python may collect garbage in that thread, so Qt's objects must be gone before: `support.chat_window.kept` sees to that.
"""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

from support.provider import Behaviour, ModelServer, Reply, model_server

_LIMIT_S = 60.0


class Gate:
    """Holds an answer back until the test lets more of it out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps = 0
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def open(self, steps: int = 1) -> None:
        """Let so many pieces pass."""
        with self._lock:
            self._steps += steps
            waiting, self._waiting = self._waiting, []
        for loop, woken in waiting:
            loop.call_soon_threadsafe(woken.set)

    async def passed(self) -> None:
        """Wait for the next step; in the server's loop."""
        while True:
            woken = asyncio.Event()
            with self._lock:
                if self._steps:
                    self._steps -= 1
                    return
                self._waiting.append((asyncio.get_running_loop(), woken))
            await woken.wait()


def gated(gate: Gate, *pieces: str) -> Behaviour:
    """An answer whose pieces each wait at the gate, and its end too."""

    async def behave(reply: Reply, request: object) -> None:
        reply.start()
        for piece in pieces:
            await gate.passed()
            reply.delta(content=piece)
            await reply.sent()
        await gate.passed()
        reply.delta("stop")
        reply.usage(120, 48)
        reply.done()

    return behave


@contextmanager
def serving(*behaviours: Behaviour) -> Generator[ModelServer]:
    """A server on a free port, until left."""
    ready: list[tuple[ModelServer, asyncio.AbstractEventLoop, asyncio.Event]] = []
    started = threading.Event()

    async def serve() -> None:
        over = asyncio.Event()
        async with model_server(*behaviours) as server:
            ready.append((server, asyncio.get_running_loop(), over))
            started.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="model server", daemon=True)
    thread.start()
    assert started.wait(_LIMIT_S)
    server, loop, over = ready[0]
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(_LIMIT_S)


def config(server: ModelServer) -> str:
    """The backend's config.toml with this server as a model of this machine."""
    return f'[providers.desk]\nurl = "{server.url}"\nwhere = "this machine"\n'
