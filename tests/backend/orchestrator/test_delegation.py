import asyncio
from pathlib import Path

import pytest

from hearth_backend.agent.journal import Journal
from hearth_backend.orchestrator.delegation import Delegation
from hearth_backend.tools.delegate import Part
from hearth_backend.tools.tool import ToolContext
from hearth_shared.errors import BadRequest, NoModel
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Answer, Budget, RunStatus, TaskDetail, TaskRequest
from hearth_shared.settings import Runs as Settings
from support.orchestra import AGENT, ME, Orchestra, Script, orchestra

pytestmark = pytest.mark.integration
BOTH_FIRST = (
    Part(id="sum", goal="sum", agent="scribe", after=("one", "two")),
    Part(id="one", goal="one", agent=AGENT),
    Part(id="two", goal="two", agent=AGENT),
)


def planning(band: Orchestra, parts: tuple[Part, ...], *, script: Script, log: list[str]) -> Script:
    """The run called "plan" makes the plan; its parts are done by `script`."""
    plans = Delegation(band.events, [AGENT, "scribe"], band.runs.wake, band.clock)

    async def do(journal: Journal) -> Answer:
        run = journal.run
        log.append(run.goal)
        if run.goal != "plan":
            return await script(journal)
        context = ToolContext(run.id, run.owner, run.spaces, run.local_only)
        return Answer(text=await journal.step("tool.delegate", "c", lambda: plans.carry_out(context, parts)))

    return do


async def submit(band: Orchestra, budget: Budget | None = None) -> str:
    request = TaskRequest(goal="plan", budget=budget or Budget())
    return (await band.runs.submit(ME, AGENT, request)).task_id


async def ended(band: Orchestra, task_id: str) -> TaskDetail:
    await band.story(task_id)
    return await band.runs.get(ME, task_id)


async def test_parts_run_side_by_side_unless_one_waits_and_their_results_come_back(tmp_path: Path) -> None:
    together = asyncio.Barrier(2)

    async def work(journal: Journal) -> Answer:
        if journal.run.goal == "sum":
            return Answer(text=" + ".join(file.text for file in journal.run.context.files))
        await together.wait()
        return Answer(text=f"result of {journal.run.goal}")

    log: list[str] = []
    async with (
        orchestra(tmp_path / "a.db", settings=Settings(workers=2)) as band,
        band.working(planning(band, BOTH_FIRST, script=work, log=log)),
    ):
        task = await ended(band, await submit(band, Budget(steps=9)))
        children = [await band.runs.get(ME, id) for id in task.children]
    assert task.answer is not None
    assert "## sum (scribe): finished\nresult of one + result of two" in task.answer.text
    assert sorted(log) == ["one", "plan", "plan", "sum", "two"]
    assert {child.parent_id for child in children} == {task.id}
    assert {child.budget.steps for child in children} == {3}
    assert task.attempt == 1


async def test_what_comes_after_a_failure_is_not_begun(band: Orchestra) -> None:
    async def fail(journal: Journal) -> Answer:
        raise NoModel("Nobody can.")

    log: list[str] = []
    parts = (Part(id="one", goal="one"), Part(id="two", goal="two", after=("one",)))
    async with band.working(planning(band, parts, script=fail, log=log)):
        task = await ended(band, await submit(band))
    assert task.answer is not None
    assert "## one (auto): failed\nNobody can." in task.answer.text
    assert "## two (auto): cancelled\nIt was not done" in task.answer.text
    assert "two" not in log


async def test_stopping_a_task_stops_its_parts(tmp_path: Path) -> None:
    stopped = asyncio.Event()

    async def hang(journal: Journal) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    async with (
        orchestra(tmp_path / "a.db", settings=Settings(workers=2)) as band,
        band.working(planning(band, BOTH_FIRST, script=hang, log=[])),
    ):
        task_id = await submit(band)
        while not (children := (await band.runs.get(ME, task_id)).children):
            await band.database.write(lambda _: None)
        await band.until(children[0], EventType.TASK_STARTED)
        await band.runs.cancel(ME, task_id)
        statuses = [(await ended(band, id)).status for id in [task_id, *children]]
        await stopped.wait()
    assert set(statuses) == {RunStatus.CANCELLED}


async def test_a_part_of_a_part_of_a_part_is_refused_and_so_is_an_agent_that_is_not_there(band: Orchestra) -> None:
    plans = Delegation(band.events, [AGENT], band.runs.wake, band.clock)
    run_id = await submit(band)
    context = ToolContext(run_id, "person", frozenset({"main"}), False)
    with pytest.raises(BadRequest, match="nobody"):
        await plans.carry_out(context, (Part(id="a", goal="g", agent="nobody"),))
    await band.database.execute("update run set depth = 2")
    with pytest.raises(BadRequest, match="part of a part"):
        await plans.carry_out(context, (Part(id="a", goal="g"),))
