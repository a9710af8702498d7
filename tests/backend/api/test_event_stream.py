import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from hearth_backend.api import event_stream
from hearth_shared.errors import NotFound
from hearth_shared.protocol.events import Event, EventGap, EventType

pytestmark = pytest.mark.unit


def event(seq: int) -> Event:
    return Event(seq=seq, time=1.0, type=EventType.TEXT_DELTA, run_id="run_1", data={"text": "two\nlines"})


async def these(*events: Event | EventGap) -> AsyncGenerator[Event | EventGap]:
    for one in events:
        yield one


async def pieces(events: AsyncGenerator[Event | EventGap]) -> list[bytes]:
    return [piece async for piece in event_stream.stream(events).chunks]


async def test_the_head_goes_out_before_anything_happens() -> None:
    assert (await pieces(these()))[0] == b":\n\n"


async def test_an_event_carries_its_number_to_resume_from() -> None:
    lines = (await pieces(these(event(7))))[1].decode().split("\n")
    assert lines[:2] == ["id: 7", "event: text.delta"]
    assert json.loads(lines[2].removeprefix("data: "))["data"] == {"text": "two\nlines"}
    assert lines[3:] == ["", ""]


async def test_a_gap_has_no_number_of_its_own() -> None:
    assert (await pieces(these(EventGap(seq=5))))[1] == b'event: gap\ndata: {"type":"gap","seq":5}\n\n'


async def test_silence_is_broken_by_a_sign_of_life() -> None:
    happens = asyncio.Event()

    async def late() -> AsyncGenerator[Event | EventGap]:
        await happens.wait()
        yield event(1)

    chunks = event_stream.stream(late(), keepalive_s=0.01).chunks
    assert [await anext(chunks) for _ in range(3)] == [b":\n\n"] * 3
    happens.set()
    assert b"id: 1" in await anext(chunks)
    await chunks.aclose()


async def strided(events: AsyncGenerator[Event | EventGap]) -> list[bytes]:
    return [piece async for piece in event_stream.stream(events, stride_s=0.001).chunks]


async def test_what_happened_within_a_stride_comes_together() -> None:
    happened = (event(1), event(2), event(3))
    whole = b"".join(event_stream.encoded(one) for one in happened)
    assert await strided(these(*happened)) == [b":\n\n", whole]
    assert len(await pieces(these(*happened))) == 4


async def test_a_stride_loses_nothing_before_a_failure_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks() -> AsyncGenerator[Event | EventGap]:
        yield event(1)
        yield event(2)
        raise NotFound("There is no such task.")

    chunks = event_stream.stream(breaks(), stride_s=0.001).chunks
    assert [await anext(chunks) for _ in range(2)][1].count(b"id: ") == 2
    with pytest.raises(NotFound):
        await anext(chunks)
    monkeypatch.setattr(event_stream, "_MOST", 1)
    assert [piece.count(b"id: ") for piece in await strided(these(event(1), event(2)))] == [0, 1, 1]


async def test_who_leaves_closes_what_was_followed() -> None:
    closed = asyncio.Event()

    async def forever() -> AsyncGenerator[Event | EventGap]:
        try:
            yield event(1)
            await asyncio.Event().wait()
        finally:
            closed.set()

    chunks = event_stream.stream(forever()).chunks
    await anext(chunks)
    await anext(chunks)
    await chunks.aclose()
    assert closed.is_set()


async def test_a_failure_of_what_is_followed_passes_through() -> None:
    async def broken() -> AsyncGenerator[Event | EventGap]:
        raise NotFound("There is no such task.")
        yield event(1)

    with pytest.raises(NotFound):
        await pieces(broken())


def test_an_error_is_an_event_that_names_it() -> None:
    said = event_stream.failed(NotFound("There is no such task.", "Look again."), "req_1")
    assert said.startswith(b"event: error\ndata: ")
    problem = json.loads(said.removeprefix(b"event: error\ndata: "))
    assert (problem["code"], problem["request_id"]) == ("not_found", "req_1")
