import asyncio

import pytest

from hearth_backend.agent.journal import Journal
from hearth_backend.orchestrator.requester import Requester
from hearth_shared.errors import BadRequest, Conflict, NotFound
from hearth_shared.protocol.tasks import Answer, MadeBy, Source
from hearth_shared.protocol.threads import FeedbackRequest, MessageRequest, ThreadMessage, ThreadRequest
from support.orchestra import IN_THE_TRAY, ME, OTHER_STRANGER, STRANGER, Orchestra, say_ok

pytestmark = pytest.mark.integration


async def say(band: Orchestra, thread_id: str, text: str) -> str:
    return (await band.runs.say(ME, thread_id, MessageRequest(text=text))).task_id


def turns(messages: list[ThreadMessage]) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in messages]


async def test_a_new_thread_is_empty_and_seen_at_all_doors(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest(title="Plans", local_only=True))
    found = await band.threads.get(IN_THE_TRAY, thread.id)
    assert (found.title, found.local_only, found.door, found.messages) == ("Plans", True, "cli", [])


async def test_a_thread_with_an_unknown_agent_is_not_made(band: Orchestra) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await band.threads.create(ME, ThreadRequest(agent_id="nobody"))


@pytest.mark.parametrize("asker", [STRANGER, OTHER_STRANGER])
async def test_a_thread_of_somebody_else_is_not_there(band: Orchestra, asker: Requester) -> None:
    thread = await band.threads.create(ME, ThreadRequest())
    with pytest.raises(NotFound):
        await band.threads.get(asker, thread.id)
    assert (await band.threads.list(asker)).threads == []


async def test_a_thread_without_a_title_takes_it_from_the_first_message(band: Orchestra) -> None:
    plain = await band.threads.create(ME, ThreadRequest())
    named = await band.threads.create(ME, ThreadRequest(title="Plans"))
    for text in ("First things first", "and then"):
        await say(band, plain.id, text)
        await say(band, named.id, text)
    titles = {thread.id: thread.title for thread in (await band.threads.list(ME)).threads}
    assert titles == {plain.id: "First things first", named.id: "Plans"}


async def test_the_thread_used_last_comes_first_and_the_list_continues(band: Orchestra) -> None:
    made: list[str] = []
    for _ in range(5):
        band.clock.pass_(1)
        made.append((await band.threads.create(ME, ThreadRequest())).id)
    band.clock.pass_(1)
    await say(band, made[0], "hello")
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await band.threads.list(ME, limit=2, after=after)
        seen += [thread.id for thread in page.threads]
        if (after := page.next) is None:
            break
    assert seen == [made[0], *made[:0:-1]]


async def test_threads_of_the_same_moment_are_listed_once_each(band: Orchestra) -> None:
    made = {(await band.threads.create(ME, ThreadRequest())).id for _ in range(4)}
    one = await band.threads.list(ME, limit=3)
    rest = await band.threads.list(ME, limit=3, after=one.next)
    assert {thread.id for thread in (*one.threads, *rest.threads)} == made
    assert (len(one.threads), len(rest.threads)) == (3, 1)


async def test_a_list_continued_from_nowhere_is_refused(band: Orchestra) -> None:
    with pytest.raises(BadRequest):
        await band.threads.list(ME, after="nowhere")


async def test_an_answer_stands_behind_its_question_with_its_sources(band: Orchestra) -> None:
    source = Source(n=1, kind="memory", id="m1", title="A note", quote="so it is")
    made_by = MadeBy(where="this machine", model="small")

    async def answer(journal: Journal) -> Answer:
        return Answer(text=f"re {journal.run.goal}", sources=[source], made_by=made_by)

    thread = await band.threads.create(ME, ThreadRequest())
    tasks = [await say(band, thread.id, text) for text in ("one", "two")]
    async with band.working(answer):
        await asyncio.gather(*(band.story(task) for task in tasks))
    messages = (await band.threads.get(ME, thread.id)).messages
    expected = [("user", "one"), ("assistant", "re one"), ("user", "two"), ("assistant", "re two")]
    assert turns(messages) == expected
    assert (messages[1].sources, messages[1].made_by, messages[1].complete) == ([source], made_by, True)


async def test_an_agent_sees_the_turns_before_its_own(band: Orchestra) -> None:
    histories: dict[str, list[tuple[str, str]]] = {}

    async def remember(journal: Journal) -> Answer:
        histories[journal.run.goal] = turns(list(journal.run.history))
        return Answer(text=f"re {journal.run.goal}")

    thread = await band.threads.create(ME, ThreadRequest())
    tasks = [await say(band, thread.id, text) for text in ("one", "two", "three")]
    async with band.working(remember):
        await asyncio.gather(*(band.story(task) for task in tasks))
    one, two = [("user", "one"), ("assistant", "re one")], [("user", "two"), ("assistant", "re two")]
    assert histories == {"one": [], "two": one, "three": one + two}


async def answered(band: Orchestra) -> tuple[str, list[ThreadMessage]]:
    thread = await band.threads.create(ME, ThreadRequest())
    async with band.working(say_ok):
        await band.story(await say(band, thread.id, "hello"))
    return thread.id, (await band.threads.get(ME, thread.id)).messages


async def test_an_answer_is_rated_and_rated_anew(band: Orchestra) -> None:
    thread_id, (_, answer) = await answered(band)
    for rating in ("bad", "good"):
        rated = await band.threads.feedback(ME, thread_id, FeedbackRequest(message_id=answer.id, rating=rating))
        assert rated.feedback == rating
    assert (await band.threads.get(ME, thread_id)).messages[1].feedback == "good"


async def test_only_answers_in_threads_of_ones_own_are_rated(band: Orchestra) -> None:
    thread_id, (question, answer) = await answered(band)
    other = await band.threads.create(ME, ThreadRequest())
    for asker, thread, message in (
        (ME, thread_id, question.id),
        (ME, other.id, answer.id),
        (ME, thread_id, "nothing"),
        (STRANGER, thread_id, answer.id),
    ):
        with pytest.raises(NotFound):
            await band.threads.feedback(asker, thread, FeedbackRequest(message_id=message, rating="good"))
    assert (await band.threads.get(ME, thread_id)).messages[1].feedback is None


async def test_who_has_not_seen_the_latest_turn_is_told_so(band: Orchestra) -> None:
    thread = await band.threads.create(ME, ThreadRequest())
    seen = (await band.threads.get(ME, thread.id)).version
    first, second = (MessageRequest(text=text, version=seen) for text in ("mine", "mine too"))
    said = await asyncio.gather(
        *(band.runs.say(ME, thread.id, message) for message in (first, second)), return_exceptions=True
    )
    (late,) = [one for one in said if isinstance(one, Conflict)]
    now = await band.threads.get(ME, thread.id)
    assert late.data["version"] == now.version > seen
    assert [message.text for message in now.messages] == ["mine"]
    await band.runs.say(ME, thread.id, MessageRequest(text="mine too", version=now.version))
