"""A model server in a thread of its own, for a backend that outlives one test's loop."""

import asyncio
import threading

from support.provider import Behaviour, ModelServer, Received, Reply, model_server

LIMIT_S = 60.0


class Held:
    """A model that begins to think and says nothing, until whoever asked hangs up."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self._ended = threading.Event()

    async def __call__(self, reply: Reply, request: Received) -> None:
        self._begun.set()
        try:
            await reply.hang()
        finally:
            self._ended.set()

    async def begun(self) -> None:
        """It was asked."""
        assert await asyncio.to_thread(self._begun.wait, LIMIT_S)

    async def ended(self) -> None:
        """Nobody waits for it any more."""
        assert await asyncio.to_thread(self._ended.wait, LIMIT_S)


class Gated:
    """A model that waits with what it does until it is told to go on."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._begun = threading.Event()
        self._on = threading.Event()

    async def __call__(self, reply: Reply, request: Received) -> None:
        self._begun.set()
        assert await asyncio.to_thread(self._on.wait, LIMIT_S)
        await self._behaviour(reply, request)

    async def begun(self) -> None:
        """It was asked."""
        assert await asyncio.to_thread(self._begun.wait, LIMIT_S)

    def go_on(self) -> None:
        """Answer now."""
        self._on.set()


class Scripted:
    """`with Scripted() as server`: what it does next is `server.does(…)`, what it heard is `server.model.calls`."""

    def __init__(self) -> None:
        self._up = threading.Event()
        self._down: asyncio.Event | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="model-server", daemon=True)
        self.model: ModelServer

    def __enter__(self) -> "Scripted":
        self._thread.start()
        assert self._up.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._down is not None
        self._loop.call_soon_threadsafe(self._down.set)
        self._thread.join(60)

    @property
    def config(self) -> str:
        """Settings under which a backend asks this server, for completions too."""
        return f'[providers.desk]\nurl = "{self.model.url}"\nwhere = "this machine"\ncomplete = true\n'

    def does(self, *behaviours: Behaviour) -> None:
        """From now on; what was heard before is forgotten."""
        self.model.requests.clear()
        self.model.behaviours = [*behaviours]

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._down = asyncio.Event()
        async with model_server() as self.model:
            self._up.set()
            await self._down.wait()
