import asyncio

import pytest

from hearth_backend.watch import Watch

pytestmark = pytest.mark.unit


async def later(seconds: float) -> None:
    """Until every timer that is due before this one has gone off."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


async def test_a_wait_that_takes_too_long_expires_once() -> None:
    told: list[str] = []
    over = asyncio.Event()

    def expire() -> None:
        told.append("over")
        over.set()

    Watch(expire).begin(0.005)
    await over.wait()
    await later(0.03)
    assert told == ["over"]


async def test_a_wait_that_ended_does_not_expire_and_the_next_has_its_own_time() -> None:
    told: list[str] = []
    watch = Watch(lambda: told.append("over"))
    for seconds in (0.005, 300.0):
        watch.begin(seconds)
        watch.end()
    watch.begin(300.0)
    await later(0.03)
    watch.close()
    assert told == []


async def test_a_shorter_wait_after_a_longer_one_expires_in_its_time() -> None:
    over = asyncio.Event()
    watch = Watch(over.set)
    watch.begin(300.0)
    watch.end()
    watch.begin(0.005)
    await over.wait()


async def test_many_waits_take_one_timer() -> None:
    over = asyncio.Event()
    watch = Watch(over.set)
    for _ in range(50):
        watch.begin(0.01)
        await asyncio.sleep(0)
        watch.end()
    watch.begin(0.01)
    await over.wait()


async def test_nothing_expires_after_the_end() -> None:
    told: list[str] = []
    watch = Watch(lambda: told.append("over"))
    watch.begin(0.005)
    watch.close()
    await later(0.03)
    assert told == []
