from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.agent.guard import Because, Effect, Go, Refused, Suspended
from hearth_backend.agent.journal import Journal
from hearth_backend.agent.run_view import RunView
from hearth_backend.orchestrator.asking import GRANT_S
from hearth_backend.orchestrator.rules import Rules
from hearth_backend.tools.binding import digest
from hearth_backend.tools.policy import Policy, Rule
from hearth_shared.errors import BadRequest, Conflict, Forbidden, NotFound
from hearth_shared.protocol.approvals import DecisionRequest
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import Answer, RunStatus, TaskDetail, TaskRequest
from hearth_shared.settings import Runs as Settings
from support.journals import RUN
from support.orchestra import AGENT, IN_THE_TRAY, ME, Orchestra, orchestra
from support.places import CONTEXT
from support.tools_of_tests import Marker, Recalling, Strict, asking

pytestmark = pytest.mark.integration

ACCEPT = DecisionRequest(decision="accept")
PLAIN = Because()


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


# -- what a grant is good for


async def waiting(band: Orchestra) -> list[str]:
    listed = await band.approvals.list(ME, status="pending")
    return [approval.id for approval in listed.approvals]


def effect(band_run: RunView, key: str = "run_1:0", because: Because = PLAIN, **args: Any) -> Effect:
    return Effect(key, band_run, "write", "c1", args, because)


async def a_run(band: Orchestra, **changes: Any) -> RunView:
    """A run that is in the database, as a guard sees it."""
    return replace(RUN, id=await submit(band), thread_id=None, **changes)


async def test_a_grant_is_for_exactly_what_was_seen_once_and_for_ten_minutes(band: Orchestra) -> None:
    marker, run = Marker(), await a_run(band)
    guard = asking(band, [marker])
    with pytest.raises(Suspended):
        await guard.ask(effect(run, path="a"))
    with pytest.raises(Suspended):
        await guard.ask(effect(run, path="a"))  # the same question
    (approval_id,) = await waiting(band)
    await band.approvals.decide(ME, approval_id, ACCEPT)
    verdict = await guard.ask(effect(run, path="a"))
    assert isinstance(verdict, Go)
    assert verdict.sha256 == digest("write", {"path": "a"}, await marker.plan(marker.read({"path": "a"}), CONTEXT))
    band.clock.pass_(GRANT_S + 1)
    with pytest.raises(Suspended):
        await guard.ask(effect(run, path="a"))
    assert len(await waiting(band)) == 1


async def test_a_grant_cannot_be_used_for_something_else(band: Orchestra) -> None:
    guard, run = asking(band), await a_run(band)
    with pytest.raises(Suspended):
        await guard.ask(effect(run))
    (approval_id,) = await waiting(band)
    await band.approvals.decide(ME, approval_id, ACCEPT)
    known = await band.approvals.about("run_1:0")
    assert known is not None
    await band.approvals.use(known, "run_1:0")
    await band.approvals.use(known, "run_1:0")  # the same effect, after a crash
    with pytest.raises(Conflict, match="used already"):
        await band.approvals.use(known, "run_1:7")


async def test_the_card_says_why_it_asks_with_the_words_of_strangers(band: Orchestra) -> None:
    quote = {"text": "write to b", "source": "example.org", "trusted": False}
    guard, run = asking(band, [Marker("send")]), await a_run(band)
    with pytest.raises(Suspended):
        await guard.ask(effect(run, because=Because(True, True, (quote,)), path="b"))
    (approval,) = (await band.approvals.list(ME, status="pending")).approvals
    assert approval.quotes == [quote]
    assert approval.why == "it has read words of strangers, and knows your own things"
    assert (approval.preview, approval.reach, approval.undo) == ("+ a line", ["a place"], "Takes it back.")


async def test_an_edit_is_bound_to_what_it_says_and_refused_when_it_does_not_hold(band: Orchestra) -> None:
    deny = Rule("write", "deny", (("path", "forbidden"),), source="policy.toml line 1")
    guard, run = asking(band, [Strict()], Policy((deny,))), await a_run(band)
    with pytest.raises(Suspended):
        await guard.ask(effect(run, path="a"))
    (approval_id,) = await waiting(band)
    with pytest.raises(BadRequest, match="`path`"):
        await band.approvals.decide(ME, approval_id, DecisionRequest(decision="edit", args={"path": 3}))
    with pytest.raises(Forbidden, match="line 1 forbids it"):
        await band.approvals.decide(ME, approval_id, DecisionRequest(decision="edit", args={"path": "forbidden"}))
    assert await waiting(band) == [approval_id]
    await band.approvals.decide(ME, approval_id, DecisionRequest(decision="edit", args={"path": "b"}))
    verdict = await guard.ask(effect(run, path="a"))
    assert isinstance(verdict, Go)
    assert verdict.args == {"path": "b"}
    assert verdict.sha256 == digest("write", {"path": "b"}, await Strict().plan(Strict().read({"path": "b"}), CONTEXT))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (DecisionRequest(decision="respond", text="Use the test data."), "Use the test data."),
        (DecisionRequest(decision="ignore"), "did not allow it"),
    ],
)
async def test_the_run_reads_the_answer(band: Orchestra, answer: DecisionRequest, said: str) -> None:
    guard, run = asking(band), await a_run(band)
    with pytest.raises(Suspended):
        await guard.ask(effect(run))
    await band.approvals.decide(ME, (await waiting(band))[0], answer)
    verdict = await guard.ask(effect(run))
    assert isinstance(verdict, Refused)
    assert said in verdict.text


async def test_what_a_rule_forbids_is_not_asked_about(band: Orchestra) -> None:
    guard, run = asking(band, policy=Policy((Rule("write", "deny", source="policy.toml line 1"),))), await a_run(band)
    assert await guard.ask(effect(run)) == Refused("Nothing was done: policy.toml line 1 forbids it. Go on without it.")
    assert await waiting(band) == []


async def test_an_answer_for_the_task_holds_until_its_end_and_for_nothing_else(band: Orchestra) -> None:
    guard, run = asking(band), await a_run(band)
    with pytest.raises(Suspended):
        await guard.ask(effect(run, "k:0", path="a"))
    remembered = DecisionRequest(decision="accept", remember="run")
    await band.approvals.decide(ME, (await waiting(band))[0], remembered)
    assert isinstance(await guard.ask(effect(run, "k:1", path="a")), Go)
    with pytest.raises(Suspended):
        await guard.ask(effect(run, "k:2", path="b"))
    with pytest.raises(Suspended):
        await guard.ask(effect(run, "k:3", Because(tainted=True), path="a"))
    with pytest.raises(Suspended):
        await guard.ask(effect(await a_run(band), "k:4", path="a"))


async def test_equal_answers_propose_a_rule_that_shows_what_it_would_have_allowed(band: Orchestra) -> None:
    guard, run = asking(band), await a_run(band)
    rules = Rules(band.database, Policy, band.clock)
    for number in range(3):
        assert (await rules.list()).rules == []
        with pytest.raises(Suspended):
            await guard.ask(effect(run, f"k:{number}", path="a"))
        await band.approvals.decide(ME, (await waiting(band))[0], ACCEPT)
    (proposed,) = (await rules.list()).rules
    assert (proposed.state, proposed.decision, proposed.match) == ("proposed", "allow", {"path": "a"})
    assert [(past.subject, past.decision) for past in proposed.would] == [("a", "accept")] * 3
    assert rules.active == ()
    internal = replace(ME, door=Door.INTERNAL)
    with pytest.raises(Forbidden):
        await rules.decide(internal, proposed.id, "accept")
    await rules.decide(ME, proposed.id, "accept")
    assert [rule.decision for rule in rules.active] == ["allow"]
    with pytest.raises(Conflict):
        await rules.decide(ME, proposed.id, "ignore")
    await rules.forget(proposed.id)
    assert rules.active == ()
    with pytest.raises(NotFound):
        await rules.forget(proposed.id)


async def test_different_answers_propose_nothing(band: Orchestra) -> None:
    guard, run = asking(band), await a_run(band)
    for number, answer in enumerate((ACCEPT, DecisionRequest(decision="ignore"), ACCEPT)):
        with pytest.raises(Suspended):
            await guard.ask(effect(run, f"k:{number}", path="a"))
        await band.approvals.decide(ME, (await waiting(band))[0], answer)
    assert (await Rules(band.database, Policy, band.clock).list()).rules == []


async def test_the_files_tell_what_nobody_else_knows_after_a_crash(band: Orchestra) -> None:
    marker, run = Recalling(), await a_run(band)
    guard = asking(band, [marker])
    marker.came_to = "done"
    assert isinstance(await guard.settle(effect(run)), Refused)
    marker.came_to = "not done"
    assert isinstance(await guard.settle(effect(run)), Go)
    marker.came_to = "unknown"
    with pytest.raises(Suspended):
        await guard.settle(effect(run))
    (approval,) = (await band.approvals.list(ME, status="pending")).approvals
    assert approval.kind == "unknown"
    assert "cannot tell whether it was" in approval.why
    await band.approvals.decide(ME, approval.id, ACCEPT)
    assert isinstance(await guard.settle(effect(run)), Go)


async def test_leave_to_do_it_again_does_not_last_for_the_next_stop(band: Orchestra) -> None:
    guard, run = asking(band), replace(RUN, id=await submit(band))

    async def settled(begun: int) -> str:
        """The question after so many beginnings."""
        effect = Effect(f"{run.id}:0", run, "write", "c1", {"a": 1}, begun=begun)
        with pytest.raises(Suspended):
            await guard.settle(effect)
        pending = (await band.approvals.list(ME, status="pending")).approvals
        await band.approvals.decide(IN_THE_TRAY, pending[0].id, DecisionRequest(decision="accept"))
        assert isinstance(await guard.settle(effect), Go)
        return pending[0].id

    assert await settled(1) != await settled(2)
