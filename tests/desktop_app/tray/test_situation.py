from typing import Any

import pytest

from hearth_desktop.tray.situation import Link, Situation, model_words
from hearth_shared.theme import State
from hearth_shared.wire import Component, Event, ModelInfo, Status

pytestmark = pytest.mark.unit
CALM = Situation(link=Link.CONNECTED, model="qwen · this machine")


def event(kind: Any, run: str | None = None, **data: Any) -> Event:
    return {"seq": 1, "time": 1.0, "type": kind, "run_id": run, "thread_id": None, "door": "cli", "data": data}


def status(*parts: Component, models: tuple[ModelInfo, ...] = ()) -> Status:
    return {
        "state": "idle",
        "version": "1",
        "home": "h",
        "uptime_s": 1,
        "models": list(models),
        "lanes": {},
        "memory": {},
        "approvals_pending": 0,
        "doors": {},
        "components": list(parts),
        "seq": 1,
    }


@pytest.mark.parametrize(
    ("situation", "state", "words"),
    [
        (Situation(), State.OFFLINE, "Hearth starts"),
        (Situation(link=Link.STOPPED), State.OFFLINE, "Hearth is stopped"),
        (Situation(link=Link.FAILED), State.FAULT, "Hearth cannot start"),
        (CALM, State.IDLE, "Hearth is idle"),
        (CALM._replace(local_only=True), State.LOCAL_ONLY, "Hearth is idle, local only"),
        (CALM._replace(model=""), State.OFFLINE, "without a language model"),
        (CALM._replace(runs=frozenset({"r"})), State.THINKING, "thinking (1 task)"),
        (CALM._replace(loading="qwen"), State.THINKING, "loads qwen"),
        (CALM._replace(pending=frozenset({"a", "b"})), State.NEEDS_YOU, "2 approvals wait"),
        (CALM._replace(faults=(("storage", "It is full."),)), State.FAULT, "fault: storage"),
    ],
)
def test_each_situation_has_a_state_and_words(situation: Situation, state: State, words: str) -> None:
    assert situation.state is state
    assert words in situation.words


def test_what_is_most_pressing_shows() -> None:
    everything = CALM._replace(
        runs=frozenset({"r"}), pending=frozenset({"a"}), faults=(("storage", ""),), local_only=True
    )
    assert everything.state is State.FAULT
    assert everything._replace(faults=()).state is State.NEEDS_YOU
    assert everything._replace(faults=(), pending=frozenset()).state is State.THINKING
    assert everything._replace(faults=(), pending=frozenset(), runs=frozenset()).state is State.LOCAL_ONLY


def test_a_run_makes_it_think_until_its_end() -> None:
    thinking = CALM.after(event("task.queued", "r1")).after(event("task.started", "r1"))
    assert thinking.state is State.THINKING
    for end in ("task.finished", "task.failed", "task.cancelled"):
        assert thinking.after(event(end, "r1")).state is State.IDLE


def test_an_approval_needs_the_person_until_it_is_decided_or_too_old() -> None:
    asked = CALM.after(event("approval.requested", "r", id="a"))
    assert asked.state is State.NEEDS_YOU
    for end in ("approval.decided", "approval.expired"):
        assert asked.after(event(end, "r", id="a")).state is State.IDLE
        assert asked.after(event(end, "r", id="other")).state is State.NEEDS_YOU


def test_a_part_that_fails_is_named_until_it_works_again() -> None:
    broken = CALM.after(event("health.changed", name="storage", state="fault", detail="Full.", fix="Make room."))
    assert broken.faults == (("storage", "Full. Make room."),)
    assert broken.after(event("health.changed", name="http", state="ok")).state is State.FAULT
    assert broken.after(event("health.changed", name="storage", state="ok")).state is State.IDLE


def test_a_model_that_loads_is_told_by_name() -> None:
    loading = CALM._replace(model="").after(event("model.loading", model="qwen"))
    assert loading.state is State.THINKING
    assert loading.after(event("model.ready", model="qwen")).model == "qwen · this machine"


def test_events_of_no_concern_change_nothing() -> None:
    assert CALM.after(event("text.delta", "r", text="x")) is CALM
    assert CALM.after(event("something.new", "r")) is CALM


def test_what_was_known_ends_with_the_connection() -> None:
    busy = CALM._replace(pending=frozenset({"a"}), runs=frozenset({"r"}), local_only=True)
    apart = busy.apart(Link.STOPPED, "Start it.")
    assert apart == Situation(link=Link.STOPPED, trouble="Start it.", local_only=True)


def test_the_backends_account_of_itself_counts() -> None:
    full: Component = {"name": "storage", "state": "fault", "detail": "Full.", "fix": "Make room."}
    fine: Component = {"name": "http", "state": "warn", "detail": "Another port.", "fix": ""}
    known = Situation(local_only=True).known(status(full, fine), ["a"], [])
    assert known.link is Link.CONNECTED
    assert (known.faults, known.pending, known.local_only) == ((("storage", "Full. Make room."),), {"a"}, True)


def test_only_a_model_that_converses_answers() -> None:
    embedder: ModelInfo = {
        "id": "minilm",
        "provider": "builtin",
        "where": "this machine",
        "roles": ["embed"],
        "context": None,
        "test_model": False,
    }
    assert not model_words([embedder])
    chat: ModelInfo = {**embedder, "id": "qwen", "roles": ["chat"], "where": "cloud"}
    assert model_words([embedder, chat]) == "qwen · cloud"
