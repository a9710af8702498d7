import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from hearth_backend.api.compat import chat
from hearth_backend.api.compat.choices import numbered, samplings, together
from hearth_backend.gateway.messages import ChatEvent, Sampling, TextDelta
from hearth_shared.errors import ModelFailed
from support.scripted_models import CHOSEN, FINISHED

pytestmark = pytest.mark.unit


async def says(*texts: str) -> AsyncGenerator[ChatEvent]:
    yield CHOSEN
    for text in texts:
        await asyncio.sleep(0)
        yield TextDelta(text)
    yield FINISHED


async def breaks() -> AsyncGenerator[ChatEvent]:
    yield CHOSEN
    raise ModelFailed("It broke.")


class Endless:
    """An answer without an end, that knows whether it was left."""

    left = False

    async def events(self) -> AsyncGenerator[ChatEvent]:
        try:
            while True:
                await asyncio.sleep(0)
                yield TextDelta("on ")
        finally:
            self.left = True


def test_a_seed_of_each_choice_is_its_own() -> None:
    assert [one.seed for one in samplings(Sampling(seed=7), 3)] == [7, 8, 9]
    assert samplings(Sampling(temperature=1), 2) == [Sampling(temperature=1)] * 2


async def test_answers_side_by_side_are_told_apart() -> None:
    texts = {0: "", 1: "", 2: ""}
    async for index, event in numbered([says("a", "b"), says(), says("c", "d", "e")]):
        texts[index] += event.text if isinstance(event, TextDelta) else ""
    assert texts == {0: "ab", 1: "", 2: "cde"}


async def test_one_that_breaks_ends_the_others() -> None:
    endless = Endless()
    with pytest.raises(ModelFailed):
        async for _ in numbered([endless.events(), breaks()]):
            pass
    assert endless.left


async def test_leaving_early_leaves_all() -> None:
    one, other = Endless(), Endless()
    async with aclosing(numbered([one.events(), other.events()])) as events:
        seen: set[int] = set()
        async for index, _ in events:
            seen.add(index)
            if len(seen) == 2:
                break
    assert one.left
    assert other.left


async def test_of_works_together_one_that_fails_stops_the_others() -> None:
    stopped = asyncio.Event()

    async def waits() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return 1

    async def fails() -> int:
        await asyncio.sleep(0)
        raise ModelFailed("no")

    with pytest.raises(ModelFailed):
        await together([waits(), fails()])
    assert stopped.is_set()


async def test_a_stream_of_two_choices_ends_once_with_what_both_took() -> None:
    pieces = [piece async for piece in chat.chunks("c", 1, says("a"), says("b"), tells_usage=True)]
    assert pieces[-1] == chat.DONE
    assert pieces.count(chat.DONE) == 1
    assert b'"completion_tokens":%d' % (2 * FINISHED.output_tokens) in pieces[-2]
    assert sum(b'"finish_reason":"stop"' in piece for piece in pieces) == 2
    assert any(b'"index":1,"delta":{"content":"b"}' in piece for piece in pieces)
