"""How long the backend outlives its last visitor: one timer, armed only while nobody is connected."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any


class Visitors(set[Any]):
    """uvicorn's set of connections, which tells when it becomes empty and when it no longer is."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed

    def add(self, element: Hashable) -> None:
        super().add(element)
        if len(self) == 1:
            self._changed()

    def discard(self, element: Hashable) -> None:
        before = len(self)
        super().discard(element)
        if before and not self:
            self._changed()

    def remove(self, element: Hashable) -> None:
        super().remove(element)
        if not self:
            self._changed()


class Linger:
    """Calls `leave` when for `seconds` nobody was connected and no run was open; with `seconds` None, never.

    A run that is open when the time is over gives the backend the same time again.
    """

    def __init__(self, seconds: float | None, busy: Callable[[], Awaitable[bool]], leave: Callable[[], None]) -> None:
        self._seconds = seconds
        self._busy = busy
        self._leave = leave
        self._timer: asyncio.TimerHandle | None = None
        self._check: asyncio.Task[None] | None = None
        self.visitors = Visitors(self.update)

    def update(self) -> None:
        """Arm the timer when nobody is here; disarm it when somebody is."""
        self.stop()
        if not self.visitors and self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._over)

    def stop(self) -> None:
        """Disarm it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._check is not None:
            self._check.cancel()
            self._check = None

    def _over(self) -> None:
        self._timer = None
        self._check = asyncio.create_task(self._leave_unless_busy())

    async def _leave_unless_busy(self) -> None:
        if await self._busy():
            self._check = None
            self.update()
        else:
            self._leave()
