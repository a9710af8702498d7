import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hearth_backend.memory.at_hand import AtHand
from hearth_backend.memory.forgetting import Forgetting
from hearth_backend.orchestrator.journal import RunJournal
from hearth_backend.orchestrator.requester import PERSON
from hearth_backend.orchestrator.run_store import Claim, Failed, Finished, Stopped
from hearth_shared.errors import Conflict, NotFound
from hearth_shared.protocol.memory import EpisodeBatch, ForgetRequest, RestoreRequest
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import Answer, Failure, Lane
from hearth_shared.protocol.threads import MessageRequest, ThreadRequest, WorkingRequest
from support.memories import memory
from support.orchestra import ME, STRANGER, Orchestra, orchestra
from support.rooms_of_memory import MAIN, Room, room, turns

pytestmark = pytest.mark.integration

GAVE: dict[str, Any] = {"text": "The roof leaks.", "trusted": True, "private": False, "sources": [], "mistake": ""}


@dataclass(frozen=True)
class Talk:
    """One thread, and what it has at hand."""

    band: Orchestra
    at_hand: AtHand
    thread_id: str

    async def ask(self, text: str, **more: Any) -> Claim:
        """Say something; the run that answers it, claimed."""
        await self.band.runs.say(ME, self.thread_id, MessageRequest(text=text, **more))
        claim = await self.band.runs.store.claim(Lane.INDEXING, 60)
        assert claim is not None
        return claim

    async def use(self, claim: Claim, tool: str = "look", **gave: Any) -> None:
        """A tool gives something in this run."""

        async def body() -> Any:
            return GAVE | gave

        journal = RunJournal(self.band.runs.store, claim)
        await journal.step(f"tool.{tool}", "call_1", body)
        await journal.close()

    async def answered(self, question: str, **gave: Any) -> Claim:
        """A question, a tool's result, an answer."""
        claim = await self.ask(question)
        await self.use(claim, **gave)
        await self.band.runs.store.finish(claim, Finished(Answer(text="So it is.")), ())
        return claim

    async def version(self) -> int:
        return (await self.at_hand.get(PERSON, self.thread_id)).version


@pytest_asyncio.fixture
async def talk(tmp_path: Path) -> AsyncGenerator[Talk]:
    async with orchestra(tmp_path / "hearth.db") as band:
        thread = await band.threads.create(ME, ThreadRequest())
        at_hand = AtHand(band.database, clock=band.clock)
        yield Talk(band, at_hand, thread.id)
        await at_hand.close()


async def test_turns_results_and_the_open_task_are_at_hand(talk: Talk) -> None:
    await talk.answered("What about the roof?")
    claim = await talk.ask("Mend it")
    found = await talk.at_hand.get(PERSON, talk.thread_id)
    assert [turn.text for turn in found.turns] == ["What about the roof?", "So it is.", "Mend it"]
    assert [(result.tool, result.text, result.trusted) for result in found.results] == [
        ("look", "The roof leaks.", True)
    ]
    assert found.run is not None
    assert (found.run.run_id, found.run.status.value) == (claim.run.id, "running")


async def test_a_run_reads_the_results_before_it_and_not_its_own(talk: Talk) -> None:
    await talk.answered("What about the roof?")
    claim = await talk.ask("Mend it")
    await talk.use(claim, text="Its own.")
    held = await talk.at_hand.held(claim.run.id, talk.thread_id)
    assert [result.text for result in held.results] == ["The roof leaks."]
    assert held.broken_off == ""


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (Stopped(None), "cancelled"),
        (Failed(Failure(code="x", detail="The disk was full.", fix="", retryable=False), None), "The disk was full."),
        (Finished(Answer(text="done")), ""),
    ],
)
async def test_the_next_question_hears_how_the_one_before_broke_off(talk: Talk, end: Any, told: str) -> None:
    claim = await talk.ask("Mend the roof")
    await talk.band.runs.store.finish(claim, end, ())
    again = await talk.ask("Go on")
    assert (await talk.at_hand.held(again.run.id, talk.thread_id)).broken_off == told


async def test_of_two_doors_the_second_with_a_stale_version_learns_both_and_nothing_is_lost(talk: Talk) -> None:
    seen = await talk.version()
    first = await talk.at_hand.put(PERSON, talk.thread_id, WorkingRequest(version=seen, task="the roof"), "tray")
    with pytest.raises(Conflict) as refused:
        await talk.at_hand.put(PERSON, talk.thread_id, WorkingRequest(version=seen, task="the cellar"), "editor")
    assert refused.value.data == {"version": first.version, "seen_version": seen}
    found = await talk.at_hand.get(PERSON, talk.thread_id)
    assert found.task is not None
    assert (found.task.text, found.task.door, found.version) == ("the roof", "tray", seen + 1)


async def test_of_many_at_once_one_wins(talk: Talk) -> None:
    seen = await talk.version()
    doors = [
        talk.at_hand.put(PERSON, talk.thread_id, WorkingRequest(version=seen, task=f"task {n}"), "tray")
        for n in range(8)
    ]
    told = await asyncio.gather(*doors, return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in told) == 7
    assert await talk.version() == seen + 1


async def test_what_was_said_meanwhile_makes_a_version_stale(talk: Talk) -> None:
    seen = await talk.version()
    await talk.ask("Something else")
    with pytest.raises(Conflict, match=f"you saw version {seen}, it is at {seen + 1}"):
        await talk.at_hand.put(PERSON, talk.thread_id, WorkingRequest(version=seen, task="x"), "tray")
    with pytest.raises(Conflict) as refused:
        await talk.ask("And this", version=seen)
    assert refused.value.data == {"version": seen + 1, "seen_version": seen}


async def test_after_an_hour_nothing_is_at_hand(talk: Talk) -> None:
    await talk.answered("What about the roof?")
    await talk.at_hand.put(
        PERSON, talk.thread_id, WorkingRequest(version=await talk.version(), task="the roof"), "tray"
    )
    talk.band.clock.pass_(3599)
    assert (await talk.at_hand.get(PERSON, talk.thread_id)).results
    talk.band.clock.pass_(2)
    found = await talk.at_hand.get(PERSON, talk.thread_id)
    assert (found.task, found.run, found.turns, found.results) == (None, None, [], [])


async def test_a_task_that_is_used_stays_for_another_hour(talk: Talk) -> None:
    await talk.at_hand.put(
        PERSON, talk.thread_id, WorkingRequest(version=await talk.version(), task="the roof"), "tray"
    )
    for _ in range(3):
        talk.band.clock.pass_(3000)
        assert (await talk.at_hand.held("run_x", talk.thread_id)).task == "the roof"
    talk.band.clock.pass_(3601)
    assert (await talk.at_hand.held("run_x", talk.thread_id)).task == ""


async def test_a_restart_within_the_hour_loses_nothing_and_after_it_the_task_is_off_the_disk(talk: Talk) -> None:
    await talk.answered("What about the roof?")
    await talk.at_hand.put(
        PERSON, talk.thread_id, WorkingRequest(version=await talk.version(), task="the roof"), "tray"
    )
    before = await talk.at_hand.get(PERSON, talk.thread_id)
    await talk.at_hand.close()
    again = AtHand(talk.band.database, clock=talk.band.clock)
    await again.start()
    assert await again.get(PERSON, talk.thread_id) == before
    assert again.waits
    await again.close()
    talk.band.clock.pass_(3600)
    late = AtHand(talk.band.database, clock=talk.band.clock)
    await late.start()
    assert not late.waits
    assert await talk.band.database.fetch("select * from working") == []


async def test_a_clock_set_back_does_not_keep_a_task_for_ever(talk: Talk) -> None:
    await talk.at_hand.put(
        PERSON, talk.thread_id, WorkingRequest(version=await talk.version(), task="the roof"), "tray"
    )
    talk.band.clock.pass_(-900_000)
    again = AtHand(talk.band.database, clock=talk.band.clock)
    await again.start()
    talk.band.clock.pass_(3601)
    assert (await again.get(PERSON, talk.thread_id)).task is None
    await again.close()


async def test_an_expired_task_goes_by_itself(tmp_path: Path) -> None:
    async with orchestra(tmp_path / "hearth.db") as band:
        thread = await band.threads.create(ME, ThreadRequest())
        at_hand = AtHand(band.database, ttl_s=0.0)
        await at_hand.put(PERSON, thread.id, WorkingRequest(version=thread.version, task="soon gone"), "tray")
        async with asyncio.timeout(30):
            await at_hand.settled()
        assert await band.database.fetch("select * from working") == []
        await at_hand.close()
        assert not at_hand.waits


async def test_taking_a_task_away_leaves_no_timer(talk: Talk) -> None:
    for task in ("the roof", "  "):
        request = WorkingRequest(version=await talk.version(), task=task)
        found = await talk.at_hand.put(PERSON, talk.thread_id, request, "tray")
    assert found.task is None
    assert not talk.at_hand.waits


async def test_a_thread_of_somebody_else_is_not_there(talk: Talk) -> None:
    other = STRANGER.owner
    with pytest.raises(NotFound):
        await talk.at_hand.get(other, talk.thread_id)
    with pytest.raises(NotFound):
        await talk.at_hand.put(other, talk.thread_id, WorkingRequest(version=1, task="x"), Door.HTTP.value)


async def test_results_are_bounded_in_number_and_length(talk: Talk) -> None:
    for n in range(14):
        await talk.answered(f"Question {n}", text=f"{n} " + "x" * 40_000)
    claim = await talk.ask("And?")
    held = await talk.at_hand.held(claim.run.id, talk.thread_id)
    assert sum(len(result.text) for result in held.results) <= 400_000
    assert held.results[0].text.startswith("13 ")
    shown = await talk.at_hand.get(PERSON, talk.thread_id)
    assert all(len(result.text) < 2100 and result.characters > 40_000 for result in shown.results)
    assert len(shown.turns) == 12


async def test_what_was_read_again_does_not_stand_there_twice(talk: Talk) -> None:
    claim = await talk.ask("Look")
    await talk.use(claim, "read_again")
    assert (await talk.at_hand.get(PERSON, talk.thread_id)).results == []


async def test_what_failed_was_refused_or_called_wrongly_gave_nothing(talk: Talk) -> None:
    claim = await talk.ask("Look")
    await talk.use(claim, text="", mistake="Give a path.")
    assert (await talk.at_hand.get(PERSON, talk.thread_id)).results == []


async def test_what_must_stay_here_is_marked_and_not_told_outside(talk: Talk) -> None:
    claim = await talk.ask("Look", local_only=True)
    await talk.use(claim)
    await talk.band.runs.store.finish(claim, Finished(Answer(text="So.")), ())
    assert [result.local_only for result in (await talk.at_hand.get(PERSON, talk.thread_id)).results] == [True]
    assert (await talk.at_hand.get(PERSON, talk.thread_id, outside=True)).results == []


# -- forgetting


async def remember(home: Room, talk: Talk, claim: Claim, text: str) -> str:
    batch = EpisodeBatch(space="main", episodes=turns(text, external_id=claim.run.id, origin="turn"))
    stored = await home.memory.remember(batch, spaces=MAIN, thread_id=talk.thread_id)
    return stored.ids[0]


@pytest_asyncio.fixture
async def home(tmp_path: Path, talk: Talk) -> AsyncGenerator[Room]:
    """A memory over the same database file."""
    async with room(tmp_path, clock=talk.band.clock) as home:
        yield home


async def test_a_forgotten_thread_has_nothing_at_hand_and_gets_it_back_with_its_memory(home: Room, talk: Talk) -> None:
    claim = await talk.answered("What about the roof?")
    await remember(home, talk, claim, "What about the roof?")
    await talk.at_hand.put(
        PERSON, talk.thread_id, WorkingRequest(version=await talk.version(), task="the roof"), "tray"
    )
    request = ForgetRequest(thread_id=talk.thread_id, dry_run=False)
    forgetting: Forgetting = home.memory.forgetting
    await forgetting.forget(request, MAIN)
    found = await talk.at_hand.get(PERSON, talk.thread_id)
    assert (found.task, found.run, found.turns, found.results) == (None, None, [], [])
    assert (await talk.at_hand.held("run_x", talk.thread_id)).all_forgotten
    await forgetting.restore(RestoreRequest(), MAIN)
    assert (await talk.at_hand.get(PERSON, talk.thread_id)).task is not None


async def test_a_forgotten_turn_is_not_at_hand_from_that_moment_on(home: Room, talk: Talk) -> None:
    claim = await talk.answered("My PIN is 4711")
    id = await remember(home, talk, claim, "My PIN is 4711")
    await talk.answered("And the roof?")
    await home.memory.forget(ForgetRequest(ids=[id], dry_run=False), MAIN)
    found = await talk.at_hand.get(PERSON, talk.thread_id)
    assert [turn.text for turn in found.turns] == ["And the roof?", "So it is."]
    assert len(found.results) == 1
    assert (await talk.at_hand.held("run_x", talk.thread_id)).forgotten == {claim.run.id}


async def test_a_result_that_showed_a_forgotten_memory_is_not_at_hand(home: Room, talk: Talk) -> None:
    (id,) = await home.keep("The key lies under the stone.")
    source = memory("The key lies under the stone.", id, location="main/x").model_dump()
    await talk.answered("Where is the key?", text="Found 1.", sources=[source])
    (result,) = (await talk.at_hand.get(PERSON, talk.thread_id)).results
    assert result.text == "Found 1.\n- The key lies under the stone."
    await home.memory.forget(ForgetRequest(ids=[id], dry_run=False), MAIN)
    assert (await talk.at_hand.get(PERSON, talk.thread_id)).results == []


async def test_a_task_that_quotes_what_is_erased_is_masked_on_disk(home: Room, talk: Talk, tmp_path: Path) -> None:
    secret = "the passphrase is heron umbrella quartz lantern"
    claim = await talk.answered("hello")
    id = await remember(home, talk, claim, secret)
    request = WorkingRequest(version=await talk.version(), task=f"Find out why {secret}")
    await talk.at_hand.put(PERSON, talk.thread_id, request, "tray")
    await home.memory.forget(ForgetRequest(ids=[id], dry_run=False, for_good=True), MAIN)
    await home.memory.settled()
    found = await talk.at_hand.get(PERSON, talk.thread_id)
    assert found.task is not None
    assert found.task.text.startswith("Find out why")
    assert "umbrella" not in found.task.text
    left = [path for path in tmp_path.glob("hearth.db*") if b"heron umbrella" in path.read_bytes()]
    assert left == []
    assert "heron" not in json.dumps(found.model_dump())
