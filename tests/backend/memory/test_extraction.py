import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from hearth_backend.memory.extraction import Extraction
from hearth_backend.memory.statement import Statement
from hearth_backend.storage.driver import Row
from hearth_shared.protocol.memory import EpisodeBatch
from support.clock import Clock
from support.rooms_of_memory import MAIN, START, Room, room, turns

pytestmark = pytest.mark.integration


@dataclass
class Watched:
    """A reader that notes how much it was given, and whether that was while it should have paused."""

    read_while_paused: list[bool] = field(default_factory=list[bool])
    sizes: list[int] = field(default_factory=list[int])
    extraction: Extraction | None = None
    pause_at: int = 0
    paused: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, turns: Sequence[Row]) -> Mapping[int, Sequence[Statement]]:
        assert self.extraction is not None
        self.read_while_paused.append(self.extraction.is_paused)
        self.sizes.append(len(turns))
        if len(self.sizes) == self.pause_at:
            self.extraction.give_way(is_busy=True)
            self.paused.set()
        return {}


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncGenerator[Room]:
    async with room(tmp_path) as home:
        yield home


async def told(home: Room, count: int) -> None:
    batch = EpisodeBatch(episodes=turns(*(f"I own {n} boats." for n in range(count)), origin="turn", session="s"))
    await home.memory.remember(batch, spaces=MAIN)


def extraction(home: Room, reader: Watched) -> Extraction:
    reader.extraction = Extraction(home.database, clock=Clock(START.timestamp()), model=reader)
    return reader.extraction


async def test_nothing_is_read_while_somebody_waits_and_all_of_it_afterwards(home: Room) -> None:
    reader = Watched()
    reading = extraction(home, reader)
    reading.give_way(is_busy=True)
    await reading.start()
    await told(home, 20)
    reading.wake()
    assert await reading.waiting() == 20
    reading.give_way(is_busy=False)
    async with asyncio.timeout(60):
        await reading.settled()
    assert reader.read_while_paused == [False, False]
    assert await reading.waiting() == 0
    await reading.close()


async def test_a_question_between_two_batches_is_given_way_to(home: Room) -> None:
    reader = Watched(pause_at=1)
    reading = extraction(home, reader)
    await told(home, 40)
    await reading.start()
    async with asyncio.timeout(60):
        await reader.paused.wait()
        while await reading.waiting() == 40:  # the batch at hand is finished
            pass
    assert reader.sizes == [16]
    reading.give_way(is_busy=False)
    async with asyncio.timeout(60):
        await reading.settled()
    assert reader.sizes == [16, 16, 8]
    assert reader.read_while_paused == [False, False, False]
    await reading.close()


async def test_no_summary_is_made_while_somebody_waits(home: Room) -> None:
    reader = Watched(pause_at=1)
    reading = extraction(home, reader)
    await told(home, 8)
    await reading.start()
    async with asyncio.timeout(60):
        await reader.paused.wait()
        while await reading.waiting():
            pass
    assert await home.database.fetch("select 1 from summary") == []
    reading.give_way(is_busy=False)
    async with asyncio.timeout(60):
        await reading.settled()
    assert await home.database.fetch("select level from summary order by level") != []
    await reading.close()
