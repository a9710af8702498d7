"""The settings on a real backend."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QListWidget
from pytestqt.qtbot import QtBot

from hearth_desktop import theme
from hearth_desktop.marks import Check
from hearth_desktop.net.api import Api
from hearth_desktop.net.locator import Locator
from hearth_desktop.preferences import Preferences
from hearth_desktop.settings.dialog import SettingsWindow
from hearth_desktop.settings.fields import OptionRow
from hearth_desktop.settings.model import SettingsModel
from hearth_shared.discovery import stop_backend
from hearth_shared.theme import Scheme
from support.backend import Backend, running
from support.qt_waits import Heard, wait

pytestmark = pytest.mark.desktop
_ENVIRONMENT = ("HEARTH_SERVER__HOST", "HEARTH_MODELS__LOOK_AROUND", "HEARTH_BRIDGE__PORT")


class Room:
    """The settings in sight, and the backend whose they are."""

    def __init__(self, qtbot: QtBot, qapp: QApplication, backend: Backend, parent: QObject) -> None:
        self.qtbot = qtbot
        self.backend = backend
        self.parent = parent
        self.api = Api(Locator(backend.home, parent), parent)
        self.model = SettingsModel(self.api, parent, environ=_ENVIRONMENT)
        self.preferences = Preferences(backend.home, parent)
        self.window = SettingsWindow(self.model, self.api, self.preferences, theme.apply(qapp))
        qtbot.addWidget(self.window)
        self.window.load()
        self.window.show()
        self.until(lambda: bool(self.window.rows))

    def until(self, holds: Callable[[], bool]) -> None:
        wait(self.qtbot, holds)

    def row(self, name: str) -> OptionRow:
        return self.window.rows[name]

    def type(self, name: str, text: str) -> None:
        field = self.row(name).field
        assert isinstance(field, QLineEdit)
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def stored(self) -> str:
        return self.backend.home.config.read_text("utf-8") if self.backend.home.config.exists() else ""

    @property
    def said(self) -> str:
        return "\n".join(one.text() for one in self.window.findChildren(QLabel) if one.isVisible())

    def shown_rows(self) -> set[str]:
        return {name for name, row in self.window.rows.items() if row.isVisible()}


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One for all tests of this module; each changes options of its own."""
    with running(tmp_path_factory.mktemp("settings") / "home") as one:
        yield one


@pytest.fixture
def room(qtbot: QtBot, qapp: QApplication, tmp_path: Path, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("HOME", str(tmp_path))
    return Room(qtbot, qapp, backend, QObject())


def test_a_number_is_stored_and_its_restart_is_said(room: Room) -> None:
    room.window.go("Ways in")
    stored = Heard(room.model.stored)
    room.type("server.linger_s", "300")
    room.until(lambda: stored.values == ["server.linger_s"])
    assert "linger_s = 300" in room.stored()
    assert room.model.needs_restart == ["server.linger_s"]
    assert "A change waits for the next start of Hearth: server.linger_s." in room.said
    assert room.row("server.linger_s").option.is_changed


def test_what_is_out_of_range_is_said_at_the_field_and_not_sent(room: Room) -> None:
    room.window.go("Ways in")
    room.type("server.port", "99999")
    assert room.row("server.port").fault == "At most 65,535."
    room.type("server.port", "4800")
    room.until(lambda: "port = 4800" in room.stored())
    assert not room.row("server.port").fault
    assert "99999" not in room.stored()


def test_what_the_backend_refuses_is_said_at_the_field(room: Room) -> None:
    room.model.put({"server.port": "many"})
    room.until(lambda: bool(room.row("server.port").fault))
    assert "`server.port` cannot be" in room.row("server.port").fault


def test_a_change_is_taken_back_to_what_it_was(room: Room) -> None:
    room.window.go("Ways in")
    room.type("server.model_requests", "7")
    room.until(lambda: room.row("server.model_requests").option.is_changed)
    row = room.row("server.model_requests")
    next(one for one in row.findChildren(QAbstractButton) if one.text() == "Back to 100").click()
    room.until(lambda: not row.option.is_changed)
    assert "server.model_requests" not in room.model.needs_restart


def test_a_choice_and_a_switch_are_stored(room: Room) -> None:
    cloud, enabled = room.row("models.cloud").field, room.row("memory.enabled").field
    assert isinstance(cloud, QComboBox)
    assert isinstance(enabled, Check)
    cloud.setCurrentText("never")
    cloud.activated.emit(cloud.currentIndex())
    enabled.click()
    room.until(lambda: 'cloud = "never"' in room.stored() and "enabled = false" in room.stored())


def test_an_option_of_the_environment_cannot_be_changed_here(room: Room) -> None:
    row = room.row("server.host")
    assert not row.field.isEnabled()
    room.window.go("Ways in")
    assert "Set by HEARTH_SERVER__HOST in the environment" in room.said


def test_search_finds_options_of_every_section(room: Room) -> None:
    QTest.keyClicks(room.window.search, "port")
    assert {"server.port", "bridge.port"} <= room.shown_rows()
    assert "models.cloud" not in room.shown_rows()
    QTest.keyClick(room.window.search, Qt.Key.Key_Escape)
    assert not room.window.search.text()
    assert room.window.isVisible()
    QTest.keyClicks(room.window.search, "zebra")
    assert "No option is about that." in room.said


def test_a_server_is_connected_and_gets_a_section(room: Room) -> None:
    room.window.servers.enter("workshop", "http://127.0.0.1:9/v1")
    room.until(lambda: "providers.workshop.url" in room.window.rows)
    titles = room.window.findChildren(QListWidget)[0].findItems("workshop", Qt.MatchFlag.MatchExactly)
    assert len(titles) == 1


def test_a_restart_puts_the_changes_into_force(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        room = Room(qtbot, qapp, backend, QObject())
        room.model.put({"server.linger_s": 300})
        room.until(lambda: room.model.needs_restart == ["server.linger_s"])
        room.model.restart()
        room.until(lambda: not room.model.needs_restart and not room.model.is_restarting)
        assert room.row("server.linger_s").option.value == 300
        assert backend.process.wait(60) == 0
        assert stop_backend(backend.home)


def test_launch_at_login_and_close_to_tray_are_two_switches(room: Room) -> None:
    own = room.window.own
    path = own.places.autostart
    assert not path.exists()
    own.login.click()
    assert "--background" in path.read_text("utf-8")
    own.login.click()
    assert not path.exists()
    assert own.close_to_tray.isChecked()
    own.close_to_tray.click()
    assert not room.preferences.choices.close_to_tray
    assert not own.login.isChecked()


def test_light_or_dark_can_be_chosen_where_the_system_does_not_tell(room: Room) -> None:
    choice = room.window.own.scheme
    choice.setCurrentIndex(choice.findText("Dark, high contrast"))
    choice.activated.emit(choice.currentIndex())
    assert room.preferences.choices.scheme == Scheme.DARK_CONTRAST


def test_everything_has_a_name_for_a_screen_reader(room: Room) -> None:
    silent: list[str] = []
    for title in ("This app", "Models", "Keys", "Sites", "Ways in"):
        room.window.go(title)
        for kind in (QAbstractButton, QLineEdit, QComboBox, QListWidget):
            for widget in room.window.findChildren(kind):
                focusable = widget.isVisible() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
                inner = isinstance(widget.parent(), QComboBox | QLineEdit)
                if focusable and not inner and not _name(widget):
                    silent.append(repr(widget))
    assert not silent


def _name(widget: QObject) -> str:
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
