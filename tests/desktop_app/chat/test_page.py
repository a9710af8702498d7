"""The document is what the conversation tells, drawn a slice at a time, in whatever order things come."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication

from hearth_desktop.chat.conversation import Conversation
from hearth_desktop.chat.page import Page
from hearth_desktop.chat.turn import Turn
from hearth_shared.paths import Home
from support.chat_window import kept
from support.documents import WIDTH, formats
from support.markdown_corpus import corpus
from support.wire_values import made_by, source, tokens

pytestmark = pytest.mark.desktop


class Stage:
    """A page and the conversation it shows."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.document = QTextDocument(conversation)
        self.page = Page(conversation, self.document, formats(), WIDTH)

    @property
    def text(self) -> str:
        self.page.draw_all()
        return self.document.toPlainText().replace("\u2009", "").replace("\u2002", " ").replace("\u00a0", " ")

    def add(self, turn: Turn) -> Turn:
        self.conversation.turns = [*self.conversation.turns, turn]
        self.conversation.added.emit(turn)
        return turn

    def say(self, turn: Turn, text: str) -> Turn:
        turn = replace(turn, text=turn.text + text, state="writing", doing="")
        self.conversation.said.emit(turn, text)
        return turn

    def change(self, turn: Turn) -> Turn:
        self.conversation.changed.emit(turn)
        return turn


@pytest.fixture
def stage(qapp: QApplication, tmp_path: Path) -> Iterator[Stage]:
    with kept(Home(tmp_path)) as api:
        yield Stage(Conversation(api, api))


def asked(key: str = "one", question: str = "How?", **other: object) -> Turn:
    return replace(Turn(key=key, question=question, asked_at=0.0, doing="Thinking…"), **other)  # type: ignore[arg-type]


def test_an_answer_in_pieces_is_the_answer_at_once(stage: Stage) -> None:
    turn = stage.add(asked())
    pieces = corpus(400)
    for piece in pieces:
        turn = stage.say(turn, piece)
        if len(turn.text) % 5 == 0:
            stage.page.draw_all()
    stage.change(replace(turn, state="finished"))
    streamed = stage.text
    stage.conversation.turns = [replace(turn, state="finished")]
    stage.conversation.opened.emit()
    assert stage.text == streamed


def test_what_is_done_is_said_until_text_comes(stage: Stage) -> None:
    turn = stage.add(asked())
    assert "Thinking…" in stage.text
    turn = stage.change(replace(turn, doing="Loading qwen3-4b…"))
    assert "Loading qwen3-4b…" in stage.text
    turn = stage.say(turn, "Hello")
    stage.change(turn)
    assert "Loading" not in stage.text
    assert "Hello" in stage.text


def test_an_answer_that_begins_again_is_shown_once(stage: Stage) -> None:
    turn = stage.say(stage.add(asked()), "One two ")
    assert "One two" in stage.text
    turn = stage.change(replace(turn, text="", doing="It begins again…"))
    assert "One two" not in stage.text
    turn = stage.say(turn, "One two three")
    stage.change(replace(turn, state="finished"))
    assert stage.text.count("One two") == 1


def test_two_turns_stream_each_in_its_place(stage: Stage) -> None:
    first, second = stage.add(asked("one", "First?")), stage.add(asked("two", "Second?"))
    for number in range(6):
        first = stage.say(first, f"a{number}\n\n")
        second = stage.say(second, f"b{number}\n\n")
        stage.page.draw_all()
    assert [line for line in stage.text.split("\n") if line] == [
        *("First?", "a0", "a1", "a2", "a3", "a4", "a5"),
        *("Second?", "b0", "b1", "b2", "b3", "b4", "b5"),
    ]


def test_a_finished_answer_says_where_it_was_made_and_from_what(stage: Stage) -> None:
    turn = asked(state="finished", doing="", text="Forty [1].", sources=(source(1), source(2, speaker="Anna")))
    stage.add(replace(turn, made_by=made_by("cloud", provider="openai"), tokens=tokens(100, 20, 0.01)))
    shown = stage.text
    assert "Cloud · qwen3-4b · openai · 100 + 20 tokens · $0.0100" in shown
    assert "1  You, " in shown
    assert "2  Anna, " in shown


def test_a_failure_says_what_to_do(stage: Stage) -> None:
    failure = {"code": "no_model", "detail": "No model.", "fix": "Get one.", "retryable": True}
    stage.add(asked(state="failed", doing="", failure=failure))
    assert "No model.\nGet one.\nTry again" in stage.text


@pytest.mark.parametrize(
    ("state", "text", "complete", "said"),
    [
        ("stopped", "", True, "Stopped."),
        ("stopped", "x", True, "You stopped it here."),
        ("finished", "x", False, "half way"),
    ],
)
def test_what_is_not_whole_is_never_taken_for_whole(
    stage: Stage, state: str, text: str, complete: bool, said: str
) -> None:
    stage.add(asked(state=state, text=text, complete=complete, doing="", made_by=made_by()))
    assert said in stage.text
    assert "Ask again" in stage.text


def test_thinking_is_folded_until_it_is_wanted(stage: Stage) -> None:
    turn = stage.add(asked(reasoning="First, count."))
    assert "First, count." not in stage.text
    view = stage.page.view(turn.key)
    assert view is not None
    view.toggle_thinking()
    assert "First, count." in stage.text
    view.toggle_thinking()
    assert "First, count." not in stage.text


def test_a_long_question_is_cut_until_it_is_wanted(stage: Stage) -> None:
    turn = stage.add(asked(question="word " * 400 + "the end"))
    assert "the end" not in stage.text
    view = stage.page.view(turn.key)
    assert view is not None
    view.show_whole_question()
    assert "the end" in stage.text


def test_of_a_long_thread_the_newest_turns_come_first(stage: Stage) -> None:
    turns = [asked(f"t{n}", f"Question {n}?", state="finished", text="x " * 4000, doing="") for n in range(30)]
    stage.conversation.turns = turns
    stage.conversation.opened.emit()
    assert "Question 29?" in stage.text
    assert "Question 3?" not in stage.text
    assert stage.page.earlier == 26
    stage.page.show_earlier()
    assert "Question 3?" in stage.text
    assert stage.page.earlier == 0


def test_another_look_and_width_keep_the_text(stage: Stage) -> None:
    stage.add(asked(state="finished", doing="", text="Text\n\n```py\nx = 1\n```\n", made_by=made_by()))
    before = stage.text
    stage.page.fit(300)
    assert stage.text == before
    stage.page.look(formats(), 500)
    assert stage.text == before
