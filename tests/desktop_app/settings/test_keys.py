"""Keys on a real backend: in the environment, where no keyring can keep one, and for a server that is not there."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from hearth_desktop.net.api import Api
from hearth_desktop.net.locator import Locator
from hearth_desktop.settings.keys import KeyRow, KeysPage
from support.backend import Backend, running
from support.qt_waits import wait

pytestmark = pytest.mark.desktop
_SERVER = '[providers.workshop]\nurl = "http://127.0.0.1:9/v1"\nwhere = "another machine"\n'
_SECRET = "sk-0123456789abcdef"


class Room:
    """The page in sight."""

    def __init__(self, qtbot: QtBot, page: KeysPage, log: Callable[[], str], parent: QObject) -> None:
        self.qtbot = qtbot
        self.page = page
        self.log = log
        self.parent = parent

    def until(self, holds: Callable[[], bool]) -> None:
        wait(self.qtbot, holds)

    def row(self, name: str) -> KeyRow:
        self.until(lambda: name in {row.name for row in self.page.rows})
        return next(row for row in self.page.rows if row.name == name)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("keys") / "home", _SERVER, environ={"HEARTH_KEY_OPENAI": _SECRET}) as one:
        yield one


@pytest.fixture
def room(qtbot: QtBot, backend: Backend) -> Room:
    parent = QObject()
    page = KeysPage(Api(Locator(backend.home, parent), parent))
    qtbot.addWidget(page)
    page.load()
    page.show()
    return Room(qtbot, page, backend.log, parent)


def box(row: KeyRow) -> QLineEdit:
    return row.findChildren(QLineEdit)[0]


def push(row: KeyRow, text: str) -> None:
    next(one for one in row.findChildren(QPushButton) if one.text() == text).click()


def test_a_key_of_the_environment_is_said_to_be_there_and_never_shown(room: Room) -> None:
    row = room.row("openai")
    assert row.standing == "Key set by the environment"
    assert _SECRET not in "".join(one.text() for one in row.findChildren(QLineEdit))


def test_without_a_keyring_nothing_is_kept_and_the_reason_is_said(room: Room) -> None:
    row = room.row("workshop")
    assert row.standing == "No key"
    QTest.keyClicks(box(row), _SECRET)
    QTest.keyClick(box(row), Qt.Key.Key_Return)
    assert not box(row).text()
    room.until(lambda: "keyring" in row.said)
    assert row.standing == "No key"
    assert _SECRET not in room.log()


def test_what_is_typed_cannot_be_read(room: Room) -> None:
    assert box(room.row("workshop")).echoMode() is QLineEdit.EchoMode.Password


def test_an_empty_box_keeps_nothing(room: Room) -> None:
    row = room.row("workshop")
    QTest.keyClicks(box(row), "   ")
    keep = next(one for one in row.findChildren(QPushButton) if one.text() == "Keep")
    assert not keep.isEnabled()
