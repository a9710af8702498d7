import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from hearth_backend.agent.journal import Journal
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.requester import PERSON
from hearth_backend.orchestrator.worker import Worker
from hearth_shared.errors import Conflict, HearthError, ModelFailed, NoModel, NotFound, StorageFull
from hearth_shared.protocol.events import Event, EventType
from hearth_shared.protocol.tasks import Answer, RunStatus, TaskDetail, TaskRequest
from hearth_shared.settings import Runs as Settings
from support.orchestra import AGENT, ME, STRANGER, Orchestra, Script, Scripted

pytestmark = pytest.mark.integration


async def submit(band: Orchestra, goal: str = "go", *, deadline_s: float | None = None) -> str:
    return (await band.runs.submit(ME, AGENT, TaskRequest(goal=goal, deadline_s=deadline_s))).task_id


async def ended(band: Orchestra, task_id: str) -> TaskDetail:
    """The task, once it has come to its end."""
    await band.story(task_id)
    return await band.runs.get(ME, task_id)


QUICK = Settings(attempts=3)


def failing(times: int, error: HearthError, calls: list[int]) -> Script:
    """A run whose second step fails so often, and whose first one is done once."""

    async def script(journal: Journal) -> Answer:
        async def first() -> int:
            calls.append(1)
            return 1

        async def second() -> int:
            calls.append(2)
            if calls.count(2) <= times:
                raise error
            return 2

        await journal.step("first", "", first)
        await journal.step("second", "", second)
        return Answer(text="at last")

    return script


@contextlib.asynccontextmanager
async def impatient(band: Orchestra, script: Script) -> AsyncGenerator[None]:
    """A worker for whom every pause is over at once, by the clock."""
    worker = Worker(band.runs, Scripted(script), QUICK, Tracer(), Metrics())
    worker.start()

    async def pass_time() -> None:
        async for event in band.events.follow(PERSON, after_seq=0):
            if isinstance(event, Event) and "again_in_s" in event.data:
                band.clock.pass_(event.data["again_in_s"] + 1)
                band.runs.wake()

    passing = asyncio.create_task(pass_time())
    try:
        yield
    finally:
        await worker.stop()
        passing.cancel()
        await asyncio.wait([passing])


async def test_what_fails_for_a_while_is_tried_again_from_where_it_failed(band: Orchestra) -> None:
    calls: list[int] = []
    async with impatient(band, failing(2, ModelFailed("no"), calls)):
        task = await ended(band, await submit(band))
    assert (task.status, task.attempt, calls) == (RunStatus.FINISHED, 3, [1, 2, 2, 2])
    assert task.failure is None


async def test_what_keeps_failing_is_set_aside_and_goes_on_when_a_person_says_so(band: Orchestra) -> None:
    calls: list[int] = []
    async with impatient(band, failing(3, ModelFailed("no"), calls)):
        task_id = await submit(band)
        dead = await ended(band, task_id)
        assert dead.failure is not None
        assert (dead.status, dead.failure.code) == (RunStatus.DEAD, "model_failed")
        assert [task.id for task in (await band.runs.list(ME, status=RunStatus.DEAD)).tasks] == [task_id]
        assert (await band.runs.retry(ME, task_id)).status is RunStatus.QUEUED
        story = await band.story(task_id)
    assert calls == [1, 2, 2, 2, 2]
    assert story[-1].type is EventType.TASK_FINISHED
    with pytest.raises(Conflict, match="finished"):
        await band.runs.retry(ME, task_id)
    with pytest.raises(NotFound):
        await band.runs.retry(STRANGER, task_id)


async def test_what_cannot_be_helped_fails_at_once(band: Orchestra) -> None:
    calls: list[int] = []
    async with impatient(band, failing(9, NoModel("no"), calls)):
        task = await ended(band, await submit(band))
    assert (task.status, calls) == (RunStatus.FAILED, [1, 2])


async def test_a_pause_that_outlasts_the_deadline_is_the_end(band: Orchestra) -> None:
    calls: list[int] = []
    async with impatient(band, failing(9, StorageFull("no"), calls)):
        task = await ended(band, await submit(band, deadline_s=20))
    assert (task.status, task.failure and task.failure.code) == (RunStatus.FAILED, "storage_full")
