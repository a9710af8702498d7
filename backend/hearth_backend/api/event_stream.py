"""Events as server-sent events, with a sign of life while nothing happens."""

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


def stream(events: AsyncGenerator[Event | EventGap], keepalive_s: float = KEEPALIVE_S) -> Stream:
    """`id` is the event's `seq`, to resume from; a comment every `keepalive_s` seconds of silence."""
    return Stream(_chunks(events, keepalive_s), failed)


def encoded(event: Event | EventGap) -> bytes:
    """One event. A gap has no id: the reader resumes from the last event it really got."""
    data = to_json(event, inf_nan_mode="null")
    if isinstance(event, EventGap):
        return b"event: gap\ndata: %b\n\n" % data
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.seq, event.type.encode(), data)


def failed(error: HearthError, request_id: str) -> bytes:
    """Why the stream ends before its time."""
    return b"event: error\ndata: %b\n\n" % to_json({**error.problem(), "request_id": request_id}, fallback=str)


async def _chunks(events: AsyncGenerator[Event | EventGap], keepalive_s: float) -> AsyncGenerator[bytes, None]:
    yield _SILENCE  # the head goes out now, not with the first event
    news = asyncio.Event()
    watch = Watch(news.set)
    following = _following(events, news)
    try:
        while True:
            watch.begin(keepalive_s)
            await news.wait()
            watch.end()
            news.clear()
            if not following.done():
                yield _SILENCE
            elif (event := following.result()) is None:
                return
            else:
                following = _following(events, news)
                yield encoded(event)
    finally:
        watch.close()
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await following
        await events.aclose()


def _following(events: AsyncGenerator[Event | EventGap], news: asyncio.Event) -> asyncio.Task[Event | EventGap | None]:
    task = asyncio.ensure_future(_next(events))
    task.add_done_callback(lambda _: news.set())
    return task


async def _next(events: AsyncGenerator[Event | EventGap]) -> Event | EventGap | None:
    return await anext(events, None)
