"""Events as server-sent events, with a sign of life while nothing happens.

A reader that needs no event at once names a stride: after each piece nothing is sent for so long, and what happened
meanwhile goes out together. Most of what a stream costs, here and at its reader, is waking up for each piece.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from pydantic_core import to_json

from hearth_backend.api.exchange import Stream
from hearth_backend.watch import Watch
from hearth_shared.errors import HearthError
from hearth_shared.protocol.events import Event, EventGap

KEEPALIVE_S: Final = 15.0
_SILENCE: Final = b":\n\n"
_MOST: Final = 64 << 10


def stream(events: AsyncGenerator[Event | EventGap], stride_s: float = 0.0, keepalive_s: float = KEEPALIVE_S) -> Stream:
    """`id` is the event's `seq`, to resume from; a comment every `keepalive_s` seconds of silence."""
    return Stream(_chunks(events, stride_s, keepalive_s), failed)


def encoded(event: Event | EventGap) -> bytes:
    """One event. A gap has no id: the reader resumes from the last event it really got."""
    data = to_json(event, inf_nan_mode="null")
    if isinstance(event, EventGap):
        return b"event: gap\ndata: %b\n\n" % data
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.seq, event.type.encode(), data)


def failed(error: HearthError, request_id: str) -> bytes:
    """Why the stream ends before its time."""
    return b"event: error\ndata: %b\n\n" % to_json({**error.problem(), "request_id": request_id}, fallback=str)


async def _chunks(
    events: AsyncGenerator[Event | EventGap], stride_s: float, keepalive_s: float
) -> AsyncGenerator[bytes, None]:
    yield _SILENCE  # the head goes out now, not with the first event
    following = _Following(events)
    try:
        while True:
            if not await following.waited(keepalive_s):
                yield _SILENCE
            elif piece := await following.several() if stride_s else following.one():
                yield piece
                if stride_s:
                    await asyncio.sleep(stride_s)
            else:
                return
    finally:
        await following.close()


class _Following:
    """The next event, asked for ahead, so that waiting for it can be given up without losing it."""

    def __init__(self, events: AsyncGenerator[Event | EventGap]) -> None:
        self._events = events
        self._news = asyncio.Event()
        self._is_quiet = False
        self._watch = Watch(self._quiet)
        self._next = self._asked()

    async def waited(self, limit_s: float) -> bool:
        """Whether there is something to take, within this time."""
        self._is_quiet = False
        self._watch.begin(limit_s)
        while not (self._next.done() or self._is_quiet):
            self._news.clear()
            await self._news.wait()
        self._watch.end()
        return self._next.done()

    def one(self) -> bytes:
        """The event that was waited for; nothing at the end. Raises what ended the events."""
        if (event := self._next.result()) is None:
            return b""
        self._next = self._asked()
        return encoded(event)

    async def several(self) -> bytes:
        """The same with all that happened meanwhile, up to a limit."""
        pieces = bytearray(self.one())
        while pieces and len(pieces) < _MOST:
            await asyncio.sleep(0)  # an event that is there already is had in one turn of the loop
            if not self._next.done() or self._next.exception() is not None:
                break
            if not (piece := self.one()):
                break
            pieces += piece
        return bytes(pieces)

    async def close(self) -> None:
        """Read no further."""
        self._watch.close()
        self._next.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._next
        await self._events.aclose()

    def _asked(self) -> asyncio.Task[Event | EventGap | None]:
        task = asyncio.ensure_future(_next(self._events))
        task.add_done_callback(lambda _: self._news.set())
        return task

    def _quiet(self) -> None:
        self._is_quiet = True
        self._news.set()


async def _next(events: AsyncGenerator[Event | EventGap]) -> Event | EventGap | None:
    return await anext(events, None)
