import asyncio

import pytest

from hearth_backend.orchestrator.requester import Requester
from hearth_backend.storage import driver
from hearth_shared.errors import BadRequest, IdempotencyMismatch, NotFound
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import FileText, Lane, RunStatus, TaskContext, TaskRequest
from hearth_shared.protocol.threads import MessageRequest, ThreadRequest
from support.orchestra import AGENT, IN_THE_TRAY, ME, OTHER_STRANGER, STRANGER, Orchestra, first, say_ok

pytestmark = pytest.mark.integration
GO = TaskRequest(goal="go")


async def test_an_accepted_task_is_on_disk(band: Orchestra) -> None:
    accepted = await band.runs.submit(ME, AGENT, GO)
    other_program = driver.connect(band.database.path, read_only=True)
    row = other_program.execute("select id, status from run").fetchone()
    assert tuple(row) == (accepted.task_id, "queued")
    other_program.close()


async def test_its_event_tells_the_beginning_of_the_goal_and_the_lane(band: Orchestra) -> None:
    task = await band.runs.submit(ME, AGENT, TaskRequest(goal="x" * 500), lane=Lane.AMBIENT)
    (event,) = await first(1, band.events.follow("person", after_seq=0))
    assert (event.type, event.run_id, event.door) == (EventType.TASK_QUEUED, task.task_id, "cli")
    assert event.data == {"goal": "x" * 200, "lane": "ambient"}


async def test_a_task_comes_back_as_it_was_given(band: Orchestra) -> None:
    context = TaskContext(files=[FileText(name="a.txt", text="hello")], note="look")
    request = TaskRequest(goal="go", context=context, priority=7, local_only=True, deadline_s=30)
    task = await band.runs.get(ME, (await band.runs.submit(ME, AGENT, request, lane=Lane.INLINE)).task_id)
    assert (task.goal, task.priority, task.local_only, task.lane) == ("go", 7, True, Lane.INLINE)
    assert (task.deadline_at, task.status, task.agent_id) == (band.clock.now + 30, RunStatus.QUEUED, AGENT)
    claim = await band.runs.store.claim(Lane.INDEXING, 60)
    assert claim is not None
    assert claim.run.context == context


async def test_an_agent_that_is_not_there_is_not_found(band: Orchestra) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await band.runs.submit(ME, "nobody", GO)


async def test_the_same_key_and_body_are_the_same_task(band: Orchestra) -> None:
    answers = await asyncio.gather(*(band.runs.submit(ME, AGENT, GO, idempotency_key="k") for _ in range(5)))
    assert len({answer.task_id for answer in answers}) == 1
    assert len((await band.runs.list(ME)).tasks) == 1


async def test_the_answer_to_a_repeated_key_tells_how_the_task_stands(band: Orchestra) -> None:
    async with band.working(say_ok):
        accepted = await band.runs.submit(ME, AGENT, GO, idempotency_key="k")
        await band.story(accepted.task_id)
    again = await band.runs.submit(ME, AGENT, GO, idempotency_key="k")
    assert (again.task_id, again.status) == (accepted.task_id, RunStatus.FINISHED)


async def test_the_same_key_with_another_request_is_refused(band: Orchestra) -> None:
    await band.runs.submit(ME, AGENT, GO, idempotency_key="k")
    for agent, request in ((AGENT, TaskRequest(goal="go on")), ("scribe", GO)):
        with pytest.raises(IdempotencyMismatch):
            await band.runs.submit(ME, agent, request, idempotency_key="k")
    thread = await band.threads.create(ME, ThreadRequest())
    with pytest.raises(IdempotencyMismatch):
        await band.runs.say(ME, thread.id, MessageRequest(text="go"), idempotency_key="k")
    assert len((await band.runs.list(ME)).tasks) == 1


async def test_a_key_belongs_to_its_owner(band: Orchestra) -> None:
    mine = await band.runs.submit(ME, AGENT, GO, idempotency_key="k")
    theirs = await band.runs.submit(STRANGER, AGENT, TaskRequest(goal="else"), idempotency_key="k")
    assert mine.task_id != theirs.task_id


async def test_all_doors_of_the_person_see_a_task(band: Orchestra) -> None:
    task = await band.runs.submit(ME, AGENT, GO)
    assert (await band.runs.get(IN_THE_TRAY, task.task_id)).door == "cli"


@pytest.mark.parametrize("asker", [ME, OTHER_STRANGER])
async def test_a_task_of_somebody_else_is_not_there(band: Orchestra, asker: Requester) -> None:
    task = await band.runs.submit(STRANGER, AGENT, GO)
    with pytest.raises(NotFound):
        await band.runs.get(asker, task.task_id)
    with pytest.raises(NotFound):
        await band.runs.cancel(asker, task.task_id)
    assert (await band.runs.list(asker)).tasks == []
    with pytest.raises(BadRequest):
        await band.runs.list(asker, after=task.task_id)
    assert (await band.runs.get(STRANGER, task.task_id)).status is RunStatus.QUEUED


async def test_nobody_speaks_in_a_thread_of_somebody_else(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest())
    with pytest.raises(NotFound):
        await band.runs.say(STRANGER, thread.id, MessageRequest(text="psst"))
    with pytest.raises(NotFound):
        await band.runs.submit(STRANGER, AGENT, TaskRequest(goal="psst", thread_id=thread.id))
    assert (await band.runs.list(STRANGER)).tasks == []
    assert (await band.threads.get(ME, thread.id)).messages == []


async def test_a_list_is_newest_first_and_continues_where_it_ended(band: Orchestra) -> None:
    made = [(await band.runs.submit(ME, AGENT, GO)).task_id for _ in range(5)]
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await band.runs.list(ME, limit=2, after=after)
        seen += [task.id for task in page.tasks]
        if (after := page.next) is None:
            break
    assert seen == made[::-1]


async def test_a_list_of_one_status(band: Orchestra) -> None:
    cancelled = await band.runs.submit(ME, AGENT, GO)
    await band.runs.cancel(ME, cancelled.task_id)
    await band.runs.submit(ME, AGENT, GO)
    found = (await band.runs.list(ME, status=RunStatus.CANCELLED)).tasks
    assert [task.id for task in found] == [cancelled.task_id]


async def test_cancelling_what_waits_ends_it_at_once(band: Orchestra) -> None:
    task = await band.runs.submit(ME, AGENT, GO)
    assert (await band.runs.cancel(ME, task.task_id)).status is RunStatus.CANCELLED
    assert (await band.story(task.task_id))[-1].type is EventType.TASK_CANCELLED
    assert await band.runs.store.claim(Lane.INDEXING, 60) is None


async def test_cancelling_what_has_ended_changes_nothing(band: Orchestra) -> None:
    async with band.working(say_ok):
        task = await band.runs.submit(ME, AGENT, GO)
        before = await band.story(task.task_id)
        assert (await band.runs.cancel(ME, task.task_id)).status is RunStatus.FINISHED
        assert await band.story(task.task_id) == before


async def test_open_tasks_are_counted_by_lane(band: Orchestra) -> None:
    for lane in (Lane.CHAT, Lane.CHAT, Lane.INDEXING):
        await band.runs.submit(ME, AGENT, GO, lane=lane)
    await band.runs.store.claim(Lane.CHAT, 60)
    assert await band.runs.counts() == {"inline": 0, "chat": 2, "ambient": 0, "indexing": 1}


async def test_queued_tasks_are_counted_by_lane_without_those_that_have_begun(band: Orchestra) -> None:
    for lane in (Lane.CHAT, Lane.CHAT, Lane.INDEXING):
        await band.runs.submit(ME, AGENT, GO, lane=lane)
    await band.runs.store.claim(Lane.CHAT, 60)
    assert await band.runs.waiting() == {"inline": 0, "chat": 1, "ambient": 0, "indexing": 1}


async def test_a_message_and_its_run_are_stored_together(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest(agent_id="scribe", local_only=True))
    accepted = await band.runs.say(ME, thread.id, MessageRequest(text="hello"))
    task = await band.runs.get(ME, accepted.task_id)
    assert (task.thread_id, task.agent_id, task.local_only) == (thread.id, "scribe", True)
    (message,) = (await band.threads.get(ME, thread.id)).messages
    assert (message.role, message.text, message.run_id) == ("user", "hello", task.id)


async def test_a_repeated_message_is_said_once(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest())
    for _ in range(3):
        await band.runs.say(ME, thread.id, MessageRequest(text="hello"), idempotency_key="k")
    assert len((await band.threads.get(ME, thread.id)).messages) == 1


async def test_a_task_in_a_thread_is_a_turn_of_it(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest())
    async with band.working(say_ok):
        task = await band.runs.submit(ME, AGENT, TaskRequest(goal="go", thread_id=thread.id))
        await band.story(task.task_id)
    messages = (await band.threads.get(ME, thread.id)).messages
    assert [(message.role, message.text) for message in messages] == [("user", "go"), ("assistant", "ok")]
