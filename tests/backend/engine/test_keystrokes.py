"""Typing faster than suggestions are read."""

import asyncio

import pytest

from hearth_backend.engine.keystrokes import Keystrokes
from hearth_shared.errors import Cancelled

pytestmark = pytest.mark.unit
DOCUMENT = ("me", "a.py")


class Time:
    """A clock whose sleepers wake when it gets there."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.now + seconds, woken))
        await woken.wait()

    async def pass_(self, seconds: float) -> None:
        self.now += seconds
        for due, woken in self._sleepers:
            if due <= self.now:
                woken.set()
        for _ in range(5):
            await asyncio.sleep(0)


async def asked(spacing: float, count: int = 20) -> list[int]:
    """Which of `count` keystrokes reach the model."""
    time, reached = Time(), list[int]()
    keystrokes = Keystrokes(0.1, lambda: time.now, time.sleep)

    async def press(number: int) -> None:
        await keystrokes.settle(DOCUMENT)
        reached.append(number)

    pressed: list[asyncio.Task[None]] = []
    for number in range(count):
        pressed.append(asyncio.create_task(press(number)))
        await time.pass_(0)
        await time.pass_(spacing)
    await time.pass_(1)
    ends = await asyncio.gather(*pressed, return_exceptions=True)
    assert all(end is None or isinstance(end, Cancelled) for end in ends)
    return reached


async def test_of_twenty_in_a_second_the_first_and_the_last_reach_the_model() -> None:
    assert await asked(0.05) == [0, 19]


async def test_at_a_persons_pace_every_keystroke_is_answered_at_once() -> None:
    assert await asked(0.15) == list(range(20))


async def test_documents_do_not_wait_for_each_other() -> None:
    keystrokes = Keystrokes()
    async with asyncio.timeout(60):
        await keystrokes.settle(DOCUMENT)
        await keystrokes.settle(("me", "b.py"))
        await keystrokes.settle(("you", "a.py"))
