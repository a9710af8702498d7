"""Many limits, one timer."""

import asyncio

import pytest

from hearth_backend.api.deadlines import Deadlines, Within

pytestmark = pytest.mark.unit


async def test_what_takes_too_long_ends_with_a_timeout() -> None:
    with pytest.raises(TimeoutError), Within(Deadlines(0.01)):
        await asyncio.Event().wait()


async def test_after_a_timeout_the_task_goes_on_as_if_never_cancelled() -> None:
    with pytest.raises(TimeoutError), Within(Deadlines(0.01)):
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_what_ends_in_time_is_left_alone() -> None:
    deadlines = Deadlines(60)
    with Within(deadlines):
        await asyncio.sleep(0)
    assert not deadlines._due  # pyright: ignore[reportPrivateUsage]


async def test_an_error_of_its_own_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), Within(Deadlines(60)):
        raise ZeroDivisionError


async def test_a_cancel_from_outside_stays_a_cancel() -> None:
    entered = asyncio.Event()

    async def wait() -> None:
        with Within(Deadlines(60)):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_each_that_is_over_is_told_once_and_the_others_stay() -> None:
    deadlines, told, both = Deadlines(0.01), list[str](), asyncio.Event()
    deadlines.add("a", lambda: told.append("a"))
    deadlines.add("b", lambda: (told.append("b"), both.set()))
    deadlines.add("dropped", lambda: told.append("dropped"))
    deadlines.drop("dropped")
    await asyncio.wait_for(both.wait(), 60)
    assert told == ["a", "b"]


async def test_no_timer_is_left_when_nothing_waits() -> None:
    deadlines, over = Deadlines(0.01), asyncio.Event()
    deadlines.add("a", over.set)
    await asyncio.wait_for(over.wait(), 60)
    assert deadlines._timer is None  # pyright: ignore[reportPrivateUsage]
