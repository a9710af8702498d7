import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_backend.agent.guard import Effect, Go, Refused, Suspended, Verdict
from hearth_backend.orchestrator.frames import Frames
from hearth_backend.orchestrator.journal import RunJournal
from hearth_backend.orchestrator.requester import PERSON
from hearth_backend.orchestrator.run_store import Claim, Finished
from hearth_shared.errors import Conflict, ModelFailed, ReplayMismatch, StorageFull, TooLarge
from hearth_shared.protocol.events import Event, EventType
from hearth_shared.protocol.tasks import Answer, Lane, RunStatus, TaskRequest
from support.guards import ScriptedGuard
from support.orchestra import AGENT, ME, Orchestra, first, orchestra, shown

pytestmark = pytest.mark.integration


async def begin(band: Orchestra) -> Claim:
    """A new run, claimed."""
    await band.runs.submit(ME, AGENT, TaskRequest(goal="go"))
    return await claim(band)


async def begin_again(band: Orchestra) -> Claim:
    """The same run, as after a crash."""
    await band.runs.store.recover(attempts=100)
    return await claim(band)


async def claim(band: Orchestra) -> Claim:
    claim = await band.runs.store.claim(Lane.INDEXING, 60)
    assert claim is not None
    return claim


def journal_of(band: Orchestra, claim: Claim, *, interval: float = 0.0) -> RunJournal:
    return RunJournal(band.runs.store, claim, frames=Frames(interval))


async def finish(band: Orchestra, claim: Claim, journal: RunJournal) -> list[Event]:
    """End the run; its whole story."""
    await band.runs.store.finish(claim, Finished(Answer(text=journal.said())), await journal.close())
    return await band.story(claim.run.id)


def giving(value: Any, calls: list[Any] | None = None) -> Callable[[], Awaitable[Any]]:
    async def body() -> Any:
        if calls is not None:
            calls.append(value)
        return value

    return body


async def states(band: Orchestra, claim: Claim) -> list[tuple[str, str]]:
    return [(step.name, step.state) for step in (await band.runs.get(ME, claim.run.id)).steps]


async def test_a_step_gives_what_its_replay_would_give(band: Orchestra) -> None:
    journal = journal_of(band, await begin(band))
    assert await journal.step("look", "c1", giving({"a": (1, 2)})) == {"a": [1, 2]}


async def test_a_step_that_takes_a_while_is_on_disk_before_and_after_it_is_done(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim)
    seen: list[list[tuple[str, str]]] = []

    async def body() -> None:
        while not (found := await states(band, claim)):
            await band.database.write(lambda _: None)
        seen.append(found)

    await journal.step("look", "c1", body)
    seen.append(await states(band, claim))
    assert seen == [[("look", "started")], [("look", "done")]]
    story = await finish(band, claim, journal)
    assert [(event.type, event.data) for event in story[2:4]] == [
        (EventType.STEP_STARTED, {"seq": 0, "name": "look", "call_id": "c1"}),
        (EventType.STEP_FINISHED, {"seq": 0, "name": "look", "call_id": "c1", "state": "done"}),
    ]


async def test_a_short_step_is_written_once_and_told_as_begun_and_ended(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim)
    await journal.step("look", "c1", giving(1))
    story = await finish(band, claim, journal)
    assert [event.type for event in story[2:4]] == [EventType.STEP_STARTED, EventType.STEP_FINISHED]


async def test_a_step_that_takes_a_while_after_short_ones_is_on_disk_before_it_is_done(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim)
    seen: list[list[tuple[str, str]]] = []

    async def body() -> None:
        while ("wait", "started") not in (found := await states(band, claim)):
            await band.database.write(lambda _: None)
        seen.append(found)

    for number in range(3):
        await journal.step("look", f"c{number}", giving(number))
    await journal.step("wait", "c3", body)
    assert seen == [[*[("look", "done")] * 3, ("wait", "started")]]


async def test_what_a_step_says_is_told_behind_its_beginning(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim, interval=60.0)

    async def say() -> None:
        await journal.text(0, "first, at once")
        await journal.text(0, " and later")

    await journal.text(0, "before ")
    await journal.step("say", "c1", say)
    story = await finish(band, claim, journal)
    kinds = [event.type for event in story[2:]]
    assert kinds.index(EventType.STEP_STARTED) == 1
    assert kinds[-2] is EventType.STEP_FINISHED
    assert shown(story) == "before first, at once and later"


async def test_a_step_that_was_done_is_not_done_again(band: Orchestra) -> None:
    calls: list[Any] = []
    journal = journal_of(band, await begin(band))
    await journal.step("look", "c1", giving(1, calls))
    again = journal_of(band, await begin_again(band))
    assert await again.step("look", "c1", giving(2, calls)) == 1
    assert await again.step("look", "c2", giving(3, calls)) == 3
    assert calls == [1, 3]


async def test_a_step_that_failed_fails_again_in_the_same_way(band: Orchestra) -> None:
    async def fail() -> None:
        raise ModelFailed("It broke off.", "Ask again.", model="small")

    claim = await begin(band)
    with pytest.raises(ModelFailed):
        await journal_of(band, claim).step("model", "c1", fail)
    for _ in range(2):
        with pytest.raises(ModelFailed) as raised:
            await journal_of(band, await begin_again(band)).step("model", "c1", giving(1))
        assert raised.value.problem() == ModelFailed("It broke off.", "Ask again.", model="small").problem()
    assert await states(band, claim) == [("model", "failed")]


@pytest.mark.parametrize(("name", "call_id"), [("other", "c1"), ("look", "c2")])
async def test_two_histories_are_not_mixed(band: Orchestra, name: str, call_id: str) -> None:
    journal = journal_of(band, await begin(band))
    await journal.step("look", "c1", giving(1))
    again = journal_of(band, await begin_again(band))
    with pytest.raises(ReplayMismatch):
        await again.step(name, call_id, giving(2))


async def test_a_step_that_only_reads_is_done_again_if_it_was_not_finished(band: Orchestra) -> None:
    claim = await begin(band)
    await interrupted(journal_of(band, claim), "read")
    again = journal_of(band, await begin_again(band))
    assert await again.step("act", "c1", giving(2)) == 2
    assert await states(band, claim) == [("act", "done")]


async def test_an_effect_is_on_disk_before_the_question_before_it_begins_and_after_it(band: Orchestra) -> None:
    claim = await begin(band)
    journal, seen = journal_of(band, claim), list[list[tuple[str, str]]]()

    class Looking(ScriptedGuard):
        async def ask(self, effect: Effect) -> Verdict:
            seen.append(await states(band, claim))
            return Go({**effect.args, "edited": True}, "apr_1")

    async def body(go: Go, key: str) -> Any:
        seen.append(await states(band, claim))
        return [go.args, key]

    done = await journal.effect("act", "c1", {"a": 1}, Looking(), body)
    assert done == [{"a": 1, "edited": True}, f"{claim.run.id}:0"]
    assert [*seen, await states(band, claim)] == [[("act", "intent")], [("act", "started")], [("act", "done")]]
    again = journal_of(band, await begin_again(band))
    assert await again.effect("act", "c1", {"a": 1}, NOBODY, doing([])) == done


async def test_what_waits_for_a_person_is_asked_again_at_the_same_step(band: Orchestra) -> None:
    claim = await begin(band)
    asks, calls = ScriptedGuard([Suspended()]), list[str]()
    with pytest.raises(Suspended):
        await journal_of(band, claim).effect("act", "c1", {"a": 1}, asks, doing(calls))
    again = journal_of(band, await begin_again(band))
    assert await again.effect("act", "c1", {"a": 1}, asks, doing(calls)) == {"a": 1}
    assert [effect.key for effect in asks.asked] == [f"{claim.run.id}:0"] * 2
    assert calls == [f"{claim.run.id}:0"]


async def test_what_was_refused_is_left_and_remembered(band: Orchestra) -> None:
    claim, calls = await begin(band), list[str]()
    journal = journal_of(band, claim)
    refused = await journal.effect("act", "c1", {}, ScriptedGuard([Refused("not now")]), doing(calls))
    again = journal_of(band, await begin_again(band))
    assert await again.effect("act", "c1", {}, NOBODY, doing(calls)) == refused == {"refused": "not now"}
    assert calls == []


async def test_what_must_not_be_done_twice_asks_the_person(band: Orchestra) -> None:
    claim, calls = await begin(band), list[str]()
    await interrupted(journal_of(band, claim), "write")
    asks = ScriptedGuard(settled=[Suspended(), Suspended(), Refused("it was done")])
    for _ in range(2):
        again = journal_of(band, await begin_again(band))
        with pytest.raises(Suspended):
            await again.effect("act", "c1", {"a": 1}, asks, doing(calls))
        assert await states(band, claim) == [("act", "unknown")]
    again = journal_of(band, await begin_again(band))
    assert await again.effect("act", "c1", {"a": 1}, asks, doing(calls)) == {"refused": "it was done"}
    assert (calls, asks.asked, len(asks.unknown)) == ([], [], 3)
    assert await states(band, claim) == [("act", "done")]


async def test_what_the_person_wants_again_is_done_once_more(band: Orchestra) -> None:
    claim, calls = await begin(band), list[str]()
    await interrupted(journal_of(band, claim), "write")
    again = journal_of(band, await begin_again(band))
    assert await again.effect("act", "c1", {"a": 1}, ScriptedGuard(), doing(calls)) == {"a": 1}
    assert calls == [f"{claim.run.id}:0"]


async def test_leave_to_do_it_again_is_for_once(band: Orchestra) -> None:
    claim, asks = await begin(band), ScriptedGuard()
    await interrupted(journal_of(band, claim), "write")
    for _ in range(2):
        await interrupted(journal_of(band, await begin_again(band)), "write", asks)
    assert [effect.begun for effect in asks.unknown] == [1, 2]


async def test_what_may_be_repeated_is_done_again_with_its_key_and_nobody_is_asked(band: Orchestra) -> None:
    claim, calls = await begin(band), list[str]()
    await interrupted(journal_of(band, claim), "write")
    again = journal_of(band, await begin_again(band))
    assert await again.effect("act", "c1", {"a": 1}, NOBODY, doing(calls), repeatable=True) == {"a": 1}
    assert calls == [f"{claim.run.id}:0"]


async def test_an_effect_with_other_arguments_than_before_is_another_way(band: Orchestra) -> None:
    claim = await begin(band)
    with pytest.raises(Suspended):
        await journal_of(band, claim).effect("act", "c1", {"a": 1}, ScriptedGuard([Suspended()]), doing([]))
    with pytest.raises(ReplayMismatch):
        await journal_of(band, await begin_again(band)).effect("act", "c1", {"a": 2}, ScriptedGuard(), doing([]))


NOBODY = ScriptedGuard([AssertionError("asked")] * 9, [AssertionError("asked")] * 9)


def doing(calls: list[str]) -> Callable[[Go, str], Awaitable[Any]]:
    """An effect that gives back what it was to do, and notes its key."""

    async def body(go: Go, key: str) -> Any:
        calls.append(key)
        return go.args

    return body


async def interrupted(journal: RunJournal, effect: Any, guard: ScriptedGuard | None = None) -> None:
    """The process dies in the middle of a step."""
    began = asyncio.Event()

    async def body(*_: object) -> None:
        began.set()
        await asyncio.Event().wait()

    async def act() -> None:
        if effect == "write":
            await journal.effect("act", "c1", {"a": 1}, guard or ScriptedGuard(), body)
        else:
            await journal.step("act", "c1", body)

    step = asyncio.create_task(act())
    await began.wait()
    step.cancel()
    await asyncio.wait([step])


async def test_steps_at_the_same_time_keep_their_places(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim)
    slow = asyncio.Event()

    async def wait() -> str:
        await slow.wait()
        return "slow"

    async def hurry() -> str:
        slow.set()
        return "quick"

    assert await asyncio.gather(journal.step("a", "1", wait), journal.step("b", "2", hurry)) == ["slow", "quick"]
    again = journal_of(band, await begin_again(band))
    replayed = await asyncio.gather(again.step("a", "1", giving(0)), again.step("b", "2", giving(0)))
    assert replayed == ["slow", "quick"]


async def test_a_step_that_gives_too_much_fails_the_run(band: Orchestra) -> None:
    journal = journal_of(band, await begin(band))
    with pytest.raises(TooLarge, match="look"):
        await journal.step("look", "c1", giving("x" * 5_000_000))


async def test_the_first_text_is_sent_at_once_and_more_of_it_joined(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim, interval=3600)
    await journal.text(0, "The ")
    following = band.events.follow(PERSON, after_seq=2, run_id=claim.run.id)
    (heard,) = await first(1, following)
    assert heard.data == {"part": 0, "offset": 0, "text": "The "}
    for piece in ("answer", " is ", "42"):
        await journal.text(0, piece)
    story = await finish(band, claim, journal)
    assert [event.data["text"] for event in story if event.type is EventType.TEXT_DELTA] == ["The ", "answer is 42"]


async def test_text_is_sent_when_its_frame_is_over_without_another_call(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim, interval=0.01)
    for piece in ("a", "b", "c"):
        await journal.text(0, piece)
    events = band.events.follow(PERSON, after_seq=2, run_id=claim.run.id)
    heard: list[Event] = []
    while shown(heard) != "abc":
        heard += await first(1, events)
        events = band.events.follow(PERSON, after_seq=heard[-1].seq, run_id=claim.run.id)


async def test_what_was_said_comes_before_what_was_done_next(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim, interval=3600)
    await journal.text(0, "a")
    await journal.text(0, "b")
    await journal.step("look", "c1", giving(1))
    await journal.text(0, "c")
    await journal.emit(EventType.TOOL_CALLED, {"name": "clock"})
    story = await finish(band, claim, journal)
    kinds = [event.type for event in story]
    order = [EventType.TEXT_DELTA, EventType.STEP_STARTED, EventType.STEP_FINISHED, EventType.TEXT_DELTA]
    assert [kind for kind in kinds if kind in order] == order
    assert kinds.index(EventType.TOOL_CALLED) == len(kinds) - 2
    assert shown(story) == "abc"


async def test_thoughts_are_joined_too(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim, interval=3600)
    for piece in ("h", "m", "m"):
        await journal.emit(EventType.REASONING_DELTA, {"part": 0, "text": piece})
    story = await finish(band, claim, journal)
    thoughts = [event.data for event in story if event.type is EventType.REASONING_DELTA]
    assert thoughts == [{"part": 0, "offset": 0, "text": "hmm"}]
    assert journal.said() == ""


async def test_another_model_begins_a_part_again(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim)
    await journal.text(0, "half an ans")
    await journal.reset(0)
    await journal.text(0, "whole")
    assert journal.said() == "whole"
    assert shown(await finish(band, claim, journal)) == "whole"


async def test_a_run_that_was_lost_hears_of_it(band: Orchestra) -> None:
    claim = await begin(band)
    journal = journal_of(band, claim)
    await begin_again(band)
    with pytest.raises(Conflict):
        await journal.step("look", "c1", giving(1))
    with pytest.raises(Conflict):
        await journal.text(0, "a")


@pytest.mark.logs("hearth_backend.storage.database")
async def test_text_that_cannot_be_stored_fails_the_run_at_its_next_call(band: Orchestra) -> None:
    journal = journal_of(band, await begin(band))
    await band.database.execute("pragma max_page_count=1")
    await journal.text(0, "x" * 1_000_000)
    with pytest.raises(StorageFull):
        await say_until_it_fails(journal)
    assert await journal.close() == []
    assert journal.said().startswith("x" * 1_000_000)


async def say_until_it_fails(journal: RunJournal) -> None:
    while True:
        await journal.text(0, "y")
        await asyncio.sleep(0)


# -- whatever a run does, and wherever it is cut off

Move = tuple[str, int, str]  # ("text" | "reset", part, text)
MOVES = st.tuples(
    st.sampled_from(["text", "text", "reset"]), st.integers(0, 1), st.text("ab🔥", min_size=1, max_size=3)
)
STEPS = st.tuples(st.lists(MOVES, max_size=3), st.booleans())
PROGRAMS = st.lists(st.one_of(MOVES, STEPS), max_size=8)


class Killed(BaseException):
    """The process died here."""


class Program:
    """A run that says and does what it was told to, and dies when its fuel is spent."""

    def __init__(self, moves: list[Any]) -> None:
        self._moves = moves
        self.bodies: list[int] = []

    async def play(self, journal: RunJournal, fuel: int) -> list[Any]:
        results: list[Any] = []
        self._fuel = fuel
        for number, move in enumerate(self._moves):
            if isinstance(move[0], str):
                await self._say(journal, move)
            else:
                results.append(await self._step(journal, number, *move))
        return results

    async def _step(self, journal: RunJournal, number: int, moves: list[Move], fails: bool) -> Any:
        async def body() -> int:
            self.bodies.append(number)
            for move in moves:
                await self._say(journal, move)
            if fails:
                raise ModelFailed("It broke off.")
            return number

        self._burn()
        try:
            return await journal.step("step", str(number), body)
        except ModelFailed as error:
            return error.detail

    async def _say(self, journal: RunJournal, move: Move) -> None:
        self._burn()
        kind, part, text = move
        await (journal.text(part, text) if kind == "text" else journal.reset(part))
        await asyncio.sleep(0)

    def _burn(self) -> None:
        self._fuel -= 1
        if self._fuel < 0:
            raise Killed


@given(PROGRAMS, st.lists(st.integers(0, 12), max_size=3), st.sampled_from([0.0, 3600.0]))
@settings(max_examples=25, deadline=None)
def test_wherever_a_run_dies_it_comes_to_the_same_end(moves: list[Any], kills: list[int], interval: float) -> None:
    async def attempt(band: Orchestra, claim: Claim, program: Program, fuel: int) -> tuple[RunJournal, list[Any]]:
        journal = journal_of(band, claim, interval=interval)
        try:
            return journal, await program.play(journal, fuel)
        except Killed:
            await journal.close()
            raise

    async def live(folder: Path, fuels: list[int]) -> tuple[list[Any], str, Program]:
        async with orchestra(folder / "a.db") as band:
            program, task = Program(moves), await begin(band)
            for fuel in fuels:
                done = {step.seq for step in (await band.runs.get(ME, task.run.id)).steps if step.state != "started"}
                before = len(program.bodies)
                try:
                    journal, results = await attempt(band, task, program, fuel)
                except Killed:
                    pass
                else:
                    story = await finish(band, task, journal)
                    assert shown(story) == journal.said()
                    assert (await band.runs.get(ME, task.run.id)).status is RunStatus.FINISHED
                    return results, shown(story), program
                finally:
                    steps = [number for number, move in enumerate(moves) if not isinstance(move[0], str)]
                    assert not {steps.index(number) for number in program.bodies[before:]} & done
                task = await begin_again(band)
        raise AssertionError("the last attempt has fuel enough")

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        results, text, _ = asyncio.run(live(Path(one), [1000]))
        assert asyncio.run(live(Path(other), [*kills, 1000]))[:2] == (results, text)
