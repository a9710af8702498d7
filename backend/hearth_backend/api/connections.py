"""Exchanges that last (event streams, WebSockets, model calls), so that they can be ended from outside."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Literal

Why = Literal["gone", "revoked", "stopping"]


class Live:
    """One exchange and the task that serves it. `ended` says why it was cut, when it was."""

    __slots__ = ("_task", "client", "ended", "endless")

    def __init__(self, client: str, endless: bool, task: "asyncio.Task[object]") -> None:
        self.client = client
        self.endless = endless
        self.ended: Why | None = None
        self._task = task

    def cut(self, why: Why) -> None:
        """End the exchange by cancelling its task; the first reason counts."""
        if self.ended is None:
            self.ended = why
            self._task.cancel()


class Connections:
    """All lasting exchanges of this backend."""

    def __init__(self) -> None:
        self._all: set[Live] = set()

    def __len__(self) -> int:
        return len(self._all)

    @contextlib.contextmanager
    def live(self, client: str, *, endless: bool) -> Generator[Live]:
        """Register the current task's exchange. When cut, its CancelledError is absorbed here."""
        task = asyncio.current_task()
        assert task is not None
        live = Live(client, endless, task)
        self._all.add(live)
        try:
            yield live
        except asyncio.CancelledError:
            if live.ended is None:
                raise
            task.uncancel()
        finally:
            self._all.discard(live)

    def revoke(self, client: str) -> None:
        """End everything that a client has open."""
        for live in [live for live in self._all if live.client == client]:
            live.cut("revoked")

    def stop(self, *, endless_only: bool) -> None:
        """End the streams that would never end by themselves, or everything."""
        for live in [live for live in self._all if live.endless or not endless_only]:
            live.cut("stopping")


@contextlib.asynccontextmanager
async def watched(until_gone: Callable[[], Awaitable[None]], live: Live) -> AsyncGenerator[None]:
    """Cut `live` as soon as its client goes, whatever is being waited for inside."""

    async def watch() -> None:
        await until_gone()
        live.cut("gone")

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
