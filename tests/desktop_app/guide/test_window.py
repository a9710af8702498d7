"""The guide on a real backend: one key accepts, one skips, and closing it leaves a working Hearth."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from hearth_desktop import theme
from hearth_desktop.guide.machine import Machine
from hearth_desktop.guide.model import GuideModel
from hearth_desktop.guide.steps import Does
from hearth_desktop.guide.window import GuideWindow
from hearth_desktop.net.api import Api
from hearth_desktop.net.locator import Locator
from hearth_desktop.preferences import Preferences
from hearth_desktop.settings.model import SettingsModel
from hearth_shared.discovery import read_endpoint, stop_backend
from hearth_shared.theme import Scheme
from support.backend import Backend, running
from support.qt_waits import Heard, wait

pytestmark = pytest.mark.desktop
MACHINE = Machine(16_000_000_000, ("NVIDIA RTX",), ("Neovim",))


class Room:
    """The guide in sight."""

    def __init__(self, qtbot: QtBot, qapp: QApplication, backend: Backend) -> None:
        theme.apply(qapp)
        self.qtbot = qtbot
        self.backend = backend
        self.parent = QObject()
        api = Api(Locator(backend.home, self.parent), self.parent)
        self.preferences = Preferences(backend.home, self.parent)
        settings = SettingsModel(api, self.parent)
        self.model = GuideModel(api, settings, self.preferences, self.parent, look=lambda: MACHINE)
        self.window = GuideWindow(self.model, backend.home, Scheme.LIGHT)
        qtbot.addWidget(self.window)
        self.window.begin()
        self.window.show()
        self.until(lambda: self.model.is_loaded)

    def until(self, holds: Callable[[], bool]) -> None:
        wait(self.qtbot, holds)

    def press(self, key: Qt.Key) -> None:
        QTest.keyClick(self.window, key)

    @property
    def step(self) -> str:
        return "" if self.model.step is None else self.model.step.name

    @property
    def said(self) -> str:
        return "\n".join(one.text() for one in self.window.findChildren(QLabel) if one.isVisible())


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("guide") / "home") as one:
        yield one


@pytest.fixture
def room(qtbot: QtBot, qapp: QApplication, backend: Backend) -> Room:
    (backend.home.root / "desktop.json").unlink(missing_ok=True)
    return Room(qtbot, qapp, backend)


def test_it_shows_what_was_found(room: Room) -> None:
    assert room.step == "welcome"
    assert "NVIDIA RTX" in room.said
    assert "1 of 5" in room.said


def test_one_key_skips_each_card(room: Room) -> None:
    seen = [room.step]
    while room.step != "ask":
        room.press(Qt.Key.Key_S)
        seen.append(room.step)
    assert seen == ["welcome", "model", "editor", "browser", "ask"]
    room.press(Qt.Key.Key_S)
    assert room.step == "ask"


def test_one_key_accepts_each_card(room: Room) -> None:
    pairing, asked = Heard(room.window.pairing_wanted), Heard(room.window.asked)
    room.press(Qt.Key.Key_Return)
    room.press(Qt.Key.Key_S)
    assert room.step == "editor"
    room.press(Qt.Key.Key_Return)
    assert QGuiApplication.clipboard().text() == "hearth pair editor"
    room.press(Qt.Key.Key_Return)
    assert len(pairing.values) == 1
    room.press(Qt.Key.Key_Return)
    assert len(asked.values) == 1
    assert not room.window.isVisible()
    assert set(room.preferences.choices.passed) == {"welcome", "editor", "browser", "ask"}


def test_what_was_skipped_comes_again_and_what_was_taken_does_not(room: Room) -> None:
    room.press(Qt.Key.Key_Return)
    room.press(Qt.Key.Key_S)
    room.press(Qt.Key.Key_Return)
    room.window.close()
    assert room.preferences.choices.guide_seen
    room.window.begin()
    room.window.show()
    room.until(lambda: room.step == "model")
    assert [step.name for step in room.model.steps] == ["model", "browser", "ask"]


def test_escape_closes_everything_and_leaves_a_working_hearth(room: Room) -> None:
    room.press(Qt.Key.Key_Escape)
    assert not room.window.isVisible()
    assert room.preferences.choices.guide_seen
    assert room.backend.door("tray").get("/v1/status").status_code == 200


def test_keys_of_a_cloud_model_are_one_button_away(room: Room) -> None:
    keys = Heard(room.window.keys_wanted)
    room.press(Qt.Key.Key_S)
    next(one for one in room.window.findChildren(QPushButton) if one.text() == "Keys…").click()
    assert len(keys.values) == 1


def test_the_models_folder_opens_and_is_looked_at_again(room: Room) -> None:
    opened = _Opener()
    # The stub says bytes; the binding takes text.
    QDesktopServices.setUrlHandler("file", opened, "take")  # pyright: ignore[reportArgumentType]
    try:
        room.press(Qt.Key.Key_S)
        room.press(Qt.Key.Key_Return)
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert opened.paths == [str(room.backend.home.models)]
    assert room.step == "model"
    again = next(one for one in room.window.findChildren(QPushButton) if one.text() == "Look again")
    again.click()
    room.until(lambda: "Put a .gguf file" not in room.said)


class _Opener(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        self.paths.append(url.toLocalFile())


def test_a_model_that_was_offered_answers_after_one_key(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        room = Room(qtbot, qapp, backend)
        room.press(Qt.Key.Key_Return)
        offered = room.model.steps[0]._replace(does=Does.USE_MODEL, with_="ollama/llama")
        room.model.steps = [offered, *room.model.steps[1:]]
        room.press(Qt.Key.Key_Return)
        room.until(lambda: room.step == "editor")
        assert 'chat = "ollama/llama"' in backend.home.config.read_text("utf-8")
        assert backend.process.wait(60) == 0  # it starts again for it
        room.until(lambda: read_endpoint(backend.home) is not None)
        assert stop_backend(backend.home)
