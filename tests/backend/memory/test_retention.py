from pathlib import Path

import pytest

from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import RestoreRequest
from hearth_shared.settings import Memory as Settings
from support.clock import Clock
from support.rooms_of_memory import MAIN, Room, room

pytestmark = pytest.mark.integration
DAY = 86_400
RULES = {"page": 10.0, "docs.example.org": 2.0, "program": 5.0}


async def left(one: Room) -> set[str]:
    return {episode.text for episode in (await one.memory.list("main", MAIN)).episodes}


async def fill(one: Room) -> None:
    await one.keep("page", source="https://example.org/a")
    await one.keep("docs", source="https://docs.example.org/b")
    await one.keep("program", source="program")
    await one.keep("said")


@pytest.mark.parametrize(
    ("days", "kept"),
    [
        (1, {"page", "docs", "program", "said"}),
        (3, {"page", "program", "said"}),
        (6, {"page", "said"}),
        (11, {"said"}),
        (-30, {"page", "docs", "program", "said"}),
    ],
)
async def test_what_is_over_its_time_goes_at_the_next_start(tmp_path: Path, days: int, kept: set[str]) -> None:
    clock = Clock(1e9)
    async with room(tmp_path, clock=clock, keep_days=RULES) as one:
        await fill(one)
    clock.pass_(days * DAY)
    async with room(tmp_path, clock=clock, keep_days=RULES) as one:
        assert await left(one) == kept
        report = await one.memory.retention.report()
        assert sum(went.episodes for went in report.went) == 4 - len(kept)
        assert {rule.rule: rule.episodes for rule in report.rules}["program"] == int("program" in kept)
        gone = [data for kind, data in one.heard.events if kind is EventType.MEMORY_FORGOTTEN]
        assert all(data["reason"].startswith("kept for ") for data in gone)


async def test_what_went_can_be_brought_back_for_a_while(tmp_path: Path) -> None:
    clock = Clock(1e9)
    async with room(tmp_path, clock=clock, keep_days=RULES) as one:
        await fill(one)
        clock.pass_(6 * DAY)
        one.memory.retention.wake(anew=True)
        await one.memory.settled()
        assert await left(one) == {"page", "said"}
        assert (await one.memory.forgetting.restore(RestoreRequest(), MAIN)).ids


async def test_one_timer_waits_only_while_something_has_an_end(tmp_path: Path) -> None:
    async with room(tmp_path, keep_days=RULES) as one:
        assert not one.memory.retention.waits
        await one.keep("said")
        assert not one.memory.retention.waits
        await one.keep("a", source="program")
        assert one.memory.retention.waits
    (tmp_path / "other").mkdir()
    async with room(tmp_path / "other") as one:
        await one.keep("a", source="program")
        assert not one.memory.retention.waits
        assert (await one.memory.retention.report()).rules == []


def test_a_time_that_is_none_is_refused() -> None:
    for days in (0, -1, "soon"):
        with pytest.raises(ValueError, match="keep_days"):
            Settings.model_validate({"keep_days": {"page": days}})
