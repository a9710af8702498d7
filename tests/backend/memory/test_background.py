from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from hearth_backend.memory.background import Background
from hearth_backend.memory.extraction import Extraction
from hearth_shared.protocol.memory import EpisodeBatch, ForgetRequest
from support.clock import Clock
from support.rooms_of_memory import MAIN, Room, room, turns

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
TALK = (
    "The roof of the house leaks above the kitchen.",
    "Karsten can mend the roof of the house on Friday.",
    "The tiles for the roof cost 840 euros in Halle.",
    "We decided to take the red tiles for the house.",
)


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncGenerator[Room]:
    async with room(tmp_path, clock=Clock(NOW.timestamp())) as home:
        yield home


async def told(
    home: Room, session: str, *texts: str, days_ago: float = 0.0, space: str = "main", sensitivity: str = "normal"
) -> list[str]:
    """A conversation, summarised."""
    episodes = turns(
        *texts,
        start=NOW - timedelta(days=days_ago, hours=1),
        prefix=session,
        session=session,
        origin="turn",
        speaker="me",
        source="person",
        sensitivity=sensitivity,
    )
    batch = EpisodeBatch(space=space, episodes=episodes)
    stored = await home.memory.remember(batch, spaces={space})
    await read(home)
    return stored.ids


async def read(home: Room) -> None:
    extraction = Extraction(home.database, clock=Clock(NOW.timestamp()))
    await extraction.start()
    await extraction.settled()
    await extraction.close()


def background(home: Room) -> Background:
    return Background(home.database, clock=Clock(NOW.timestamp()))


async def test_a_line_is_the_words_of_one_memory_and_says_which(home: Room) -> None:
    ids = await told(home, "thread_roof", *TALK)
    lines = await background(home).lines(MAIN, "thread_other")
    assert lines
    assert {line.id for line in lines} <= set(ids)
    assert all(line.quote in TALK for line in lines)
    assert all(line.occurred_at is not None and line.kind == "memory" and line.trusted for line in lines)


async def test_the_week_before_comes_first_then_this_weeks_talks(home: Room) -> None:
    old = await told(home, "thread_old", *(text.replace("roof", "boat") for text in TALK), days_ago=7)
    new = await told(home, "thread_new", *TALK)
    ids = [line.id for line in await background(home).lines(MAIN, None)]
    first_new = min(place for place, id in enumerate(ids) if id in new)
    assert set(ids[:first_new]) <= set(old)
    assert first_new == len([id for id in ids if id in old]) > 0


async def test_weeks_long_ago_are_no_background(home: Room) -> None:
    await told(home, "thread_old", *TALK, days_ago=60)
    assert await background(home).lines(MAIN, None) == []


async def test_the_thread_itself_is_told_only_of_what_its_prompt_no_longer_holds(home: Room) -> None:
    ids = await told(home, "thread_roof", *TALK)
    assert await background(home).lines(MAIN, "thread_roof") == []
    start = (NOW - timedelta(hours=1)).timestamp()
    assert await background(home).lines(MAIN, "thread_roof", start) == []
    older = await background(home).lines(MAIN, "thread_roof", start + 100)
    assert {line.id for line in older} <= set(ids[:2])
    assert older


async def test_nothing_of_a_forgotten_memory_stands_in_a_line(home: Room) -> None:
    ids = await told(home, "thread_old", *TALK, days_ago=7) + await told(
        home, "thread_new", *(text.replace("roof", "boat") for text in TALK)
    )
    for id in ids:
        shown = {line.id for line in await background(home).lines(MAIN, None)}
        if id not in shown:
            continue
        await home.memory.forget(ForgetRequest(ids=[id], dry_run=False), MAIN)
        assert id not in {line.id for line in await background(home).lines(MAIN, None)}
        await read(home)
        assert id not in {line.id for line in await background(home).lines(MAIN, None)}


async def test_another_space_is_not_told_of(home: Room) -> None:
    await told(home, "thread_work", *TALK, space="work")
    assert await background(home).lines(MAIN, None) == []
    assert await background(home).lines({"work"}, None)
    assert await background(home).lines(frozenset(), None) == []


async def test_what_must_stay_here_says_so(home: Room) -> None:
    await told(home, "thread_roof", *TALK, sensitivity="local only")
    assert {line.local_only for line in await background(home).lines(MAIN, None)} == {True}
