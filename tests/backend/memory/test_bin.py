from pathlib import Path

import pytest

from hearth_backend.memory.bin import Bin
from hearth_backend.memory.gone import Gone
from hearth_shared.protocol.memory import ForgetRequest
from support.clock import Clock
from support.rooms_of_memory import MAIN, Room, room

pytestmark = pytest.mark.integration
TEXT = "Zanzibar herons: xylograph"


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("hearth.db*")))


async def forget(one: Room) -> None:
    await one.keep("kept", TEXT)
    await one.memory.forget(ForgetRequest(ids=[(await one.find("xylograph"))[0].id]), MAIN)


async def test_what_a_restart_finds_over_its_time_is_erased(tmp_path: Path) -> None:
    clock = Clock()
    async with room(tmp_path, clock=clock) as one:
        await forget(one)
        assert one.memory.forgetting.bin.waits
    assert b"xylograph" in bytes_of(tmp_path)
    clock.pass_(700)
    async with room(tmp_path, clock=clock) as one:
        assert await one.memory.forgetting.bin.list() == []
        assert not one.memory.forgetting.bin.waits
        assert b"xylograph" not in bytes_of(tmp_path)


async def test_a_clock_that_was_set_back_makes_nothing_stay_longer(tmp_path: Path) -> None:
    clock = Clock(1e9)
    async with room(tmp_path, clock=clock) as one:
        await forget(one)
    clock.pass_(-1e6)
    async with room(tmp_path, clock=clock) as one:
        assert [lying.expires_at for lying in await one.memory.forgetting.bin.list()] == [clock.now + 600]
        clock.pass_(601)
        await one.memory.forgetting.bin.look()
        await one.memory.settled()
        assert b"xylograph" not in bytes_of(tmp_path)


async def test_a_window_made_shorter_counts_at_the_next_start(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await forget(one)
    async with room(tmp_path, undo_minutes=0) as one:
        assert await one.memory.forgetting.bin.list() == []


async def test_the_timer_erases_by_itself(tmp_path: Path) -> None:
    async with room(tmp_path, undo_minutes=0.001) as one:
        await forget(one)
        while await one.memory.forgetting.bin.list():
            await one.memory.forgetting.bin.settled()
        assert b"xylograph" not in bytes_of(tmp_path)


async def test_a_crash_before_the_scrubbing_has_every_page_rewritten(tmp_path: Path) -> None:
    clock = Clock()
    async with room(tmp_path, clock=clock) as one:
        await forget(one)
        await one.database.execute("delete from forgotten_row")
    clock.pass_(700)
    async with room(tmp_path, clock=clock) as one:
        assert await one.memory.forgetting.bin.list() == []
        assert b"xylograph" not in bytes_of(tmp_path)


class Busy:
    """A place where somebody writes, for so many tries."""

    def __init__(self, tries: int) -> None:
        self.tries = tries
        self.asked: list[Gone] = []

    async def quoting(self, gone: Gone) -> int:
        return 1

    async def erase(self, gone: Gone) -> bool:
        self.asked.append(gone)
        return len(self.asked) > self.tries


async def test_what_is_quoted_by_a_task_at_work_waits_for_it(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await forget(one)
        place = Busy(1)
        other = Bin(one.database, [place], window_s=600, clock=lambda: 0.0)
        id = (await other.list())[0].id
        assert not await other.erase(id)
        assert [lying.id for lying in await other.list()] == [id]
        assert await other.erase(id)
        assert await other.list() == []
        first = place.asked[0]
        assert (first.texts, first.own) == ((TEXT,), frozenset({"zanzibar", "herons", "xylograph"}))
