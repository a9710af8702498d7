"""What every `RunStore` must hold; a form for several machines would be put through the same tests."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hearth_backend.orchestrator.replay import StepRecord
from hearth_backend.orchestrator.requester import PERSON
from hearth_backend.orchestrator.run_store import Claim, Failed, Finished, Note, Stopped
from hearth_shared.errors import Conflict
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Answer, Failure, Lane, RunStatus, TaskRequest
from hearth_shared.protocol.threads import MessageRequest, ThreadRequest
from support.orchestra import AGENT, ME, Orchestra, orchestra

pytestmark = pytest.mark.integration
STEP = StepRecord(0, "look", "c1", "done", "1")
NOTE = Note(EventType.TOOL_CALLED, {"name": "clock"})
FAILURE = Failure(code="model_failed", detail="It broke.", fix="Wait.", retryable=True)


async def submit(band: Orchestra, goal: str = "go", lane: Lane = Lane.CHAT, priority: int = 100) -> str:
    accepted = await band.runs.submit(ME, AGENT, TaskRequest(goal=goal, priority=priority), lane=lane)
    return accepted.task_id


async def claim(band: Orchestra, last_lane: Lane = Lane.INDEXING) -> Claim:
    claim = await band.runs.store.claim(last_lane, 60)
    assert claim is not None
    return claim


async def goals(band: Orchestra, last_lane: Lane = Lane.INDEXING) -> list[str]:
    """What is claimed until there is nothing left."""
    found: list[str] = []
    while got := await band.runs.store.claim(last_lane, 60):
        found.append(got.run.goal)
    return found


async def test_an_empty_queue_has_nothing_to_claim(band: Orchestra) -> None:
    assert await goals(band) == []


async def test_a_run_is_claimed_once(band: Orchestra) -> None:
    await submit(band)
    claims = await asyncio.gather(*(band.runs.store.claim(Lane.INDEXING, 60) for _ in range(5)))
    assert sum(claim is not None for claim in claims) == 1


async def test_lanes_go_before_priorities_and_priorities_before_age(band: Orchestra) -> None:
    await submit(band, "index", Lane.INDEXING, priority=0)
    await submit(band, "ambient", Lane.AMBIENT, priority=0)
    await submit(band, "chat", Lane.CHAT)
    await submit(band, "urgent chat", Lane.CHAT, priority=5)
    await submit(band, "later chat", Lane.CHAT)
    await submit(band, "inline", Lane.INLINE, priority=1000)
    assert await goals(band) == ["inline", "urgent chat", "chat", "later chat", "ambient", "index"]


async def test_a_clock_set_back_does_not_turn_the_order(band: Orchestra) -> None:
    await submit(band, "first")
    band.clock.pass_(-500)
    await submit(band, "second")
    assert await goals(band) == ["first", "second"]


async def test_only_the_lanes_asked_for_are_claimed(band: Orchestra) -> None:
    await submit(band, "ambient", Lane.AMBIENT)
    await submit(band, "chat", Lane.CHAT)
    assert await goals(band, Lane.CHAT) == ["chat"]
    assert await goals(band) == ["ambient"]


async def test_a_thread_has_one_run_at_a_time_in_order(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest())
    for text in ("one", "two"):
        await band.runs.say(ME, thread.id, MessageRequest(text=text))
    await submit(band, "elsewhere", priority=900)
    first = await claim(band)
    assert [first.run.goal, *await goals(band)] == ["one", "elsewhere"]
    await band.runs.store.finish(first, Finished(Answer(text="done")), ())
    assert await goals(band) == ["two"]


async def test_a_cancelled_turn_makes_room_for_the_next(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest())
    one = await band.runs.say(ME, thread.id, MessageRequest(text="one"))
    await band.runs.say(ME, thread.id, MessageRequest(text="two"))
    await band.runs.cancel(ME, one.task_id)
    assert await goals(band) == ["two"]


async def test_a_claim_has_all_that_the_agent_needs(band: Orchestra) -> None:
    await band.runs.submit(ME, AGENT, TaskRequest(goal="go", local_only=True, deadline_s=30))
    run = (await claim(band)).run
    assert (run.goal, run.agent_id, run.owner, run.door, run.principal) == ("go", AGENT, PERSON, "cli", "cli")
    assert (run.local_only, run.spaces, run.attempt, run.seconds_left) == (True, frozenset({"main"}), 1, 30)


async def test_time_waited_counts_against_a_named_deadline_alone(band: Orchestra) -> None:
    await band.runs.submit(ME, AGENT, TaskRequest(goal="named", deadline_s=50))
    await band.runs.submit(ME, AGENT, TaskRequest(goal="not named"))
    band.clock.pass_(45)
    assert [(await claim(band)).run.seconds_left for _ in range(2)] == [5, 60]


async def test_finishing_stores_answer_and_event(band: Orchestra) -> None:
    task_id = await submit(band)
    assert await band.runs.store.finish(await claim(band), Finished(Answer(text="42")), [NOTE])
    task = await band.runs.get(ME, task_id)
    assert (task.status, task.answer) == (RunStatus.FINISHED, Answer(text="42"))
    story = await band.story(task_id)
    assert [event.type for event in story[-2:]] == [EventType.TOOL_CALLED, EventType.TASK_FINISHED]
    assert Answer.model_validate(story[-1].data["answer"]) == Answer(text="42")


async def test_a_failure_says_why(band: Orchestra) -> None:
    task_id = await submit(band)
    failure = Failure(code="no_model", detail="None.", fix="Connect one.", retryable=False)
    await band.runs.store.finish(await claim(band), Failed(failure), ())
    task = await band.runs.get(ME, task_id)
    assert (task.status, task.failure) == (RunStatus.FAILED, failure)
    assert (await band.story(task_id))[-1].data == failure.model_dump()


async def test_a_released_run_waits_again_and_the_attempt_does_not_count(band: Orchestra) -> None:
    task_id = await submit(band)
    for _ in range(5):
        assert await band.runs.store.release(await claim(band))
    task = await band.runs.get(ME, task_id)
    assert (task.status, task.attempt) == (RunStatus.QUEUED, 0)


async def test_a_run_released_after_its_cancelling_is_cancelled(band: Orchestra) -> None:
    task_id = await submit(band)
    got = await claim(band)
    await band.runs.cancel(ME, task_id)
    assert await band.runs.store.release(got)
    assert (await band.runs.get(ME, task_id)).status is RunStatus.CANCELLED
    assert (await band.story(task_id))[-1].type is EventType.TASK_CANCELLED


async def test_recovery_queues_what_was_running_and_the_attempt_counts(band: Orchestra) -> None:
    task_id = await submit(band)
    await claim(band)
    assert await band.runs.store.recover(attempts=3) == 1
    assert (await band.runs.get(ME, task_id)).status is RunStatus.QUEUED
    assert (await claim(band)).run.attempt == 2


async def test_the_time_of_attempts_that_ended_before_the_run_is_added_up(band: Orchestra) -> None:
    def after(seconds: float, claim: Claim) -> Claim:
        return replace(claim, began=claim.began - seconds)

    await submit(band)
    first = await claim(band)
    assert first.run.worked_s == 0.0
    assert await band.runs.store.release(after(1000, first))
    assert await band.runs.store.suspend(after(1000, await claim(band)), ())
    third = after(1000, await claim(band))
    assert third.run.worked_s >= 2000
    assert await band.runs.store.put_off(third, FAILURE, 5.0, ())
    band.clock.pass_(10)
    fourth = after(1000, await claim(band))
    assert fourth.run.worked_s >= 3000
    await band.runs.store.finish(fourth, Failed(FAILURE), ())
    await band.runs.retry(ME, fourth.run.id)
    assert (await claim(band)).run.worked_s >= 4000


@pytest.mark.parametrize(("says_something", "worked_s"), [(False, 40.0), (True, 65.0)])
async def test_the_time_of_an_attempt_that_died_counts_up_to_its_last_sign_of_life(
    band: Orchestra, tmp_path: Path, *, says_something: bool, worked_s: float
) -> None:
    await submit(band)
    for _ in range(2):
        got = await claim(band)
        band.clock.pass_(40)
        assert await band.runs.store.heartbeat([got]) == []
        band.clock.pass_(25)
        if says_something:
            await band.runs.store.append_events(got, [NOTE])
        band.clock.pass_(500)
        await band.runs.store.recover(attempts=9)
    async with orchestra(tmp_path / "hearth.db", clock=band.clock) as later:
        assert (await claim(later)).run.worked_s == pytest.approx(2 * worked_s)


async def test_a_clock_set_back_takes_no_time_from_a_run(band: Orchestra) -> None:
    await submit(band)
    got = await claim(band)
    band.clock.pass_(-500)
    await band.runs.store.heartbeat([got])
    await band.runs.store.recover(attempts=9)
    assert (await claim(band)).run.worked_s == 0.0


async def test_a_run_that_was_begun_too_often_is_set_aside(band: Orchestra) -> None:
    task_id = await submit(band)
    for _ in range(3):
        await claim(band)
        await band.runs.store.recover(attempts=3)
    task = await band.runs.get(ME, task_id)
    assert task.status is RunStatus.DEAD
    assert task.failure is not None
    assert task.failure.code == "gave_up"
    assert (await band.story(task_id))[-1].type is EventType.TASK_FAILED


async def test_a_run_cancelled_before_the_crash_is_cancelled_at_recovery(band: Orchestra) -> None:
    task_id = await submit(band)
    await claim(band)
    await band.runs.cancel(ME, task_id)
    await band.runs.store.recover(attempts=3)
    assert (await band.runs.get(ME, task_id)).status is RunStatus.CANCELLED
    assert (await band.story(task_id))[-1].type is EventType.TASK_CANCELLED


async def test_nothing_can_be_done_with_a_claim_that_was_lost(band: Orchestra) -> None:
    task_id = await submit(band)
    lost = await claim(band)
    await band.runs.store.recover(attempts=3)
    held = await claim(band)
    store = band.runs.store
    with pytest.raises(Conflict):
        await store.append_step(lost, STEP, ())
    with pytest.raises(Conflict):
        await store.append_events(lost, [NOTE])
    assert not await store.finish(lost, Finished(Answer(text="late")), ())
    assert not await store.release(lost)
    assert await store.heartbeat([lost, held]) == [lost]
    assert (await band.runs.get(ME, task_id)).steps == []
    assert await store.finish(held, Finished(Answer(text="right")), ())
    assert (await band.runs.get(ME, task_id)).answer == Answer(text="right")


async def test_a_finished_run_takes_nothing_more(band: Orchestra) -> None:
    await submit(band)
    got = await claim(band)
    await band.runs.store.finish(got, Stopped(), ())
    with pytest.raises(Conflict):
        await band.runs.store.append_step(got, STEP, ())
    assert not await band.runs.store.finish(got, Finished(Answer(text="late")), ())


async def test_steps_are_shown_with_the_task(band: Orchestra) -> None:
    task_id = await submit(band)
    got = await claim(band)
    for seq in (1, 0, 10):
        await band.runs.store.append_step(got, StepRecord(seq, f"step {seq}", "", "done", "null"), ())
    assert [step.name for step in (await band.runs.get(ME, task_id)).steps] == ["step 0", "step 1", "step 10"]


async def test_a_listener_hears_of_new_work_and_of_what_shall_stop(band: Orchestra) -> None:
    heard: list[str] = []
    band.runs.store.listen(lambda: heard.append("queued"), lambda run_id: heard.append(f"stop {run_id}"))
    task_id = await submit(band)
    await claim(band)
    await band.runs.cancel(ME, task_id)
    assert heard == ["queued", f"stop {task_id}"]


async def test_of_two_that_recover_at_once_one_has_the_run_and_the_other_can_write_nothing(
    band: Orchestra, tmp_path: Path
) -> None:
    await submit(band)
    stale = await claim(band)
    async with orchestra(tmp_path / "hearth.db", clock=band.clock) as other:
        await asyncio.gather(band.runs.store.recover(9), other.runs.store.recover(9))
        claims = await asyncio.gather(*(one.runs.store.claim(Lane.INDEXING, 60) for one in (band, other)))
        assert sum(one is not None for one in claims) == 1
        (held,) = [(one, at) for one, at in zip(claims, (band, other), strict=True) if one is not None]
        for late in (band, other):
            with pytest.raises(Conflict):
                await late.runs.store.append_step(stale, STEP, [NOTE])
            assert not await late.runs.store.finish(stale, Finished(Answer(text="late")), [])
        await held[1].runs.store.append_step(held[0], STEP, [NOTE])
        assert await held[1].runs.store.finish(held[0], Finished(Answer(text="once")), [])
