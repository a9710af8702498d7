"""A thread's messages as turns, and what becomes of a turn."""

from typing import Any, cast

import pytest

from hearth_desktop.chat.turn import quotes_as_markdown, settled, turns_of
from hearth_shared.wire import Task
from support.wire_values import made_by, message, source

pytestmark = pytest.mark.unit


def task(status: str, **other: Any) -> Task:
    return cast("Task", {"id": "run_1", "status": status, "answer": None, "failure": None, "door": "cli", **other})


def test_a_question_and_its_answer_are_one_turn() -> None:
    turns = turns_of([message("user", "how?"), message("assistant", "so", sources=[source()], feedback="good")])
    assert [(turn.question, turn.text, turn.state, turn.feedback) for turn in turns] == [
        ("how?", "so", "finished", "good")
    ]


def test_a_question_without_an_answer_is_open() -> None:
    turns = turns_of([message("user", "one"), message("user", "two", "run_2"), message("assistant", "2", "run_2")])
    assert [(turn.question, turn.is_open) for turn in turns] == [("one", True), ("two", False)]


def test_an_answer_without_its_question_is_not_lost() -> None:
    turns = turns_of([message("assistant", "so")])
    assert [(turn.question, turn.text) for turn in turns] == [("", "so")]


def test_a_task_tells_how_an_open_turn_ended() -> None:
    turn = turns_of([message("user", "how?")])[0]
    failure = {"code": "no_model", "detail": "none", "fix": "get one", "retryable": False}
    assert settled(turn, task("failed", failure=failure)).failure == failure
    assert settled(turn, task("cancelled")).state == "stopped"
    assert settled(turn, task("running")).is_open


def test_a_forgotten_source_is_marked_and_only_once() -> None:
    turn = turns_of([message("user", "how?"), message("assistant", "so", sources=[source(1), source(2)])])[0]
    less = turn.without(["epi_1", "epi_9"])
    assert less.forgotten == {"epi_1"}
    assert less.without(["epi_1"]) is less
    assert turn.without(["epi_9"]) is turn


def test_quotes_become_quotes() -> None:
    text = "These fit best.\n\n[1] You\n    one\n    two\n\n    three\n[2] Anna\n    four\n\nTo connect a model: x."
    shown = quotes_as_markdown(text)
    assert "[1] You\n\n> one\n> two\n" in shown
    assert "> three\n\n[2] Anna\n\n> four" in shown
    assert shown.endswith("To connect a model: x.")
    assert "[1]" in turns_of([message("assistant", text)])[0].shown_text


def test_only_an_answer_made_of_quotes_is_changed() -> None:
    code = "Run:\n\n    make run\n"
    with_model = turns_of([message("assistant", code, sources=[source()])])[0]
    without = turns_of([message("assistant", code, sources=[source()], made_by=made_by("no model"))])[0]
    assert with_model.shown_text == code
    assert without.shown_text != code
