"""A time limit on each of many waits, with one timer for them all."""

import asyncio
from collections.abc import Callable


class Watch:
    """`expire` is called when a wait, between `begin` and `end`, takes longer than it may.

    The timer is not moved for each wait: when it goes off it looks whether one goes on, and when that is over. A timer
    of its own for every piece of a stream costs more than reading the piece does.
    """

    def __init__(self, expire: Callable[[], None]) -> None:
        self._expire = expire
        self._loop = asyncio.get_running_loop()
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def begin(self, seconds: float) -> None:
        """A wait begins that may last so long."""
        self._until = self._loop.time() + seconds
        if self._timer is None or self._due > self._until:
            self._set(self._until)

    def end(self) -> None:
        """It is over."""
        self._until = None

    def close(self) -> None:
        """There are no more waits."""
        self._until = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._until is None:
            return
        if self._loop.time() < self._until:
            self._set(self._until)
        else:
            self._until = None
            self._expire()
