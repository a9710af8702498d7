"""The tray's knowledge of a real backend: asked for once, then kept true by events."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.net.locator import Locator
from hearth_desktop.tray.pulse import Pulse
from hearth_desktop.tray.situation import Link
from hearth_shared.paths import Home
from hearth_shared.theme import State
from support.asking_backend import AskingBackend, asking
from support.qt_waits import Heard, answer, wait

pytestmark = pytest.mark.desktop


class Room:
    """A pulse and the way to its backend."""

    def __init__(self, home: Home) -> None:
        self.parent = QObject()
        self.locator = Locator(home, self.parent)
        self.api = Api(self.locator, self.parent)
        self.stream = EventStream(self.api, self.parent)
        self.pulse = Pulse(self.api, self.stream, self.parent)

    def begin(self, qtbot: QtBot) -> None:
        self.stream.start()
        wait(qtbot, lambda: self.pulse.situation.link is Link.CONNECTED)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[AskingBackend]:
    with asking(tmp_path / "home") as one:
        yield one


def test_what_waited_before_it_came_is_known(qtbot: QtBot, backend: AskingBackend) -> None:
    asked = backend.ask()
    room = Room(backend.home)
    room.begin(qtbot)
    wait(qtbot, lambda: room.pulse.situation.pending == frozenset({asked["id"]}))
    room.stream.stop()


def test_events_change_it_without_another_question(qtbot: QtBot, backend: AskingBackend) -> None:
    room = Room(backend.home)
    room.begin(qtbot)
    seen = Heard(room.pulse.changed)
    asked = backend.ask()
    wait(qtbot, lambda: room.pulse.situation.state is State.NEEDS_YOU)
    answer(qtbot, room.api.request("POST", f"/v1/approvals/{asked['id']}", {"decision": "ignore"}))
    wait(qtbot, lambda: not room.pulse.situation.pending)
    thread = answer(qtbot, room.api.request("POST", "/v1/threads", {"title": "Seen"}))
    answer(qtbot, room.api.request("POST", f"/v1/threads/{thread['id']}/messages", {"text": "Hello"}))
    wait(qtbot, lambda: State.THINKING in {situation.state for situation in seen.values})
    wait(qtbot, lambda: not room.pulse.situation.runs)
    wait(qtbot, lambda: [one["title"] for one in room.pulse.threads] == ["Seen"])
    room.stream.stop()


def test_what_happens_while_it_asks_is_not_forgotten(qtbot: QtBot, backend: AskingBackend) -> None:
    room = Room(backend.home)
    room.begin(qtbot)
    made: list[str] = []
    for _ in range(10):
        room.pulse.look()
        made.append(str(backend.ask()["id"]))
    ids = frozenset(made)
    wait(qtbot, lambda: room.pulse.situation.pending == ids)
    room.pulse.look()
    wait(qtbot, lambda: room.pulse.situation.pending == ids)
    room.stream.stop()


def test_a_backend_that_was_ended_is_not_started_against_the_persons_will(qtbot: QtBot, tmp_path: Path) -> None:
    with asking(tmp_path / "home") as backend:
        room = Room(backend.home)
        room.begin(qtbot)
        started = Heard(room.locator.starting)
        backend.stop()
        wait(qtbot, lambda: room.pulse.situation.link is Link.STOPPED)
    with asking(tmp_path / "home"):  # somebody else's start
        wait(qtbot, lambda: room.pulse.situation.link is Link.CONNECTED)
        assert not started.values
        room.stream.stop()


def test_one_that_cannot_start_is_said_with_the_reason(qtbot: QtBot, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.config.write_text("[server]\nport = 'many'\n", "utf-8")
    room = Room(home)
    room.stream.start()
    wait(qtbot, lambda: room.pulse.situation.link is Link.FAILED)
    assert "server.port" in room.pulse.situation.trouble
    assert room.pulse.situation.state is State.FAULT
    room.stream.stop()


def test_what_an_agent_wants_to_be_known_is_passed_on_with_nothing_hidden(qtbot: QtBot, tmp_path: Path) -> None:
    room = Room(Home(tmp_path))
    told = Heard(room.pulse.told)
    about = {"run_id": "run_1", "thread_id": None, "door": "tray", "data": {"text": "Half way.\u202e"}}
    room.stream.happened.emit({"seq": 1, "time": 1.0, "type": "ambient.suggested", **about})
    assert told.values == ["Half way.⟦U+202E⟧"]
