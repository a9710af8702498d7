import asyncio
import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_backend.orchestrator.approvals import Asked
from hearth_backend.orchestrator.requester import PERSON
from hearth_shared.errors import NotFound
from hearth_shared.protocol.events import Event, EventGap, EventType
from hearth_shared.protocol.tasks import TaskRequest
from support.orchestra import AGENT, ME, STRANGER, Orchestra, first, only_events, orchestra, say_ok

pytestmark = pytest.mark.integration
DAY = 86_400.0


async def record(band: Orchestra, number: int, owner: str = PERSON) -> Event:
    return await band.events.record(EventType.MEMORY_STORED, owner=owner, data={"number": number})


def numbers(events: list[Event]) -> list[int]:
    return [event.data["number"] for event in events]


async def test_an_event_has_the_next_number(band: Orchestra) -> None:
    assert [(await record(band, number)).seq for number in range(3)] == [1, 2, 3]


async def test_a_follower_reads_on_from_where_it_was(band: Orchestra) -> None:
    for number in range(5):
        await record(band, number)
    assert numbers(await first(3, band.events.follow(PERSON, after_seq=2))) == [2, 3, 4]


async def test_a_follower_without_a_place_hears_what_comes_from_now_on(band: Orchestra) -> None:
    await record(band, 0)
    following = asyncio.create_task(first(2, band.events.follow(PERSON, after_seq=None)))
    while not following.done():
        await record(band, 1)
    heard = numbers(await following)
    assert heard == [1, 1]


async def test_what_comes_after_the_table_was_read_is_heard_live(band: Orchestra) -> None:
    await record(band, 0)
    following = band.events.follow(PERSON, after_seq=0)
    assert numbers(await first(1, following)) == [0]
    await following.aclose()
    following = band.events.follow(PERSON, after_seq=0)
    async with contextlib.aclosing(following):
        assert (await anext(following)).seq == 1
        waiting = asyncio.ensure_future(anext(following))
        await record(band, 1)
        assert (await waiting).seq == 2


async def test_a_slow_follower_of_a_small_queue_misses_nothing(tmp_path: Path) -> None:
    async with orchestra(tmp_path / "a.db", waiting=3) as band:
        following = band.events.follow(PERSON, after_seq=0)
        async with contextlib.aclosing(following):
            live = asyncio.ensure_future(anext(following))
            await settled(band)
            for number in range(300):
                await record(band, number)
            heard = [await live, *[await anext(following) for _ in range(299)]]
        assert numbers(only_events(heard)) == list(range(300))


async def settled(band: Orchestra) -> None:
    """Let a follower read the table up and wait."""
    for _ in range(4):
        await band.database.fetch("select 1")


async def test_nobody_hears_of_what_belongs_to_somebody_else(band: Orchestra) -> None:
    await record(band, 0)
    await record(band, 1, owner=STRANGER.owner)
    await record(band, 2)
    assert numbers(await first(1, band.events.follow(STRANGER.owner, after_seq=0))) == [1]
    assert numbers(await first(2, band.events.follow(PERSON, after_seq=0))) == [0, 2]


async def test_nor_live(band: Orchestra) -> None:
    following = band.events.follow(STRANGER.owner, after_seq=0)
    async with contextlib.aclosing(following):
        waiting = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        await record(band, 0)
        await record(band, 1, owner=STRANGER.owner)
        event = await waiting
    assert isinstance(event, Event)
    assert event.data == {"number": 1}


async def test_the_owner_of_an_event_does_not_go_over_the_wire(band: Orchestra) -> None:
    event = await record(band, 1, owner=STRANGER.owner)
    assert Event.model_validate_json(event.model_dump_json()) == Event.model_validate(event.model_dump())
    assert "stranger" not in event.model_dump_json()


async def test_following_a_run_ends_with_its_last_event(band: Orchestra) -> None:
    async with band.working(say_ok):
        task = await band.runs.submit(ME, AGENT, TaskRequest(goal="go"))
        story = await band.story(task.task_id)
    kinds = [event.type for event in story]
    assert kinds == [EventType.TASK_QUEUED, EventType.TASK_STARTED, EventType.TASK_FINISHED]


async def test_following_a_run_that_ended_ends_too_wherever_one_begins(band: Orchestra) -> None:
    async with band.working(say_ok):
        task = await band.runs.submit(ME, AGENT, TaskRequest(goal="go"))
        story = await band.story(task.task_id)
    for place, event in enumerate(story):
        following = band.events.follow(PERSON, after_seq=event.seq, run_id=task.task_id)
        assert [later async for later in following] == story[place + 1 :]


@pytest.mark.parametrize("owner", [PERSON, "client:other"])
async def test_a_run_that_is_not_mine_is_not_there(band: Orchestra, owner: str) -> None:
    task = await band.runs.submit(STRANGER, AGENT, TaskRequest(goal="go"))
    with pytest.raises(NotFound):
        await anext(band.events.follow(owner, after_seq=None, run_id=task.task_id))


async def test_the_person_hears_of_every_approval(band: Orchestra) -> None:
    await band.approvals.request(
        Asked(agent_id=AGENT, owner=STRANGER.owner, door="http", tool="send", args={}, sha256="")
    )
    await record(band, 1)
    heard = await first(2, band.events.follow(PERSON, after_seq=0))
    assert [event.type for event in heard] == [EventType.APPROVAL_REQUESTED, EventType.MEMORY_STORED]


async def test_closing_ends_every_follower(band: Orchestra) -> None:
    await record(band, 0)
    following = band.events.follow(PERSON, after_seq=0)
    await anext(following)
    waiting = asyncio.ensure_future(anext(following, None))
    await asyncio.sleep(0)
    band.events.close()
    assert await waiting is None


async def test_old_events_are_pruned_and_who_asks_for_them_is_told(band: Orchestra) -> None:
    for number in range(3):
        await record(band, number)
    band.clock.pass_(DAY)
    await record(band, 3)
    assert await band.events.prune(band.clock.now - 10) == 3
    following = band.events.follow(PERSON, after_seq=1)
    async with contextlib.aclosing(following):
        assert await anext(following) == EventGap(seq=3)
        assert (await anext(following)).seq == 4
    assert numbers(await first(1, band.events.follow(PERSON, after_seq=3))) == [3]


async def test_who_asks_for_what_is_not_yet_there_goes_on_from_now(band: Orchestra) -> None:
    """A restored backup has fewer events than were seen before."""
    await record(band, 0)
    following = band.events.follow(PERSON, after_seq=500)
    async with contextlib.aclosing(following):
        assert await anext(following) == EventGap(seq=1)
        await record(band, 1)
        assert (await anext(following)).seq == 2


async def test_who_was_up_to_date_is_not_told_of_a_gap_when_all_is_pruned(band: Orchestra) -> None:
    await record(band, 0)
    band.clock.pass_(DAY)
    await band.events.prune(band.clock.now)
    following = asyncio.create_task(first(1, band.events.follow(PERSON, after_seq=1)))
    while not following.done():
        await record(band, 1)
    assert numbers(await following) == [1]


async def test_the_events_of_an_open_run_are_not_pruned(band: Orchestra) -> None:
    task = await band.runs.submit(ME, AGENT, TaskRequest(goal="go"))
    band.clock.pass_(100 * DAY)
    assert await band.runs.prune() == 0
    async with band.working(say_ok):
        assert len(await band.story(task.task_id)) == 3
    band.clock.pass_(89 * DAY)
    assert await band.runs.prune() == 0
    band.clock.pass_(2 * DAY)
    assert await band.runs.prune() == 3
    gone = [item async for item in band.events.follow(PERSON, after_seq=None, run_id=task.task_id)]
    assert gone == [EventGap(seq=0)]


class Ear:
    """A follower that waits for an event, reads one, or is cut off and comes back."""

    def __init__(self, band: Orchestra) -> None:
        self._band = band
        self._following = band.events.follow(PERSON, after_seq=0)
        self._next: asyncio.Future[Event | EventGap] | None = None
        self.heard: list[Event | EventGap] = []

    async def listen(self) -> None:
        self._next = self._next or asyncio.ensure_future(anext(self._following))
        await settled(self._band)

    async def read(self) -> None:
        self.heard.append(await (self._next or anext(self._following)))
        self._next = None

    async def cut(self) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait([self._next])
            self._next = None
        await self._following.aclose()
        self._following = self._band.events.follow(PERSON, after_seq=len(self.heard))


@given(
    waiting=st.integers(1, 20),
    script=st.lists(st.sampled_from(["record", "record", "record", "listen", "read", "cut"]), max_size=60),
)
@settings(max_examples=25, deadline=None)
def test_wherever_the_stream_is_cut_nothing_is_lost_or_doubled(waiting: int, script: list[str]) -> None:
    async def play(folder: str) -> None:
        async with orchestra(Path(folder) / "a.db", waiting=waiting) as band:
            ear, recorded = Ear(band), 0
            for move in script:
                if move == "record":
                    await record(band, recorded)
                    recorded += 1
                elif move == "listen":
                    await ear.listen()
                elif move == "read" and len(ear.heard) < recorded:
                    await ear.read()
                elif move == "cut":
                    await ear.cut()
            while len(ear.heard) < recorded:
                await ear.read()
            await ear.cut()
            assert numbers(only_events(ear.heard)) == list(range(recorded))

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(folder))
