"""A model server of `support.provider` for tests that have no event loop of asyncio's: it runs in a thread."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

from support.provider import Behaviour, ModelServer, Reply, model_server

_LIMIT_S = 60.0


class Gate:
    """Holds an answer back until the test lets more of it out."""

    def __init__(self) -> None:
        self._steps = threading.Semaphore(0)

    def open(self, steps: int = 1) -> None:
        """Let so many pieces pass."""
        self._steps.release(steps)

    async def passed(self) -> None:
        """Wait for the next step; in the server's loop."""
        await asyncio.to_thread(self._steps.acquire)


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
    loop = asyncio.new_event_loop()
    ready: list[ModelServer] = []
    started, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with model_server(*behaviours) as server:
            ready.append(server)
            started.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="model server", daemon=True)
    thread.start()
    assert started.wait(_LIMIT_S)
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(_LIMIT_S)


def config(server: ModelServer) -> str:
    """The backend's config.toml with this server as a model of this machine."""
    return f'[providers.desk]\nurl = "{server.url}"\nwhere = "this machine"\n'
