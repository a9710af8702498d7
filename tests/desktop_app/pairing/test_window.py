"""Pairing on a real backend with its real bridge."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from hearth_desktop import theme
from hearth_desktop.net.api import Api
from hearth_desktop.net.locator import Locator
from hearth_desktop.pairing.model import PairingModel
from hearth_desktop.pairing.window import PairingWindow, spaced
from support.backend import Backend, running
from support.qt_waits import wait

pytestmark = pytest.mark.desktop
ORIGIN = "moz-extension://5e7c9a52-9c0f-4a4e-8f0e-1d2b3c4d5e6f"


class Room:
    """The window in sight."""

    def __init__(self, qtbot: QtBot, qapp: QApplication, backend: Backend) -> None:
        theme.apply(qapp)
        self.qtbot = qtbot
        self.backend = backend
        self.parent = QObject()
        self.model = PairingModel(Api(Locator(backend.home, self.parent), self.parent), self.parent)
        self.window = PairingWindow(self.model)
        qtbot.addWidget(self.window)
        self.window.begin()
        self.window.show()

    def until(self, holds: Callable[[], bool]) -> None:
        wait(self.qtbot, holds)

    def code(self) -> str:
        self.until(lambda: self.model.is_open)
        assert self.model.pairing is not None
        return self.model.pairing["code"]

    def pair(self, code: str) -> int:
        """As the bridge does for a browser."""
        body = {"code": code, "origin": ORIGIN, "name": "Firefox on Linux"}
        return self.backend.door("browser").post("/v1/pair", json=body).status_code

    def state(self) -> str:
        return self.backend.door("tray").get("/v1/clients/pairing").json()["state"]

    @property
    def said(self) -> str:
        return "\n".join(one.text() for one in self.window.findChildren(QLabel) if one.isVisible())

    def push(self, text: str) -> None:
        buttons = (one for one in self.window.findChildren(QPushButton) if one.isVisible())
        next(one for one in buttons if one.text().replace("&", "") == text).click()


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("pairing") / "home") as one:
        yield one


@pytest.fixture
def room(qtbot: QtBot, qapp: QApplication, backend: Backend) -> Iterator[Room]:
    made = Room(qtbot, qapp, backend)
    yield made
    made.window.close()
    made.until(lambda: made.state() != "open")


def test_the_code_is_shown_until_a_browser_used_it(room: Room) -> None:
    code = room.code()
    assert spaced(code) in room.said
    assert "good until" in room.said
    assert room.pair(code) == 201
    room.until(lambda: "Firefox on Linux is paired" in room.said)
    assert spaced(code) not in room.said


def test_a_code_mistyped_too_often_is_closed_and_a_new_one_can_be_had(room: Room) -> None:
    code = room.code()
    wrong = "000000" if code != "000000" else "111111"
    while room.state() == "open":
        assert room.pair(wrong) == 403
    room.until(lambda: "Nothing was paired" in room.said)
    room.push("New code")
    room.until(lambda: room.model.is_open)
    assert room.code() != code


def test_closing_the_window_ends_the_code(room: Room) -> None:
    room.code()
    QTest.keyClick(room.window, Qt.Key.Key_Escape)
    assert not room.window.isVisible()
    room.until(lambda: room.state() != "open")


def test_the_code_can_be_copied(room: Room) -> None:
    code = room.code()
    room.push("Copy the code")
    assert QGuiApplication.clipboard().text() == code


def test_a_backend_that_ends_is_said(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        room = Room(qtbot, qapp, backend)
        room.code()
        backend.stop()
        room.until(lambda: not room.model.is_open)
        assert "Nothing was paired" in room.said or "No code could be had" in room.said


@pytest.mark.parametrize(("code", "said"), [("482913", "482 913"), ("12345", "12 345"), ("", "")])
def test_a_code_is_read_in_two_groups(code: str, said: str) -> None:
    assert spaced(code) == said
