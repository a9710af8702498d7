"""Several answers to one request, made side by side: told apart by their index while they stream."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from hearth_backend.gateway.messages import ChatEvent, Finished, Sampling

T = TypeVar("T")
MOST = 8
_WAITING = 64  # events of one that is read slowly; then the models wait
Numbered = tuple[int, ChatEvent]


def samplings(sampling: Sampling, count: int) -> list[Sampling]:
    """One for each choice: with a seed each has its own, or all would say the same."""
    if sampling.seed is None:
        return [sampling] * count
    return [replace(sampling, seed=sampling.seed + number) for number in range(count)]


async def numbered(answers: Sequence[AsyncGenerator[ChatEvent]]) -> AsyncGenerator[Numbered]:
    """All events, each with the index of its answer; the first failure ends all."""
    if len(answers) > 1:
        async with aclosing(_side_by_side(answers)) as events:
            async for both in events:
                yield both
        return
    async with aclosing(answers[0]) as alone:
        async for event in alone:
            yield 0, event
            if isinstance(event, Finished):
                return


async def together(works: Sequence[Awaitable[T]]) -> list[T]:
    """What all of them give; when one fails, the others are stopped."""
    if len(works) == 1:
        return [await works[0]]
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _stopped(tasks)


async def _side_by_side(answers: Sequence[AsyncGenerator[ChatEvent]]) -> AsyncGenerator[Numbered]:
    queue: asyncio.Queue[Numbered | BaseException | None] = asyncio.Queue(_WAITING)
    tasks = [asyncio.create_task(_tell(index, answer, queue)) for index, answer in enumerate(answers)]
    left = len(tasks)
    try:
        while left:
            said = await queue.get()
            if isinstance(said, BaseException):
                raise said
            if said is None:
                left -= 1
            else:
                yield said
    finally:
        await _stopped(tasks)


async def _tell(
    index: int, answer: AsyncGenerator[ChatEvent], queue: "asyncio.Queue[Numbered | BaseException | None]"
) -> None:
    try:
        async with aclosing(answer) as events:
            async for event in events:
                await queue.put((index, event))
    except Exception as error:  # the top of a task: whoever reads the queue raises it
        await queue.put(error)
    else:
        await queue.put(None)


async def _stopped(tasks: "Sequence[asyncio.Future[Any]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
