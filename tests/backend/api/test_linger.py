import asyncio

import pytest

from hearth_backend.api.linger import Linger

pytestmark = pytest.mark.unit


class House:
    """Notes when it is left; busy as often as it is told."""

    def __init__(self, *busy: bool) -> None:
        self.left = asyncio.Event()
        self.busy = list(busy)
        self.asked = 0

    async def is_busy(self) -> bool:
        self.asked += 1
        return self.busy.pop(0) if self.busy else False


def timers(linger: Linger) -> bool:
    """Whether it is armed."""
    return linger._timer is not None  # pyright: ignore[reportPrivateUsage]


async def test_nobody_there_for_long_enough_is_the_end() -> None:
    house = House()
    Linger(0.0, house.is_busy, house.left.set).update()
    await asyncio.wait_for(house.left.wait(), 60)


async def test_somebody_there_disarms_it_and_the_last_to_go_arms_it() -> None:
    house = House()
    linger = Linger(1000.0, house.is_busy, house.left.set)
    linger.update()
    assert timers(linger)
    linger.visitors.add("one")
    assert not timers(linger)
    linger.visitors.add("other")
    linger.visitors.discard("one")
    assert not timers(linger)
    linger.visitors.remove("other")
    assert timers(linger)
    linger.stop()
    assert not timers(linger)


async def test_open_work_gives_it_the_same_time_again() -> None:
    house = House(True, True)
    Linger(0.0, house.is_busy, house.left.set).update()
    await asyncio.wait_for(house.left.wait(), 60)
    assert house.asked == 3


async def test_one_that_is_to_stay_is_never_armed() -> None:
    house = House()
    linger = Linger(None, house.is_busy, house.left.set)
    linger.update()
    assert not timers(linger)


async def test_discarding_who_is_not_there_changes_nothing() -> None:
    house = House()
    linger = Linger(1000.0, house.is_busy, house.left.set)
    linger.visitors.discard("nobody")
    assert not timers(linger)
