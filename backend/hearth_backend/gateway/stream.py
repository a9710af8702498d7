"""Bytes from a model's server, with patience and size both bounded."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from hearth_backend.watch import Watch
from hearth_shared.errors import IncompleteAnswer, ModelFailed, ModelUnavailable

MOST_BODY = 8 * 1024 * 1024
MOST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a connection, for the first byte, and between two bytes, in seconds.

    A model on the person's own machine may be loading or reading a long prompt; a cloud that is silent for half a
    minute is down.
    """

    connect_s: float
    first_s: float
    gap_s: float

    def set_to(self, first_s: float | None, gap_s: float | None) -> "Patience":
        """With what the settings say, where they say anything."""
        return Patience(self.connect_s, first_s or self.first_s, gap_s or self.gap_s)

    def until(self, deadline: float | None, now: float) -> "Patience":
        """No longer than somebody waits for it."""
        left = math.inf if deadline is None else max(0.001, deadline - now)
        return Patience(min(self.connect_s, left), min(self.first_s, left), min(self.gap_s, left))


AT_HOME = Patience(connect_s=2.0, first_s=300.0, gap_s=120.0)
AWAY = Patience(connect_s=5.0, first_s=30.0, gap_s=60.0)


async def whole(chunks: AsyncIterator[bytes], seconds: float) -> bytes:
    """A body of at most MOST_BODY bytes, within `seconds`."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
                body += chunk
                if len(body) > MOST_BODY:
                    raise ModelUnavailable("The model's server sent more than was asked for.")
    except TimeoutError:
        raise ModelUnavailable("The model's server did not finish its reply in time.") from None
    return bytes(body)


async def events(chunks: AsyncIterator[bytes], first_s: float, gap_s: float) -> AsyncGenerator[str]:
    """The data of each server-sent event; IncompleteAnswer when the first or the next bytes are too long in coming.

    Ends where the bytes end: whether that was the end of the answer is for the caller to know.
    """
    data: list[str] = []
    async with aclosing(_patiently(chunks, first_s, gap_s)) as pieces:
        async for lines in _lines(pieces):
            for line in lines:
                if line.startswith(b"data:"):
                    data.append(line[5:].strip().decode("utf-8", "replace"))
                elif data and not line.rstrip(b"\r"):
                    yield "\n".join(data)
                    data.clear()
    if data:
        yield "\n".join(data)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """The lines that each chunk completes; at last what has no end."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MOST_LINE or any(len(line) > MOST_LINE for line in lines):
            raise ModelFailed("The model's server sent a line that is too long to be meant.")
        yield lines
    if rest:
        yield [rest]


async def _patiently(chunks: AsyncIterator[bytes], first_s: float, gap_s: float) -> AsyncGenerator[bytes]:
    silence = _Silence()
    seconds = first_s
    try:
        while True:
            with silence.for_at_most(seconds):
                chunk = await anext(chunks)
            yield chunk
            seconds = gap_s
    except StopAsyncIteration:
        return
    finally:
        silence.close()


class _Silence:
    """Ends a wait that takes too long as asyncio.timeout does, with one timer for all the waits of a stream."""

    def __init__(self) -> None:
        self._watch = Watch(self._expire)
        self._seconds = 0.0
        self._task: asyncio.Task[object] | None = None
        self._cancelled = 0
        self._expired = False

    def for_at_most(self, seconds: float) -> Self:
        """`with silence.for_at_most(60):` raises IncompleteAnswer when what is waited for in it takes longer."""
        self._seconds = seconds
        return self

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._cancelled = self._task.cancelling() if self._task else 0
        self._watch.begin(self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.end()
        task, self._task = self._task, None
        if not self._expired or task is None:
            return
        self._expired = False
        if task.uncancel() <= self._cancelled and kind is asyncio.CancelledError:
            raise IncompleteAnswer(f"The model's server was silent for {self._seconds:.0f} s.") from None

    def close(self) -> None:
        self._watch.close()

    def _expire(self) -> None:
        if self._task is not None:
            self._expired = True
            self._task.cancel()
