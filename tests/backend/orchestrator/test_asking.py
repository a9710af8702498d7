from pathlib import Path

import pytest

from hearth_backend.agent.guard import Go
from hearth_backend.agent.journal import Journal
from hearth_shared.protocol.approvals import DecisionRequest
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Answer, RunStatus, TaskDetail, TaskRequest
from hearth_shared.settings import Runs as Settings
from support.orchestra import AGENT, IN_THE_TRAY, ME, Orchestra, orchestra
from support.tools_of_tests import asking

pytestmark = pytest.mark.integration


async def submit(band: Orchestra, goal: str = "go", *, deadline_s: float | None = None) -> str:
    return (await band.runs.submit(ME, AGENT, TaskRequest(goal=goal, deadline_s=deadline_s))).task_id


async def ended(band: Orchestra, task_id: str) -> TaskDetail:
    """The task, once it has come to its end."""
    await band.story(task_id)
    return await band.runs.get(ME, task_id)


async def test_a_run_that_waits_for_a_person_holds_no_place_and_goes_on_at_the_same_step(tmp_path: Path) -> None:
    done: list[str] = []
    async with orchestra(tmp_path / "a.db", settings=Settings(workers=1)) as band:

        async def write(journal: Journal) -> Answer:
            if journal.run.goal == "read":
                return Answer(text="read")
            value = await journal.effect("write", "c1", {"a": 1}, asking(band), body)
            return Answer(text=str(value))

        async def body(go: Go, key: str) -> str:
            done.append(key)
            return "written"

        async with band.working(write):
            task_id = await submit(band, "write")
            asked = await band.until(task_id, EventType.APPROVAL_REQUESTED)
            assert (await ended(band, await submit(band, "read"))).status is RunStatus.FINISHED
            assert (await band.runs.get(ME, task_id)).status is RunStatus.WAITING
            await band.approvals.decide(IN_THE_TRAY, asked.data["id"], DecisionRequest(decision="accept"))
            task = await ended(band, task_id)
    assert (task.answer and task.answer.text, task.attempt, done) == ("written", 1, [f"{task_id}:0"])


async def test_an_end_takes_its_questions_back(band: Orchestra) -> None:
    async def write(journal: Journal) -> Answer:
        await journal.effect("write", "c1", {}, asking(band), never)
        raise AssertionError

    async def never(go: Go, key: str) -> None:
        raise AssertionError

    async with band.working(write):
        task_id = await submit(band)
        asked = await band.until(task_id, EventType.APPROVAL_REQUESTED)
        await band.runs.cancel(ME, task_id)
        await ended(band, task_id)
    assert (await band.approvals.get(ME, asked.data["id"])).status == "expired"


async def test_who_waits_beyond_the_deadline_is_told_so(band: Orchestra) -> None:
    async def write(journal: Journal) -> Answer:
        return Answer(text=str(await journal.effect("write", "c1", {}, asking(band), never)))

    async def never(go: Go, key: str) -> None:
        raise AssertionError

    async with band.working(write):
        task_id = await submit(band, deadline_s=30)
        await band.until(task_id, EventType.APPROVAL_REQUESTED)
        while (await band.runs.get(ME, task_id)).status is not RunStatus.WAITING:
            await band.database.write(lambda _: None)
        band.clock.pass_(31)
        await band.runs.store.wake_due()
        band.runs.wake()
        task = await ended(band, task_id)
    assert (task.status, task.failure and task.failure.code) == (RunStatus.FAILED, "deadline_exceeded")
