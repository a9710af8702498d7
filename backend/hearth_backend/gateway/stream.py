"""Bytes from a model's server, with patience and size both bounded."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass

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


async def events(chunks: AsyncIterator[bytes], first_s: float, gap_s: float) -> AsyncIterator[str]:
    """The data of each server-sent event; IncompleteAnswer when the first or the next bytes are too long in coming.

    Ends where the bytes end: whether that was the end of the answer is for the caller to know.
    """
    data: list[str] = []
    async for line in _lines(_patiently(chunks, first_s, gap_s)):
        if line.startswith(b"data:"):
            data.append(line[5:].strip().decode("utf-8", "replace"))
        elif not line and data:
            yield "\n".join(data)
            data.clear()
    if data:
        yield "\n".join(data)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield _short_enough(line).rstrip(b"\r")
        _short_enough(rest)
    if rest:
        yield rest


def _short_enough(line: bytes) -> bytes:
    if len(line) > MOST_LINE:
        raise ModelFailed("The model's server sent a line that is too long to be meant.")
    return line


async def _patiently(chunks: AsyncIterator[bytes], first_s: float, gap_s: float) -> AsyncIterator[bytes]:
    seconds = first_s
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise IncompleteAnswer(f"The model's server was silent for {seconds:.0f} s.") from None
        yield chunk
        seconds = gap_s
