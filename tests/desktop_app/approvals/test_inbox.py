"""The inbox on a real backend, whose approvals are asked for as a run's tool will ask."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from hearth_desktop import theme
from hearth_desktop.approvals.inbox import InboxWindow
from hearth_desktop.approvals.model import ApprovalModel
from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.net.locator import Locator
from support.asking_backend import AskingBackend, asking
from support.qt_pairs import HeardPairs
from support.qt_waits import answer, wait

pytestmark = pytest.mark.desktop


class Room:
    """An inbox in sight, and the backend that it shows."""

    def __init__(self, qtbot: QtBot, qapp: QApplication, backend: AskingBackend, parent: QObject) -> None:
        self.qtbot = qtbot
        self.backend = backend
        self.api = Api(Locator(backend.home, parent), parent)
        self.stream = EventStream(self.api, parent)
        self.model = ApprovalModel(self.api, self.stream, parent)
        self.window = InboxWindow(self.model, theme.apply(qapp))
        qtbot.addWidget(self.window)
        self.stream.start()
        self.window.show()
        self.until(lambda: self.model.is_loaded and self.stream.is_open)

    def until(self, holds: Callable[[], bool]) -> None:
        wait(self.qtbot, holds)

    def ask(self, **wanted: object) -> str:
        """An approval, in sight."""
        approval_id = str(self.backend.ask(**wanted)["id"])
        self.until(lambda: self.model.find(approval_id) is not None)
        self.window.choose(approval_id)
        return approval_id

    def status(self, approval_id: str) -> str:
        found = self.model.find(approval_id)
        return "" if found is None else found["status"]

    @property
    def said(self) -> str:
        return "\n".join(one.text() for one in self.window.findChildren(QLabel) if one.isVisible())


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AskingBackend]:
    """One for all tests of this module; each has approvals of its own."""
    with asking(tmp_path_factory.mktemp("inbox") / "home") as one:
        yield one


@pytest.fixture
def room(qtbot: QtBot, qapp: QApplication, backend: AskingBackend) -> Iterator[Room]:
    parent = QObject()
    made = Room(qtbot, qapp, backend, parent)
    yield made
    made.stream.stop()


def test_one_that_is_asked_for_appears_by_itself_and_is_decided_by_one_key(room: Room) -> None:
    assert "Nothing waits for your decision" in room.said
    approval_id = room.ask(args={"path": "a.txt"})
    room.until(lambda: room.window.card.approval_id == approval_id)
    room.until(lambda: room.window.card.is_armed)
    QTest.keyClick(room.window, Qt.Key.Key_A)
    room.until(lambda: room.status(approval_id) == "decided")
    assert "Accepted by you just now." in room.said


def test_a_second_answer_hears_who_was_first(room: Room) -> None:
    approval_id = room.ask()
    room.until(lambda: room.window.card.is_armed)
    refused = HeardPairs(room.model.refused)
    body = {"decision": "ignore"}
    answer(room.qtbot, room.api.request("POST", f"/v1/approvals/{approval_id}", body))  # somebody else's
    room.model.decide(approval_id, {"decision": "accept"})
    room.until(lambda: bool(refused.values))
    assert "tray has decided already: ignore." in str(refused.values[0][1])
    room.until(lambda: room.status(approval_id) == "decided")


def test_one_that_is_decided_elsewhere_changes_in_sight(room: Room) -> None:
    approval_id = room.ask()
    answer(room.qtbot, room.api.request("POST", f"/v1/approvals/{approval_id}", {"decision": "ignore"}))
    room.until(lambda: "Ignored by you" in room.said)
    assert not room.window.card.is_armed


def test_those_that_wait_come_first_and_the_choice_stays(room: Room) -> None:
    first, second = room.ask(args={"path": "one"}), room.ask(args={"path": "two"})
    room.window.choose(first)
    third = str(room.backend.ask(args={"path": "three"})["id"])
    room.until(lambda: room.model.find(third) is not None)
    assert room.window.card.approval_id == first
    answer(room.qtbot, room.api.request("POST", f"/v1/approvals/{third}", {"decision": "ignore"}))
    room.until(lambda: room.status(third) == "decided")
    ours = [approval["id"] for approval in room.model.approvals if approval["id"] in (first, second, third)]
    assert ours == [second, first, third]


def test_opening_it_shows_one_that_waits(room: Room) -> None:
    done = room.ask()
    answer(room.qtbot, room.api.request("POST", f"/v1/approvals/{done}", {"decision": "ignore"}))
    room.until(lambda: room.status(done) == "decided")
    waiting = room.ask()
    room.window.choose(done)
    room.window.choose_waiting()
    assert room.window.card.approval_id == waiting


def test_a_changed_action_is_what_was_decided(room: Room) -> None:
    approval_id = room.ask(tool="recall", args={"question": "tea"})
    room.until(lambda: room.window.card.is_armed)
    QTest.keyClick(room.window, Qt.Key.Key_E)
    room.window.card.answer.box.setPlainText('{"question": "green tea"}')
    QTest.keyClick(room.window.card.answer.box, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    room.until(lambda: room.status(approval_id) == "decided")
    found = room.model.find(approval_id)
    assert found is not None
    assert (found["decision"], found["decided_args"]) == ("edit", {"question": "green tea"})


def test_a_title_hides_nothing(room: Room) -> None:
    room.ask(args={"command": "rm \u202egpj.exe\n"})
    assert room.window.list.item(0).text() == "write_file  rm ⟦U+202E⟧gpj.exe"


def test_escape_closes_it(room: Room) -> None:
    QTest.keyClick(room.window, Qt.Key.Key_Escape)
    assert not room.window.isVisible()
