import asyncio
from collections.abc import AsyncGenerator

import pytest

from hearth_backend.gateway import stream
from hearth_shared.errors import IncompleteAnswer, ModelFailed, ModelUnavailable

pytestmark = pytest.mark.unit


async def given(*chunks: bytes, then_silence: bool = False) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk
    if then_silence:
        await asyncio.Event().wait()


async def read(*chunks: bytes) -> list[str]:
    return [data async for data in stream.events(given(*chunks), 5, 5)]


async def test_events_are_cut_at_blank_lines_wherever_the_bytes_were_cut() -> None:
    whole = b": hello\r\ndata: one\r\n\r\nevent: x\ndata: two\ndata:three\n\ndata: [DONE]\n"
    for size in (1, 2, 3, 7, len(whole)):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert await read(*pieces) == ["one", "two\nthree", "[DONE]"]


async def test_broken_text_does_not_break_the_stream() -> None:
    assert await read(b"data: \xff\n\n") == ["\ufffd"]


async def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(ModelFailed):
        await read(b"data: ", *[b"x" * 65536] * 20)


async def test_silence_ends_the_wait() -> None:
    events = stream.events(given(b"data: one\n\n", then_silence=True), 5, 0.01)
    assert await anext(events) == "one"
    with pytest.raises(IncompleteAnswer):
        await anext(events)


async def test_the_first_bytes_have_a_time_of_their_own() -> None:
    with pytest.raises(IncompleteAnswer):
        await anext(stream.events(given(then_silence=True), 0.01, 300))
    events = stream.events(given(b"data: one\n\n", then_silence=True), 300, 0.01)
    assert await anext(events) == "one"
    with pytest.raises(IncompleteAnswer):
        await anext(events)


async def test_a_reader_that_takes_its_time_is_no_silence() -> None:
    events = stream.events(given(b"data: one\n\n", b"data: two\n\n"), 0.01, 0.01)
    assert await anext(events) == "one"
    longer = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, longer.set)
    await longer.wait()
    assert await anext(events) == "two"
    await events.aclose()


async def test_who_is_cancelled_while_it_waits_is_cancelled() -> None:
    waits = asyncio.Event()

    async def silent() -> AsyncGenerator[bytes]:
        waits.set()
        await asyncio.Event().wait()
        yield b""

    reading = asyncio.ensure_future(anext(stream.events(silent(), 300, 300)))
    await waits.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_body_that_is_too_large_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="more than was asked"):
        await stream.whole(given(*[b"x" * (1 << 20)] * 9), 5)


async def test_a_body_that_does_not_end_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="in time"):
        await stream.whole(given(b"x", then_silence=True), 0.01)


def test_patience_is_what_the_settings_say_and_never_longer_than_somebody_waits() -> None:
    assert stream.AWAY.set_to(None, None) == stream.AWAY
    assert stream.AWAY.set_to(7, 3) == stream.Patience(5, 7, 3)
    assert stream.AWAY.until(None, 100) == stream.AWAY
    assert stream.AWAY.until(110, 100) == stream.Patience(5, 10, 10)
    assert stream.AWAY.until(90, 100).first_s > 0
