"""Keystrokes that come faster than anybody reads suggestions: only the first and the last are worth a model's time."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable

from hearth_shared.errors import Cancelled

_QUIET_S = 0.1
_MOST_DOCUMENTS = 256
Document = tuple[str, str]


class Keystrokes:
    """The newest keystroke of each document.

    One after a pause goes to the model at once. One on the heels of another waits until the typing pauses for a
    moment, and is never asked when a newer one comes meanwhile.
    """

    def __init__(
        self,
        quiet_s: float = _QUIET_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._quiet_s = quiet_s
        self._clock = clock
        self._sleep = sleep
        self._numbers = itertools.count()
        self._newest: dict[Document, tuple[int, float]] = {}

    async def settle(self, document: Document) -> None:
        """Return when this keystroke is worth asking about. Raises Cancelled when a newer one took its place."""
        now, number = self._clock(), next(self._numbers)
        before = self._newest.pop(document, None)
        self._newest[document] = (number, now)
        if len(self._newest) > _MOST_DOCUMENTS:
            del self._newest[next(iter(self._newest))]
        if before is None or now - before[1] >= self._quiet_s:
            return
        await self._sleep(self._quiet_s)
        if self._newest.get(document, (number, now))[0] != number:
            raise Cancelled("A newer keystroke took this completion's place.")
