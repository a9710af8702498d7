"""The chat window by keyboard alone, on a real backend and without one."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from hearth_shared.discovery import stop_backend
from hearth_shared.paths import Home
from support.backend import Backend, running
from support.chat_window import chat_on
from support.model_in_thread import Gate, config, gated, serving
from support.provider import words
from support.qt_waits import wait

pytestmark = pytest.mark.desktop


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One backend for the tests that change nothing others look at."""
    with running(tmp_path_factory.mktemp("house") / "home") as backend:
        yield backend


def focusable(window: QWidget) -> list[QWidget]:
    found = window.findChildren(QWidget)
    return [
        one for one in found if one.focusPolicy() & Qt.FocusPolicy.TabFocus and not one.objectName().startswith("qt_")
    ]


def test_a_window_opens_without_a_backend_and_every_place_has_a_name(qapp: QApplication, tmp_path: Path) -> None:
    with chat_on(Home(tmp_path / "home"), qapp) as chat:
        chat.window.find_bar.begin()
        chat.window.toggle_sources()
        nameless: list[str] = []
        for widget in filter(QWidget.isVisible, focusable(chat.window)):
            interface = QAccessible.queryAccessibleInterface(widget)
            if not interface.text(QAccessible.Text.Name):
                nameless.append(f"{type(widget).__name__} {widget.objectName()}")
        assert not nameless


def test_tab_reaches_every_place(qapp: QApplication, qtbot: QtBot, house: Backend) -> None:
    with chat_on(house.home, qapp) as chat:
        chat.connect(qtbot)
        chat.window.activateWindow()
        reached: set[QWidget] = set()
        for _ in range(60):
            chat.press("Tab")
            reached.add(chat.window.focusWidget())
        shown = {one for one in focusable(chat.window) if one.isVisible() and one.isEnabled()}
        assert {type(one).__name__ for one in shown - reached} <= {"QScrollArea", "QScrollBar"}


def test_a_question_is_typed_sent_and_answered_by_keyboard(qapp: QApplication, qtbot: QtBot, house: Backend) -> None:
    with chat_on(house.home, qapp) as chat:
        chat.connect(qtbot)
        chat.write("What can you do?")
        chat.press("Ctrl+Enter")
        assert chat.window.composer.text.toPlainText() == ""
        chat.settled(qtbot)
        assert chat.text.count("What can you do?") >= 1
        assert "No language model" in chat.text
        assert chat.window.conversation.turns[0].sources
        wait(qtbot, lambda: chat.window.threads.row_of(chat.window.conversation.thread_id) == 0)
        chat.press("Ctrl+.")
        assert chat.window.sources.isVisible()
        chat.press("Esc")
        assert not chat.window.sources.isVisible()
        chat.press("Ctrl+Shift+C")
        assert QGuiApplication.clipboard().text() == chat.window.conversation.turns[0].text


def test_shift_and_enter_begin_a_line(qapp: QApplication, tmp_path: Path) -> None:
    with chat_on(Home(tmp_path / "home"), qapp) as chat:
        chat.write("one")
        chat.press("Shift+Enter")
        chat.write("two")
        assert chat.window.composer.text.toPlainText() == "one\ntwo"
        assert not chat.window.conversation.turns


def thread_of(backend: Backend, door: str, text: str) -> str:
    client = backend.door(door)
    thread = str(client.post("/v1/threads", json={}).json()["id"])
    client.post(f"/v1/threads/{thread}/messages", json={"text": text})
    return thread


def test_threads_of_all_doors_are_listed_and_opened_by_number(qapp: QApplication, qtbot: QtBot, house: Backend) -> None:
    with chat_on(house.home, qapp) as chat:
        chat.connect(qtbot)
        thread = thread_of(house, "editor", "Where is the lease?")
        wait(qtbot, lambda: chat.window.threads.row_of(thread) == 0)
        assert "editor" in chat.window.threads.subtitle_at(0) or "answering" in chat.window.threads.subtitle_at(0)
        chat.press("Alt+1")
        wait(qtbot, lambda: chat.window.conversation.thread_id == thread and not chat.window.conversation.is_loading)
        chat.settled(qtbot)
        assert "Where is the lease?" in chat.text


def test_a_turn_of_another_door_appears_while_the_thread_is_open(
    qapp: QApplication, qtbot: QtBot, house: Backend
) -> None:
    with chat_on(house.home, qapp) as chat:
        chat.connect(qtbot)
        thread = thread_of(house, "cli", "First question?")
        chat.window.open_thread(thread)
        wait(qtbot, lambda: len(chat.window.conversation.turns) == 1)
        house.door("editor").post(f"/v1/threads/{thread}/messages", json={"text": "Second question?"})
        wait(qtbot, lambda: len(chat.window.conversation.turns) == 2)
        chat.settled(qtbot)
        assert chat.text.count("Second question?") == 1
        assert "asked in the editor" in chat.text


def test_drafts_stay_with_their_threads(qapp: QApplication, qtbot: QtBot, house: Backend) -> None:
    thread = thread_of(house, "cli", "A thread for drafts")
    with chat_on(house.home, qapp) as chat:
        chat.connect(qtbot)
        chat.write("for a new one")
        chat.window.open_thread(thread)
        assert chat.window.composer.text.toPlainText() == ""
        chat.write("half a sentence")
        chat.press("Ctrl+N")
        assert chat.window.composer.text.toPlainText() == "for a new one"
    with chat_on(house.home, qapp) as chat:
        chat.connect(qtbot)
        chat.window.open_thread(thread)
        assert chat.window.composer.text.toPlainText() == "half a sentence"


def test_a_local_only_thread_leaves_no_choice(qapp: QApplication, qtbot: QtBot, house: Backend) -> None:
    thread = str(house.door("cli").post("/v1/threads", json={"local_only": True}).json()["id"])
    with chat_on(house.home, qapp) as chat:
        chat.connect(qtbot)
        chat.window.open_thread(thread)
        wait(qtbot, lambda: chat.window.conversation.is_local_only)
        assert chat.window.composer.local.isChecked()
        assert not chat.window.composer.local.isEnabled()


def test_a_memory_is_forgotten_from_the_answer_and_given_back(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, chat_on(backend.home, qapp) as chat:
        chat.connect(qtbot)
        chat.write("Remember that my dentist is Dr. Ito.")
        chat.press("Enter")
        chat.settled(qtbot)
        chat.press("Ctrl+N")
        chat.write("Who is my dentist?")
        chat.press("Enter")
        chat.settled(qtbot)
        chat.press("Ctrl+.")
        card = chat.window.sources.card(1)
        assert card is not None
        card.forget_button.click()
        wait(qtbot, lambda: bool(chat.window.conversation.turns[0].forgotten))
        wait(qtbot, lambda: "Undo" in chat.window.passing.button.text())  # the event may come before the reply
        search = {"query": "dentist"}
        tray = backend.door()
        assert not any("Ito" in hit["text"] for hit in tray.post("/v1/memory/search", json=search).json()["results"])
        chat.window.passing.button.click()
        wait(
            qtbot,
            lambda: any("Ito" in hit["text"] for hit in tray.post("/v1/memory/search", json=search).json()["results"]),
        )


def test_a_backend_that_ended_is_said_and_started_again(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, chat_on(backend.home, qapp) as chat:
        chat.connect(qtbot)
        backend.stop()
        wait(qtbot, lambda: chat.window.notice.act == "start")
        assert "not running" in chat.window.notice.text.text()
        with running(tmp_path / "home"):
            wait(qtbot, lambda: chat.window.notice.act != "start")


def test_a_backend_killed_in_mid_answer_leaves_each_word_once(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    gate, home = Gate(), Home(tmp_path / "home")
    whole = words("Alpha. ", "Beta. ", "Gamma. ", "Delta.")
    with serving(gated(gate, "Alpha. ", "Beta. "), whole) as server, running(home.root, config(server)) as backend:
        with chat_on(home, qapp) as chat:
            chat.connect(qtbot)
            chat.write("Letters, please")
            chat.press("Enter")
            gate.open(2)
            wait(qtbot, lambda: "Beta." in chat.text)
            backend.stop(signal.SIGKILL)
            chat.settled(qtbot)
            assert [chat.text.count(word) for word in ("Alpha.", "Beta.", "Gamma.", "Delta.")] == [1, 1, 1, 1]
            assert chat.text.count("Letters, please") == 1
        stop_backend(home)


def test_without_a_model_the_way_to_one_is_offered(qapp: QApplication, qtbot: QtBot, house: Backend) -> None:
    with chat_on(house.home, qapp) as chat:
        chat.connect(qtbot)
        wait(qtbot, lambda: chat.window.notice.act == "models")
        with qtbot.waitSignal(chat.window.settings_wanted):
            chat.window.notice.button.click()


def test_esc_closes_the_window_last(qapp: QApplication, tmp_path: Path) -> None:
    with chat_on(Home(tmp_path / "home"), qapp) as chat:
        chat.window.find_bar.begin()
        chat.press("Esc")
        assert not chat.window.find_bar.isVisible()
        assert chat.window.isVisible()
        chat.press("Esc")
        assert not chat.window.isVisible()
