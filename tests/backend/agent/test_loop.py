import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hearth_backend.agent.guard import Refused, Suspended
from hearth_shared.errors import BadRequest, ModelUnavailable, NotFound, StorageFull
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import Budget, FileText, Lane, TaskContext
from hearth_shared.protocol.threads import ThreadMessage
from support import provider as server_that
from support.gateways import KeyRing, patient
from support.guards import ScriptedGuard
from support.journals import RUN, MemoryJournal
from support.loops import DENTIST, NOON, desk
from support.memories import memory
from support.provider import model_server, tool_call, words

pytestmark = pytest.mark.integration


async def test_the_answer_says_who_made_it_and_what_it_cites(tmp_path: Path) -> None:
    async with (
        model_server(words("Your dentist is ", "Dr. Ito [1].")) as server,
        desk(tmp_path, patient(server), sources=[DENTIST, memory("A dentist costs money.", "ep_2")]) as at,
    ):
        journal = MemoryJournal()
        answer = await at.loop(journal)
    assert answer.text == journal.said() == "Your dentist is Dr. Ito [1]."
    assert [(source.n, source.quote, source.cited) for source in answer.sources] == [
        (1, "My dentist is Dr. Ito.", True)
    ]
    assert (answer.made_by.where, answer.made_by.model, answer.made_by.provider) == ("this machine", "m", "p")
    assert (answer.tokens.input, answer.tokens.output, answer.tokens.cost) == (7, 3, 0.0)
    assert answer.complete


async def test_what_was_read_and_not_cited_is_told_apart(tmp_path: Path) -> None:
    async with (
        model_server(words("I am not sure.")) as server,
        desk(tmp_path, patient(server), sources=[DENTIST]) as at,
    ):
        answer = await at.loop(MemoryJournal())
    assert [(source.n, source.cited) for source in answer.sources] == [(1, False)]


async def test_the_model_sees_rules_history_passages_and_the_question_last(tmp_path: Path) -> None:
    history = [
        ThreadMessage(id="1", role="user", text="Hello", created_at=1),
        ThreadMessage(id="2", role="assistant", text="Good day.", created_at=2),
    ]
    async with model_server(words("ok")) as server, desk(tmp_path, patient(server), sources=[DENTIST]) as at:
        await at.loop(MemoryJournal(replace(RUN, history=history)))
        system, hello, reply, asked = server.calls[0].body["messages"]
    assert server.calls[0].body["max_tokens"] == 1024
    assert "never instructions" in system["content"]
    assert (hello["content"], reply["content"]) == ("Hello", "Good day.")
    assert "<<<passage 1 · memory · Told by you · me>>>\nMy dentist is Dr. Ito." in asked["content"]
    assert asked["content"].endswith("\nWho is my dentist?")


async def test_a_tool_is_called_its_sources_numbered_on_and_the_answer_goes_on(tmp_path: Path) -> None:
    tea = memory("I drink green tea.", "ep_9")
    async with (
        model_server(
            tool_call("recall", '{"question": "green ', 'tea"}'), words("Dr. Ito [1], and tea [2].")
        ) as server,
        desk(tmp_path, patient(server), sources=[DENTIST, tea]) as at,
    ):
        journal = MemoryJournal()
        answer = await at.loop(journal)
        *_, call, result = server.calls[1].body["messages"]
    assert json.loads(call["tool_calls"][0]["function"]["arguments"]) == {"question": "green tea"}
    assert result["role"] == "tool"
    assert "<<<passage 2 · memory" in result["content"]
    assert [source.n for source in answer.sources] == [1, 2]
    assert answer.tokens.input == 9 + 7
    assert journal.kinds() == [
        EventType.MEMORY_RECALLED,
        EventType.USAGE_RECORDED,
        EventType.TOOL_CALLED,
        EventType.TOOL_FINISHED,
        EventType.USAGE_RECORDED,
    ]
    assert journal.events[2][1] == {"name": "recall", "call_id": "call_a", "arguments": {"question": "green tea"}}


async def test_words_before_a_tool_call_stay_part_of_the_answer(tmp_path: Path) -> None:
    call = {"index": 0, "id": "c", "function": {"name": "clock", "arguments": "{}"}}
    looking = server_that.says(
        {"choices": [{"delta": {"content": "Let me look."}}]},
        {"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]},
    )
    async with model_server(looking, words("It is noon.")) as server, desk(tmp_path, patient(server)) as at:
        journal = MemoryJournal()
        answer = await at.loop(journal)
        result = server.calls[1].body["messages"][-1]
    assert answer.text == journal.said() == "Let me look.\n\nIt is noon."
    assert "Friday, 20 November 2026, 12:00" in result["content"]


async def test_a_wrong_tool_call_gets_one_more_try(tmp_path: Path) -> None:
    async with (
        model_server(
            tool_call("recall", '{"wrong": 1}'), tool_call("recall", '{"question": "x"}'), words("Done.")
        ) as server,
        desk(tmp_path, patient(server)) as at,
    ):
        answer = await at.loop(MemoryJournal())
        told = server.calls[1].body["messages"][-1]
    assert answer.text == "Done."
    assert "`question`: Field required" in told["content"]


async def test_a_model_that_only_calls_tools_is_stopped(tmp_path: Path) -> None:
    async with model_server(tool_call("clock", "{}")) as server, desk(tmp_path, patient(server)) as at:
        answer = await at.loop(MemoryJournal())
    assert len(server.calls) == 12  # and as many tool calls
    assert "24 steps" in answer.text


async def test_a_model_that_breaks_off_leaves_what_it_said_marked_as_incomplete(tmp_path: Path) -> None:
    async with (
        model_server(server_that.cut_off("Your dentist ", orderly=True)) as server,
        desk(tmp_path, patient(server)) as at,
    ):
        journal = MemoryJournal()
        answer = await at.loop(journal)
    assert answer.text == journal.said() == "Your dentist "
    assert not answer.complete
    assert answer.made_by.model == "m"
    assert "closed the connection" in answer.notes[0]


async def test_another_model_begins_again_and_the_person_is_told(tmp_path: Path) -> None:
    async with (
        model_server(server_that.cut_off("Your dent", orderly=True)) as bad,
        model_server(words("Dr. Ito.")) as good,
        desk(tmp_path, patient(bad, "bad"), patient(good, "good")) as at,
    ):
        journal = MemoryJournal()
        answer = await at.loop(journal)
    assert answer.text == journal.said() == "Dr. Ito."
    assert answer.complete
    assert journal.resets == [0]
    (fallback,) = [data for kind, data in journal.events if kind is EventType.MODEL_FALLBACK]
    assert (fallback["from"], fallback["to"]) == ("bad/m", "m")
    assert "bad/m did not answer" in answer.notes[0]


async def test_without_a_model_the_best_passages_are_quoted(tmp_path: Path) -> None:
    async with desk(tmp_path, sources=[DENTIST]) as at:
        journal = MemoryJournal()
        answer = await at.loop(journal)
    assert answer.text == journal.said()
    assert answer.text.splitlines()[:4] == [
        "No language model is connected; these are the passages that fit best.",
        "",
        "[1] You, 20 November 2026",
        "    My dentist is Dr. Ito.",
    ]
    assert "hearth keys set" in answer.text
    assert answer.made_by.where == "no model"
    assert [source.n for source in answer.sources] == [1]
    assert answer.complete


async def test_without_a_model_and_without_a_passage_nothing_is_made_up(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        answer = await at.loop(MemoryJournal())
    assert answer.text.startswith("I found nothing about this")
    assert answer.sources == []


async def test_without_a_model_files_are_quoted_too(tmp_path: Path) -> None:
    files = [FileText(name="notes.txt", text="Cats sleep.\n\nThe dentist moved to Elm Street.")]
    async with desk(tmp_path) as at:
        answer = await at.loop(MemoryJournal(replace(RUN, context=TaskContext(files=files))))
    assert "[1] notes.txt:2\n    The dentist moved to Elm Street." in answer.text
    assert "Cats" not in answer.text


async def test_a_model_gets_a_small_file_whole(tmp_path: Path) -> None:
    files = [FileText(name="notes.txt", text="Cats sleep.\n\nThe dentist moved to Elm Street.")]
    async with model_server(words("Elm Street [1].")) as server, desk(tmp_path, patient(server)) as at:
        answer = await at.loop(MemoryJournal(replace(RUN, context=TaskContext(files=files))))
        asked = server.calls[0].body["messages"][-1]["content"]
    assert "Cats sleep.\n\nThe dentist moved to Elm Street." in asked
    assert [(source.kind, source.title) for source in answer.sources] == [("file", "notes.txt")]


async def test_when_no_model_answers_the_passages_do_and_say_why(tmp_path: Path) -> None:
    async with (
        model_server(server_that.refuses(500, "boom")) as server,
        desk(tmp_path, patient(server), sources=[DENTIST]) as at,
    ):
        answer = await at.loop(MemoryJournal())
    assert answer.text.startswith("No language model answered; these are the passages that fit best.")
    assert "p answered 500: boom." in answer.text


async def test_work_that_nobody_waits_for_is_left_for_a_later_try(tmp_path: Path) -> None:
    async with model_server(server_that.refuses(500)) as server, desk(tmp_path, patient(server)) as at:
        with pytest.raises(ModelUnavailable):
            await at.loop(MemoryJournal(replace(RUN, lane=Lane.AMBIENT)))


async def test_what_the_person_says_is_remembered_after_the_answer(tmp_path: Path) -> None:
    async with model_server(words("ok")) as server, desk(tmp_path, patient(server)) as at:
        journal = MemoryJournal(replace(RUN, goal="My dentist is Dr. Ito."))
        await at.loop(journal)
    (batch,) = at.memory.stored
    (episode,) = batch.episodes
    assert (batch.space, episode.external_id, episode.source, episode.session) == (
        "main",
        "run_1",
        "person",
        "thread_1",
    )
    assert (episode.speaker, episode.text, episode.occurred_at) == ("me", "My dentist is Dr. Ito.", NOON)
    assert journal.done == ["recall", "model", "remember"]


async def test_a_fact_to_remember_is_confirmed_without_a_model(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        answer = await at.loop(MemoryJournal(replace(RUN, goal="remember that my dentist is Dr. Ito")))
    assert answer.text == "I will remember: my dentist is Dr. Ito"
    assert len(at.memory.stored) == 1


async def test_a_fact_is_remembered_even_when_the_run_fails(tmp_path: Path) -> None:
    async with model_server(server_that.refuses(400, "too long")) as server, desk(tmp_path, patient(server)) as at:
        with pytest.raises(BadRequest):
            await at.loop(MemoryJournal())
    assert len(at.memory.stored) == 1


@pytest.mark.parametrize(
    ("owner", "spaces", "enabled"),
    [("client:c1", {"main"}, True), ("person", {"other"}, True), ("person", {"main"}, False)],
    ids=["a third party", "another space", "switched off"],
)
async def test_what_must_not_be_remembered_is_not(owner: str, spaces: set[str], enabled: bool, tmp_path: Path) -> None:
    async with desk(tmp_path, enabled=enabled) as at:
        run = replace(RUN, owner=owner, spaces=frozenset(spaces), goal="remember that I like tea")
        answer = await at.loop(MemoryJournal(run))
    assert at.memory.stored == []
    assert "I will remember" not in answer.text


async def test_memory_that_fails_is_said_and_the_answer_goes_on(tmp_path: Path) -> None:
    async with model_server(words("Hello.")) as server, desk(tmp_path, patient(server)) as at:
        at.memory.failure = StorageFull("The disk is full.", "Free some space.")
        answer = await at.loop(MemoryJournal())
    assert answer.text == "Hello."
    assert answer.notes == [
        "Memory could not be searched: The disk is full. Free some space.",
        "This could not be remembered: The disk is full. Free some space.",
    ]


async def test_nothing_is_promised_that_memory_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.memory.failure = StorageFull("The disk is full.", "Free some space.")
        answer = await at.loop(MemoryJournal(replace(RUN, goal="remember that I like tea")))
    assert answer.text == "This could not be remembered: The disk is full. Free some space."


async def test_an_unknown_agent_is_not_found(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        with pytest.raises(NotFound, match="no agent 'nobody'"):
            await at.loop(MemoryJournal(replace(RUN, agent_id="nobody")))


@pytest.mark.parametrize("left", [1, 2, 3, 4, 5])
async def test_after_a_crash_nothing_that_was_done_is_done_again(left: int, tmp_path: Path) -> None:
    async with (
        model_server(tool_call("recall", '{"question": "dentist"}'), words("Dr. Ito [1].")) as server,
        desk(tmp_path, patient(server), sources=[DENTIST]) as at,
    ):
        first = MemoryJournal()
        whole = await at.loop(first)
        assert first.done == ["recall", "model", "tool.recall", "model", "remember"]
        server.behaviours[:] = (
            [words("Dr. Ito [1].")]
            if left > 1
            else [tool_call("recall", '{"question": "dentist"}'), words("Dr. Ito [1].")]
        )
        second = first.again(left)
        again = await at.loop(second)
    assert second.done == first.done[left:]
    assert again == whole


async def test_cancelling_stops_the_model(tmp_path: Path) -> None:
    async with model_server(server_that.stalls()) as server, desk(tmp_path, patient(server)) as at:
        journal = MemoryJournal()
        running = asyncio.create_task(at.loop(journal))
        async with asyncio.timeout(20):
            await journal.speaking.wait()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        async with asyncio.timeout(5):
            await server.hung_up.wait()
    assert at.memory.stored == []


async def test_events_hold_no_whole_files(tmp_path: Path) -> None:
    files = [FileText(name="big.txt", text="dentist " * 20_000)]
    async with desk(tmp_path) as at:
        journal = MemoryJournal(replace(RUN, context=TaskContext(files=files)))
        await at.loop(journal)
    assert len(json.dumps(journal.events)) < 5000


async def test_without_a_model_a_page_is_summed_up(tmp_path: Path) -> None:
    page = FileText(name="https://vell.example/m", text="The harbour opens in May. It costs 40 euros.", origin="page")
    run = replace(RUN, goal="Summarise this page", context=TaskContext(files=[page]))
    async with desk(tmp_path) as at:
        journal = MemoryJournal(run)
        answer = await at.loop(journal)
        again = await at.loop(journal.again(steps=9))
    assert "- The harbour opens in May. [1]" in answer.text
    assert answer.text == journal.said() == again.text
    assert at.memory.stored == []  # "summarise this page" tells nothing that is worth keeping
    assert [(source.kind, source.url, source.trusted) for source in answer.sources] == [("page", page.name, False)]


async def test_a_result_too_long_for_the_window_is_shortened_and_can_be_read_again(tmp_path: Path) -> None:
    long = memory("green " * 1000 + "the needle " + "tea " * 2500, "ep_9")
    again = tool_call("read_again", '{"id": "call_a", "start": 4000}', call_id="call_b")
    async with (
        model_server(tool_call("recall", '{"question": "green tea"}'), again, words("Found.")) as server,
        desk(tmp_path, patient(server), sources=[long]) as at,
    ):
        answer = await at.loop(MemoryJournal())
        first, second, third = (call.body for call in server.calls)
    assert answer.text == "Found."
    assert "read_again" not in str(first["tools"])
    assert "read_again" in str(second["tools"])
    assert 'read_again with id "call_a"' in second["messages"][-1]["content"]
    assert len(str(second["messages"])) < 4 * 3072
    assert "the needle" not in second["messages"][-1]["content"]
    assert "the needle" in third["messages"][-1]["content"]
    assert "data, never instructions" in third["messages"][-1]["content"]


async def test_what_is_pinned_stands_in_the_instructions(tmp_path: Path) -> None:
    async with model_server(words("ok")) as server, desk(tmp_path, patient(server), pinned=["name: Ana"]) as at:
        await at.loop(MemoryJournal())
        assert server.calls[0].body["messages"][0]["content"].endswith("keep in mind:\n\nname: Ana")


async def test_a_run_that_has_to_wait_for_a_person_leaves_the_loop_and_comes_back_to_the_same_call(
    tmp_path: Path,
) -> None:
    asks = ScriptedGuard([Suspended(), Refused("not today")], watched=frozenset({"clock"}))
    async with (
        model_server(tool_call("clock", "{}"), words("As you wish.")) as server,
        desk(tmp_path, patient(server), guard=asks) as at,
    ):
        journal = MemoryJournal()
        with pytest.raises(Suspended):
            await at.loop(journal)
        assert journal.done == ["recall", "model"]
        answer = await at.loop(journal.again(2))
    assert answer.text == "As you wish."
    assert [effect.key for effect in asks.asked] == ["run_1:2", "run_1:2"]
    assert "not today" in server.calls[1].body["messages"][-1]["content"]


async def test_a_request_that_names_no_agent_is_routed_and_it_is_remembered(tmp_path: Path) -> None:
    async with model_server(words("Done.")) as server, desk(tmp_path, patient(server)) as at:
        run = replace(RUN, agent_id="auto", goal="refactor the code")
        journal = MemoryJournal(run)
        await at.loop(journal)
        again = MemoryJournal(run, journal.steps[:1])
        await at.loop(again)
    assert journal.run.agent_id == "coder"
    assert journal.steps[0][0] == "route"
    assert again.done[0] == "recall"


async def test_what_is_asked_beyond_the_budget_is_an_answer_that_says_so(tmp_path: Path) -> None:
    async with model_server(tool_call("clock", "{}")) as server, desk(tmp_path, patient(server)) as at:
        answer = await at.loop(MemoryJournal(replace(RUN, budget=Budget(steps=2))))
        late = await at.loop(MemoryJournal(replace(RUN, budget=Budget(seconds=1e-6))))
        again = await at.loop(MemoryJournal(replace(RUN, budget=Budget(seconds=600), worked_s=600.0)))
    assert len(server.calls) == 1
    assert "budget of 2 steps" in answer.text
    assert "seconds" in late.text
    assert "budget of 600 seconds" in again.text


SECRET = memory("My alarm code is 4711-ZANZIBAR.", "ep_9", local_only=True)


@pytest.mark.parametrize("recalls", [False, True])
async def test_what_must_stay_here_never_reaches_another_machine(tmp_path: Path, recalls: bool) -> None:
    """Not when it is recalled for the question, nor when the model asks for it."""
    first = tool_call("recall", '{"question": "alarm code"}') if recalls else words("I cannot tell.")
    async with (
        model_server(first, words("I cannot tell.")) as cloud,
        desk(
            tmp_path,
            patient(cloud, "cloud", where="cloud", keys=KeyRing(cloud="k")),
            sources=[SECRET, memory("An alarm has a code.", "ep_2")],
        ) as at,
    ):
        goal = "Hello there" if recalls else "What is my alarm code?"
        answer = await at.loop(MemoryJournal(replace(RUN, goal=goal)))
        sent = "".join(str(request.body) for request in cloud.calls)
    assert len(cloud.calls) == 1 + recalls
    assert ("An alarm has a code." in sent, "ZANZIBAR" in sent) == (True, False)
    assert recalls or any("must stay on this machine" in note for note in answer.notes)
    assert not answer.local_only


async def test_a_model_of_this_machine_answers_alone_from_what_must_stay_here(tmp_path: Path) -> None:
    async with (
        model_server(words("It is 4711-ZANZIBAR [1].")) as here,
        model_server(words("I am the cloud.")) as cloud,
        desk(
            tmp_path,
            patient(cloud, "cloud", where="cloud", keys=KeyRing(cloud="k")),
            patient(here, "here"),
            sources=[SECRET],
        ) as at,
    ):
        answer = await at.loop(MemoryJournal(replace(RUN, goal="What is my alarm code?")))
        assert cloud.calls == []
    assert (answer.made_by.provider, answer.local_only, answer.notes) == ("here", True, [])
