"""Many time limits on one timer."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

_LOOKS = 10


class Deadlines:
    """Looked at ten times in `limit_s` (or once a second, or `every_s`) while there are any, and not at all when there
    are none: a limit may last that much longer than it says. A timer of its own for every request would cost each of
    them some 10 µs, and nearly all of them end long before.
    """

    def __init__(self, limit_s: float, *, every_s: float | None = None) -> None:
        self._limit_s = limit_s
        self._every_s = every_s or min(1.0, limit_s / _LOOKS)
        self._due: dict[object, tuple[float, Callable[[], object]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, key: object, expire: Callable[[], object]) -> None:
        """Call `expire` once the limit is over, unless `key` is dropped before."""
        loop = asyncio.get_running_loop()
        self._due[key] = (loop.time() + self._limit_s, expire)
        if self._timer is None:
            self._timer = loop.call_later(self._every_s, self._look)

    def drop(self, key: object) -> None:
        """It ended in time."""
        self._due.pop(key, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        over = [(key, expire) for key, (at, expire) in self._due.items() if at <= now]
        for key, expire in over:
            self._due.pop(key, None)
            expire()
        self._timer = loop.call_later(self._every_s, self._look) if self._due else None


class Within:
    """`with Within(deadlines):` raises TimeoutError in the task that stays in it too long, as asyncio.timeout does."""

    __slots__ = ("_deadlines", "_expired", "_task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._expired = False
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._deadlines.add(self, self._expire)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadlines.drop(self)
        if self._expired and self._task is not None and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        if self._task is not None:
            self._expired = True
            self._task.cancel()
