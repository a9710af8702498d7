"""A thread on a real backend: answers that stream, are stopped, survive the backend's death; other doors' turns."""

import signal
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from hearth_desktop.chat.answering import Question
from hearth_desktop.chat.conversation import Conversation
from hearth_desktop.net.events import EventStream
from hearth_shared.discovery import stop_backend
from hearth_shared.paths import Home
from support.backend import Backend, running
from support.chat_window import kept
from support.model_in_thread import Gate, config, gated, serving
from support.provider import Behaviour, cut_off, words
from support.qt_waits import Heard, wait

pytestmark = pytest.mark.desktop


@contextmanager
def conversation_on(home: Home, **options: Any) -> Generator[Conversation]:
    with kept(home, **options) as api:
        conversation = Conversation(api, api)
        events = EventStream(api)
        events.happened.connect(conversation.hear)
        events.connected.connect(conversation.refresh)
        if not options:
            events.start()
        yield conversation


@contextmanager
def talking(folder: Path, *behaviours: Behaviour) -> Generator[tuple[Backend, Conversation]]:
    """With a model that behaves so; without one when no behaviour is given."""
    with ExitStack() as stack:
        said = config(stack.enter_context(serving(*behaviours))) if behaviours else ""
        backend = stack.enter_context(running(folder / "home", said))
        yield backend, stack.enter_context(conversation_on(backend.home))


def texts(conversation: Conversation) -> list[tuple[str, str, str]]:
    return [(turn.question, turn.text, turn.state) for turn in conversation.turns]


def test_a_question_is_shown_at_once_and_its_answer_as_it_comes(qtbot: QtBot, tmp_path: Path) -> None:
    gate = Gate()
    with talking(tmp_path, gated(gate, "Paris ", "it is.")) as (_backend, conversation):
        said = Heard(conversation.said)
        conversation.ask(Question("What is the capital of France?"))
        assert texts(conversation) == [("What is the capital of France?", "", "sending")]
        gate.open()
        wait(qtbot, lambda: conversation.turns[0].text == "Paris ")
        assert conversation.is_busy
        gate.open(2)
        wait(qtbot, lambda: not conversation.is_busy)
        turn = conversation.turns[0]
        assert (turn.text, turn.state, turn.complete) == ("Paris it is.", "finished", True)
        assert turn.made_by is not None
        assert turn.made_by["where"] == "this machine"
        assert turn.tokens is not None
        assert (turn.tokens["input"], turn.tokens["output"]) == (120, 48)
        assert len(said.values) >= 2
        assert conversation.title == "What is the capital of France?"


def test_a_killed_backend_costs_no_word_and_doubles_none(qtbot: QtBot, tmp_path: Path) -> None:
    gate, home = Gate(), Home(tmp_path / "home")
    whole = words("One ", "two ", "three ", "four.")
    with talking(tmp_path, gated(gate, "One ", "two "), whole) as (backend, conversation):
        conversation.ask(Question("count"))
        gate.open(2)
        wait(qtbot, lambda: conversation.turns[0].text == "One two ")
        backend.stop(signal.SIGKILL)
        try:
            wait(qtbot, lambda: not conversation.is_busy)
            assert texts(conversation) == [("count", "One two three four.", "finished")]
        finally:
            stop_backend(home)


def test_a_stopped_answer_keeps_what_was_said(qtbot: QtBot, tmp_path: Path) -> None:
    gate = Gate()
    with talking(tmp_path, gated(gate, "Paris ", "never")) as (_backend, conversation):
        conversation.ask(Question("What is the capital of France?"))
        gate.open()
        wait(qtbot, lambda: conversation.turns[0].text == "Paris ")
        conversation.stop()
        assert conversation.turns[0].doing == "Stopping…"
        wait(qtbot, lambda: not conversation.is_busy)
        assert conversation.turns[0].state == "stopped"
        assert conversation.turns[0].text == "Paris "


def test_a_question_stopped_before_it_was_sent_is_stopped(qtbot: QtBot, tmp_path: Path) -> None:
    gate = Gate()
    with talking(tmp_path, gated(gate, "never")) as (_backend, conversation):
        conversation.ask(Question("What is the capital of France?"))
        conversation.stop()
        wait(qtbot, lambda: conversation.turns[0].state == "stopped")
        assert not conversation.is_busy


def test_an_answer_that_breaks_off_is_never_taken_for_whole(qtbot: QtBot, tmp_path: Path) -> None:
    with talking(tmp_path, cut_off("Paris ", orderly=True)) as (_backend, conversation):
        conversation.ask(Question("What is the capital of France?"))
        wait(qtbot, lambda: not conversation.is_busy)
        assert not conversation.turns[0].complete


def say(backend: Backend, door: str, text: str, thread: str = "") -> str:
    client = backend.door(door)
    thread = thread or client.post("/v1/threads", json={}).json()["id"]
    assert client.post(f"/v1/threads/{thread}/messages", json={"text": text}).status_code == 202
    return thread


def test_a_turn_of_another_door_appears_in_the_open_thread(qtbot: QtBot, tmp_path: Path) -> None:
    with serving(words("first"), words("second")) as server, running(tmp_path / "home", config(server)) as backend:
        thread = say(backend, "cli", "one")
        with conversation_on(backend.home) as conversation:
            conversation.open(thread)
            wait(qtbot, lambda: texts(conversation) == [("one", "first", "finished")])
            say(backend, "editor", "two", thread)
            wait(qtbot, lambda: texts(conversation) == [("one", "first", "finished"), ("two", "second", "finished")])


def test_an_answer_under_way_elsewhere_is_joined_in_the_middle(qtbot: QtBot, tmp_path: Path) -> None:
    gate = Gate()
    with serving(gated(gate, "one ", "two ", "three")) as server, running(tmp_path / "home", config(server)) as backend:
        thread = say(backend, "cli", "count")
        gate.open(2)
        with conversation_on(backend.home) as conversation:
            conversation.open(thread)
            wait(qtbot, lambda: bool(conversation.turns) and conversation.turns[0].text == "one two ")
            gate.open(2)
            wait(qtbot, lambda: not conversation.is_busy)
            assert texts(conversation) == [("count", "one two three", "finished")]


def test_a_rating_is_kept(qtbot: QtBot, tmp_path: Path) -> None:
    with talking(tmp_path) as (backend, conversation):
        conversation.ask(Question("What can you do?"))
        wait(qtbot, lambda: not conversation.is_busy)
        conversation.rate(conversation.turns[0].key, "good")
        assert conversation.turns[0].feedback == "good"
        path = f"/v1/threads/{conversation.thread_id}"
        tray = backend.door()
        wait(qtbot, lambda: tray.get(path).json()["messages"][1]["feedback"] == "good")


def test_a_question_without_a_backend_says_why_and_can_be_sent_again(qtbot: QtBot, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with conversation_on(home, command=(str(tmp_path / "missing"),)) as conversation:
        conversation.ask(Question("Are you there?"))
        wait(qtbot, lambda: conversation.turns[0].state == "failed")
        failure = conversation.turns[0].failure
        assert failure is not None
        assert failure["fix"]
        with running(home.root):
            conversation.ask_again(conversation.turns[0].key)
            wait(qtbot, lambda: not conversation.is_busy)
            assert [turn.state for turn in conversation.turns] == ["finished"]


def test_a_thread_that_is_not_there_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    with talking(tmp_path) as (_backend, conversation):
        failed = Heard(conversation.failed)
        conversation.open("thr_nothing")
        wait(qtbot, lambda: bool(failed.values))
        assert failed.last.code == "not_found"
        assert not conversation.is_loading


def test_leaving_a_thread_leaves_its_answer_alone(qtbot: QtBot, tmp_path: Path) -> None:
    gate = Gate()
    with talking(tmp_path, gated(gate, "one ", "two")) as (_backend, conversation):
        conversation.ask(Question("count"))
        gate.open()
        wait(qtbot, lambda: conversation.turns[0].text == "one ")
        thread = conversation.thread_id
        conversation.begin_new()
        assert not conversation.turns
        gate.open(2)
        conversation.open(thread)
        wait(qtbot, lambda: texts(conversation) == [("count", "one two", "finished")])
