import pytest
from pytestqt.qtbot import QtBot

from hearth_desktop.tray.menu import TrayMenu
from hearth_desktop.tray.situation import Link, Situation
from hearth_desktop.tray.wishes import Wishes
from hearth_shared.wire import Thread
from support.qt_waits import Heard

pytestmark = pytest.mark.desktop
READY = Situation(link=Link.CONNECTED, model="qwen · this machine")


def thread(number: int) -> Thread:
    return {
        "id": f"thr_{number}",
        "title": f"Thread {number}",
        "agent_id": "assistant",
        "door": "cli",
        "local_only": False,
        "version": 1,
        "created_at": 1.0,
        "updated_at": 1.0,
    }


def texts(menu: TrayMenu) -> list[str]:
    shown = (action for action in menu.actions() if action.isVisible() and not action.isSeparator())
    return [action.text().replace("&", "") for action in shown]


def press(menu: TrayMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text().replace("&", "") == text).trigger()


def test_everything_can_be_asked_for(qtbot: QtBot) -> None:
    wishes = Wishes()
    menu = TrayMenu(wishes)
    menu.show_situation(READY)
    heard = {
        "Ask…": Heard(wishes.asked),
        "Inbox": Heard(wishes.inbox_wanted),
        "Settings…": Heard(wishes.settings_wanted),
        "Pair a browser…": Heard(wishes.pairing_wanted),
        "Finish setting up…": Heard(wishes.guide_wanted),
        "Quit": Heard(wishes.quit_wanted),
        "Local only": Heard(wishes.local_only_chosen),
    }
    for text, signal in heard.items():
        press(menu, text)
        assert len(signal.values) == 1, text


def test_it_says_how_hearth_is_and_who_answers(qtbot: QtBot) -> None:
    menu = TrayMenu(Wishes())
    menu.show_situation(READY)
    assert texts(menu)[:3] == ["Hearth is idle", "Answers: qwen · this machine", "Ask…"]
    menu.show_situation(READY._replace(pending=frozenset({"a"})))
    assert texts(menu)[0] == "Hearth needs you: 1 approval waits"
    assert "Inbox (1)" in texts(menu)


def test_threads_are_listed_and_opened(qtbot: QtBot) -> None:
    wishes = Wishes()
    menu, heard = TrayMenu(wishes), Heard(wishes.thread_chosen)
    menu.list_threads([thread(1), thread(2)])
    menu.list_threads([thread(3), thread(4)])
    assert [text for text in texts(menu) if text.startswith("Thread")] == ["Thread 3", "Thread 4"]
    press(menu, "Thread 4")
    assert heard.values == ["thr_4"]


def test_a_stopped_hearth_can_be_started(qtbot: QtBot) -> None:
    wishes = Wishes()
    menu, heard = TrayMenu(wishes), Heard(wishes.start_wanted)
    assert "Start Hearth" not in texts(menu)
    menu.show_situation(Situation(link=Link.STOPPED))
    assert not menu.inbox.isEnabled()
    press(menu, "Start Hearth")
    assert len(heard.values) == 1


def test_local_only_is_ticked_while_it_holds(qtbot: QtBot) -> None:
    menu = TrayMenu(Wishes())
    menu.show_situation(READY._replace(local_only=True))
    assert menu.local_only.isChecked()
    menu.show_situation(READY)
    assert not menu.local_only.isChecked()


def test_the_guide_is_offered_while_something_is_left(qtbot: QtBot) -> None:
    menu = TrayMenu(Wishes())
    menu.offer_guide(False)
    assert "Finish setting up…" not in texts(menu)
    menu.offer_guide(True)
    assert "Finish setting up…" in texts(menu)


def test_no_two_entries_have_the_same_key(qtbot: QtBot) -> None:
    menu = TrayMenu(Wishes())
    menu.show_situation(Situation(link=Link.STOPPED))
    keys = [action.text()[action.text().index("&") + 1].lower() for action in menu.actions() if "&" in action.text()]
    assert len(keys) == len(set(keys))
