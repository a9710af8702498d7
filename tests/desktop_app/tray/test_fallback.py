import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from hearth_desktop.tray.fallback import FallbackWindow
from hearth_desktop.tray.situation import Link, Situation
from hearth_desktop.tray.wishes import Wishes
from hearth_shared.theme import Scheme
from hearth_shared.wire import Thread
from support.qt_waits import Heard

pytestmark = pytest.mark.desktop
READY = Situation(link=Link.CONNECTED, model="qwen · this machine")
A_THREAD: Thread = {
    "id": "thr_1",
    "title": "Fish & chips",
    "agent_id": "assistant",
    "door": "cli",
    "local_only": False,
    "version": 1,
    "created_at": 1.0,
    "updated_at": 1.0,
}


def shown(qtbot: QtBot, wishes: Wishes) -> FallbackWindow:
    window = FallbackWindow(wishes, Scheme.LIGHT)
    qtbot.addWidget(window)
    window.show_situation(READY)
    window.list_threads([A_THREAD])
    window.show()
    return window


def push(window: FallbackWindow, text: str) -> None:
    buttons = (one for one in window.findChildren(QPushButton) if one.text().replace("&", "") == text)
    next(button for button in buttons if button.isVisible()).click()


def test_it_offers_what_the_menu_offers(qtbot: QtBot) -> None:
    wishes = Wishes()
    window = shown(qtbot, wishes)
    heard = {
        "Ask…": Heard(wishes.asked),
        "Inbox": Heard(wishes.inbox_wanted),
        "Settings…": Heard(wishes.settings_wanted),
        "Pair a browser…": Heard(wishes.pairing_wanted),
        "Finish setting up…": Heard(wishes.guide_wanted),
        "Fish  chips": Heard(wishes.thread_chosen),
    }
    for text, signal in heard.items():
        push(window, text)
        assert len(signal.values) == 1, text


def test_a_stopped_hearth_can_be_started(qtbot: QtBot) -> None:
    wishes = Wishes()
    window, heard = shown(qtbot, wishes), Heard(wishes.start_wanted)
    window.show_situation(Situation(link=Link.STOPPED, trouble="Nothing is lost."))
    push(window, "Start Hearth")
    assert len(heard.values) == 1


def test_closing_it_ends_the_app(qtbot: QtBot) -> None:
    wishes = Wishes()
    window, heard = shown(qtbot, wishes), Heard(wishes.quit_wanted)
    window.close()
    assert len(heard.values) == 1


def test_escape_puts_it_away_without_ending_anything(qtbot: QtBot) -> None:
    wishes = Wishes()
    window, heard = shown(qtbot, wishes), Heard(wishes.quit_wanted)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.isMinimized()
    assert not heard.values


def test_it_makes_room_for_an_icon_without_ending_anything(qtbot: QtBot) -> None:
    wishes = Wishes()
    window, heard = FallbackWindow(wishes, Scheme.LIGHT), Heard(wishes.quit_wanted)
    window.show()
    window.retire()
    assert not heard.values
