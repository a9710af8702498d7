import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.agent.journal import Journal
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.run_store import Claim
from hearth_backend.orchestrator.sqlite_run_store import SQLiteRunStore
from hearth_backend.orchestrator.worker import LARGEST_ANSWER, Worker
from hearth_shared.errors import NoModel, StorageFault
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Answer, Lane, RunStatus, TaskDetail, TaskRequest
from hearth_shared.protocol.threads import MessageRequest, ThreadRequest
from hearth_shared.settings import Runs as Settings
from support.orchestra import AGENT, ME, Orchestra, Script, Scripted, orchestra, say_ok, shown

pytestmark = pytest.mark.integration
LOG = "hearth_backend.orchestrator.worker"


async def submit(band: Orchestra, goal: str = "go", *, lane: Lane = Lane.CHAT, deadline_s: float | None = None) -> str:
    request = TaskRequest(goal=goal, deadline_s=deadline_s)
    return (await band.runs.submit(ME, AGENT, request, lane=lane)).task_id


async def ended(band: Orchestra, task_id: str) -> TaskDetail:
    """The task, once it has come to its end."""
    await band.story(task_id)
    return await band.runs.get(ME, task_id)


async def hang(_: Journal) -> Answer:
    """Never comes to an end."""
    await asyncio.Event().wait()
    raise AssertionError


async def hang_half_way(journal: Journal) -> Answer:
    """Says something, then nothing more."""
    await journal.text(0, "Half an ")
    await journal.step("look", "c1", say_nothing)
    await journal.text(0, "answer")
    return await hang(journal)


async def say_nothing() -> None:
    """A step without a value."""


async def test_a_task_is_done(band: Orchestra) -> None:
    async with band.working(say_ok):
        task = await ended(band, await submit(band))
    assert (task.status, task.answer, task.attempt) == (RunStatus.FINISHED, Answer(text="ok"), 1)


async def test_what_was_queued_before_the_start_is_done(band: Orchestra) -> None:
    task_ids = [await submit(band) for _ in range(20)]
    async with band.working(say_ok):
        tasks = [await ended(band, task_id) for task_id in task_ids]
    assert {task.status for task in tasks} == {RunStatus.FINISHED}


async def test_without_workers_tasks_are_stored_and_not_done(tmp_path: Path) -> None:
    async with orchestra(tmp_path / "a.db", settings=Settings(workers=0)) as band, band.working(say_ok):
        task_id = await submit(band)
        await band.database.write(lambda _: None)
        assert (await band.runs.get(ME, task_id)).status is RunStatus.QUEUED


async def test_so_many_at_once_and_not_one_more(tmp_path: Path) -> None:
    running, most, enough = 0, 0, asyncio.Event()

    async def count(_: Journal) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            enough.set()
        await enough.wait()
        running -= 1
        return Answer(text="ok")

    async with orchestra(tmp_path / "a.db", settings=Settings(workers=3)) as band, band.working(count):
        task_ids = [await submit(band) for _ in range(12)]
        for task_id in task_ids:
            await ended(band, task_id)
    assert most == 3


async def test_the_last_place_is_kept_for_people(tmp_path: Path) -> None:
    go, begun = asyncio.Event(), list[str]()

    async def script(journal: Journal) -> Answer:
        begun.append(journal.run.goal)
        if journal.run.lane is Lane.INDEXING:
            await go.wait()
        return Answer(text="ok")

    async with orchestra(tmp_path / "a.db", settings=Settings(workers=2)) as band, band.working(script):
        background = [await submit(band, f"index {number}", lane=Lane.INDEXING) for number in range(2)]
        await band.until(background[0], EventType.TASK_STARTED)
        await ended(band, await submit(band, "chat"))
        assert begun == ["index 0", "chat"]
        go.set()
        await ended(band, background[1])


async def test_a_failure_has_its_cause_and_its_fix(band: Orchestra) -> None:
    async def fail(_: Journal) -> Answer:
        raise NoModel("No model is connected.", "Connect one.")

    async with band.working(fail):
        task = await ended(band, await submit(band))
    assert task.status is RunStatus.FAILED
    assert task.failure is not None
    assert task.failure.model_dump() == {
        "code": "no_model",
        "detail": "No model is connected.",
        "fix": "Connect one.",
        "retryable": False,
    }


@pytest.mark.logs(LOG)
@pytest.mark.parametrize("error", [KeyError("secret detail"), asyncio.CancelledError(), TimeoutError()])
async def test_a_bug_fails_the_run_without_telling_its_insides(band: Orchestra, error: BaseException) -> None:
    async def break_(_: Journal) -> Answer:
        raise error

    async with band.working(break_):
        task = await ended(band, await submit(band))
        assert (await ended(band, await submit(band))).status is RunStatus.FAILED
    assert task.failure is not None
    assert task.failure.code == "internal"
    assert "secret" not in task.failure.model_dump_json()


async def test_a_cancelled_task_stops_within_its_step_and_what_it_said_is_kept(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest())
    async with band.working(hang_half_way):
        task_id = (await band.runs.say(ME, thread.id, MessageRequest(text="go"))).task_id
        await band.until(task_id, EventType.STEP_FINISHED)
        await band.runs.cancel(ME, task_id)
        task = await ended(band, task_id)
    assert task.status is RunStatus.CANCELLED
    story = await band.story(task_id)
    assert story[-1].type is EventType.TASK_CANCELLED
    (_, said) = (await band.threads.get(ME, thread.id)).messages
    assert task.answer is not None
    assert task.answer.text == said.text == shown(story)
    assert said.text.startswith("Half an ")
    assert not said.complete


async def test_a_task_cancelled_the_moment_it_is_claimed_is_cancelled(band: Orchestra) -> None:
    async with band.working(hang):
        task_ids = [await submit(band) for _ in range(10)]
        await asyncio.gather(*(band.runs.cancel(ME, task_id) for task_id in task_ids))
        tasks = [await ended(band, task_id) for task_id in task_ids]
    assert {task.status for task in tasks} == {RunStatus.CANCELLED}


class Hasty(SQLiteRunStore):
    """Every run is cancelled after its claim, before the worker hears of the claim."""

    async def claim(self, last_lane: Lane, default_s: float) -> Claim | None:
        claim = await super().claim(last_lane, default_s)
        if claim is not None:
            await self.cancel(claim.run.owner, claim.run.id)
        return claim


async def test_a_task_cancelled_before_the_worker_knows_its_claim_is_not_begun(band: Orchestra) -> None:
    band.runs.store = Hasty(band.database, band.events)
    async with band.working(hang):
        assert (await ended(band, await submit(band))).status is RunStatus.CANCELLED


async def test_a_task_ends_when_its_time_is_over(band: Orchestra) -> None:
    async with band.working(hang_half_way):
        task = await ended(band, await submit(band, deadline_s=0.2))
    assert task.status is RunStatus.FAILED
    assert task.failure is not None
    assert task.failure.code == "deadline_exceeded"
    assert task.answer is None or not task.answer.complete


async def test_a_task_whose_time_was_over_before_its_turn_is_not_begun(band: Orchestra) -> None:
    begun: list[str] = []

    async def note(journal: Journal) -> Answer:
        begun.append(journal.run.id)
        return Answer(text="ok")

    task_id = await submit(band, deadline_s=5)
    band.clock.pass_(10)
    async with band.working(note):
        task = await ended(band, task_id)
    assert task.failure is not None
    assert (task.failure.code, begun) == ("deadline_exceeded", [])


async def test_stopping_puts_what_is_running_back(band: Orchestra) -> None:
    async with band.working(hang_half_way):
        task_id = await submit(band)
        await band.until(task_id, EventType.STEP_FINISHED)
    task = await band.runs.get(ME, task_id)
    assert (task.status, task.attempt) == (RunStatus.QUEUED, 0)


async def test_after_a_stop_the_run_goes_on_and_its_text_stands_once(band: Orchestra) -> None:
    bodies: list[int] = []

    def script(hanging: bool) -> Script:
        async def talk(journal: Journal) -> Answer:
            async def body() -> str:
                bodies.append(journal.run.attempt)
                await journal.text(0, "First. ")
                return "First. "

            said = await journal.step("model", "c1", body)
            await journal.text(0, "Second.")
            if hanging:
                await journal.emit(EventType.TOOL_CALLED, {})
                await hang(journal)
            return Answer(text=f"{said}Second.")

        return talk

    async with band.working(script(hanging=True)):
        task_id = await submit(band)
        await band.until(task_id, EventType.TOOL_CALLED)
    async with band.working(script(hanging=False)):
        task = await ended(band, task_id)
    assert task.answer == Answer(text="First. Second.")
    assert shown(await band.story(task_id)) == "First. Second."
    assert len(bodies) == 1


async def test_a_crash_uses_up_an_attempt(band: Orchestra) -> None:
    task_id = await submit(band)
    await band.runs.store.claim(Lane.INDEXING, 60)  # by a process that died
    async with band.working(say_ok):
        assert (await ended(band, task_id)).attempt == 2


async def test_a_run_that_crashed_its_process_every_time_is_set_aside(tmp_path: Path) -> None:
    async with orchestra(tmp_path / "a.db", settings=Settings(attempts=1)) as band:
        task_id = await submit(band)
        await band.runs.store.claim(Lane.INDEXING, 60)
        async with band.working(say_ok):
            assert (await ended(band, task_id)).status is RunStatus.DEAD


async def test_an_executor_that_ignores_its_end_does_not_change_it(
    band: Orchestra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hearth_backend.orchestrator.worker._GRACE_S", 0.01)
    go = asyncio.Event()

    async def deaf(journal: Journal) -> Answer:
        while not go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await go.wait()
        return Answer(text="late")

    async with band.working(deaf):
        task = await ended(band, await submit(band, deadline_s=0.05))
        go.set()
    assert task.failure is not None
    assert task.failure.code == "deadline_exceeded"


async def test_an_answer_too_long_to_keep_is_cut_and_says_so(band: Orchestra) -> None:
    async def talk(_: Journal) -> Answer:
        return Answer(text="x" * (LARGEST_ANSWER + 1))

    async with band.working(talk):
        task = await ended(band, await submit(band))
    assert task.answer is not None
    assert (len(task.answer.text), task.answer.complete, len(task.answer.notes)) == (LARGEST_ANSWER, False, 1)


async def pages(band: Orchestra) -> int:
    """How large the writer lets the database become."""
    with contextlib.suppress(StorageFault):
        return (await band.database.execute("pragma max_page_count"))[0][0]
    return 0


@pytest.mark.logs(LOG, "hearth_backend.storage.database")
async def test_a_full_disk_delays_the_end_and_loses_nothing(band: Orchestra, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_backend.orchestrator.worker._LONGEST_PAUSE", 0.01)
    monkeypatch.setattr("hearth_backend.orchestrator.worker._FIRST_PAUSE", 0.01)
    refused = asyncio.Event()

    async def fill(_: Journal) -> Answer:
        await band.database.execute("pragma max_page_count=1")
        refused.set()
        return Answer(text="x" * 500_000)

    async with band.working(fill):
        task_id = await submit(band)
        await refused.wait()
        assert (await band.runs.get(ME, task_id)).status is RunStatus.RUNNING
        while (await pages(band)) < 100_000:
            with contextlib.suppress(StorageFault):  # it may share its transaction with what does not fit
                await band.database.execute("pragma max_page_count=100000")
        assert (await ended(band, task_id)).status is RunStatus.FINISHED


async def test_an_idle_worker_asks_the_store_nothing(band: Orchestra) -> None:
    statements: list[str] = []
    async with band.working(say_ok):
        await ended(band, await submit(band))
        await band.database.write(lambda connection: connection.set_trace_callback(statements.append))
        await quiet(band)
        statements.clear()
        await asyncio.to_thread(lambda: None)
        assert statements == []
        assert pending_timers() == 0


async def quiet(band: Orchestra) -> None:
    """Let what was woken go to sleep again."""
    for _ in range(5):
        await band.database.write(lambda _: None)


def pending_timers() -> int:
    loop: Any = asyncio.get_running_loop()
    return sum(not timer.cancelled() for timer in loop._scheduled)


async def test_the_leases_of_long_runs_are_renewed(band: Orchestra, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_backend.orchestrator.worker.BEAT_S", 0.01)
    async with band.working(hang):
        task_id = await submit(band)
        await band.until(task_id, EventType.TASK_STARTED)
        band.clock.pass_(500)
        while lease_of(band, task_id) < band.clock.now:
            await band.database.write(lambda _: None)


@pytest.mark.logs(LOG)
async def test_a_run_that_somebody_else_took_is_let_go(band: Orchestra, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_backend.orchestrator.worker.BEAT_S", 0.01)
    stopped = asyncio.Event()

    async def wait(_: Journal) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    async with band.working(wait):
        task_id = await submit(band)
        await band.until(task_id, EventType.TASK_STARTED)
        await band.database.execute("update run set fence = fence + 1")
        await stopped.wait()
        assert (await band.runs.get(ME, task_id)).status is RunStatus.RUNNING


def lease_of(band: Orchestra, task_id: str) -> float:
    row = band.database.peek("select lease_until from run where id = ?", (task_id,))
    assert row is not None
    return row[0]


async def test_ends_are_counted(band: Orchestra) -> None:
    metrics = Metrics()
    worker = Worker(band.runs, Scripted(say_ok), band.settings, Tracer(), metrics)
    worker.start()
    await ended(band, await submit(band))
    await worker.stop()
    assert b'agent_requests_total{agent="assistant",door="cli",outcome="finished"} 1.0' in metrics.render()


async def test_stopping_before_or_without_a_start_is_quiet(band: Orchestra) -> None:
    worker = Worker(band.runs, Scripted(say_ok), band.settings, Tracer(), Metrics())
    await worker.stop()
    started = Worker(band.runs, Scripted(say_ok), band.settings, Tracer(), Metrics())
    started.start()
    await started.stop()


async def test_many_runs_say_much_at_once_and_each_is_heard_whole(band: Orchestra) -> None:
    async def talk(journal: Journal) -> Answer:
        for number in range(50):
            await journal.text(0, f"{number} ")
            await asyncio.sleep(0)
        return Answer(text="".join(f"{number} " for number in range(50)))

    async def listen(task_id: str) -> None:
        story = await band.story(task_id)
        assert shown(story) == Answer.model_validate(story[-1].data["answer"]).text

    async with band.working(talk):
        listeners: list[Coroutine[Any, Any, None]] = [listen(await submit(band)) for _ in range(12)]
        await asyncio.gather(*listeners)


async def test_it_tells_when_somebody_waits_for_work_and_when_nobody_does_any_more(band: Orchestra) -> None:
    told: list[bool] = []
    begun: list[Lane] = []
    rests, go_on = asyncio.Event(), asyncio.Event()

    def busy(is_busy: bool) -> None:
        told.append(is_busy)
        if not is_busy:
            rests.set()

    async def wait(journal: Journal) -> Answer:
        begun.append(journal.run.lane)
        if len(begun) == 3:
            go_on.set()
        if journal.run.lane is not Lane.INDEXING:
            await go_on.wait()
        return await say_ok(journal)

    worker = Worker(band.runs, Scripted(wait), band.settings, Tracer(), Metrics(), busy=busy)
    worker.start()
    await ended(band, await submit(band, lane=Lane.INDEXING))
    for lane in (Lane.CHAT, Lane.AMBIENT):  # each goes on when both have begun
        await submit(band, lane=lane)
    async with asyncio.timeout(60):
        await rests.wait()
    assert told == [True, False]
    await worker.stop()
