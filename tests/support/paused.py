"""A model that stops half way through its answer until it is told to go on."""

import asyncio
import threading
from collections.abc import Sequence

from support.provider import Received, Reply

LIMIT_S = 60.0


class Paused:
    """Says the first half, waits for `go_on`, says the rest. Asked again, it says everything at once."""

    def __init__(self, words: Sequence[str]) -> None:
        self.whole = "".join(words)
        self._words = words
        self._half = threading.Event()
        self._on = threading.Event()

    async def __call__(self, reply: Reply, request: Received) -> None:
        reply.start()
        middle = len(self._words) // 2
        for place, word in enumerate(self._words):
            if place == middle and not self._on.is_set():
                await reply.sent()
                self._half.set()
                await asyncio.to_thread(self._on.wait, LIMIT_S)
            reply.delta(content=word)
            await reply.sent()
        reply.delta("stop")
        reply.done()

    def half(self) -> None:
        """Wait until the first half was said."""
        assert self._half.wait(LIMIT_S)

    def go_on(self) -> None:
        """Say the rest."""
        self._on.set()
