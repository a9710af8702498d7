"""The backend as an editor sees it: one that may be started, and one that is only looked for."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from hearth_shared.aclient import AsyncBackendClient
from hearth_shared.discovery import START, read_endpoint
from hearth_shared.errors import HearthError
from hearth_shared.paths import Home
from hearth_shared.wire import Event

_DOOR = "editor"
_STOP_S = 5.0


class Backend:
    """`ask` starts it when none runs: for what the person asks for. `look` does not: for what happens by itself.

    A person who ended Hearth is not given it back by typing.
    """

    def __init__(self, home: Home, command: Sequence[str] = START) -> None:
        self._home = home
        self._starting = AsyncBackendClient(home, _DOOR, command=command)
        self._present = AsyncBackendClient(home, _DOOR, start=False)

    async def ask(self, method: str, path: str, body: Any = None, *, limit: float = 60.0) -> Any:
        """The answer of the backend, which is started for it if need be."""
        return await self._starting.request(method, path, body, limit=limit)

    async def look(self, method: str, path: str, body: Any = None, *, limit: float = 30.0) -> Any:
        """The answer of a backend that runs; BackendUnavailable when none does."""
        return await self._present.request(method, path, body, limit=limit)

    def say(self, path: str, body: Any, key: str) -> AsyncGenerator[Event]:
        """The events of a message's run, over every break, until it has ended; of the same run for the same key."""
        return self._starting.events(path, body, key=key)

    def happenings(self, after_seq: int | None) -> AsyncGenerator[Event]:
        """All events after this one, as long as the backend runs. Nothing here is shown piece by piece."""
        return self._present.events("/v1/events?stride_ms=250", after_seq=after_seq, ends=False)

    async def is_running(self) -> bool:
        """Whether one is ready now."""
        return await asyncio.to_thread(read_endpoint, self._home) is not None

    def was_killed(self) -> bool:
        """Whether the last one ended without saying so: one that ends in order takes its address with it."""
        return self._home.endpoint.exists()

    async def stop(self, task_id: str) -> None:
        """Cancel a run; it may have ended meanwhile."""
        try:
            await self._present.request("DELETE", f"/v1/tasks/{task_id}", limit=_STOP_S)
        except HearthError:
            return
