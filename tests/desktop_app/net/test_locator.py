"""Finding a backend, starting one that died, and giving up when it dies again and again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from hearth_desktop.net.locator import Locator
from hearth_shared.discovery import Endpoint, claim, write_endpoint
from hearth_shared.errors import BackendUnavailable
from hearth_shared.paths import Home
from support.qt_waits import Heard, wait

pytestmark = pytest.mark.desktop


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def locator(qapp: QApplication, home: Home, clock: Clock) -> Iterator[Locator]:
    """Its starter ends well at once, and no backend is there afterwards."""
    made = Locator(home, command=("true",), clock=clock)
    yield made
    delete(made)


def leave_files_of_a_dead_one(home: Home) -> None:
    home.endpoint.write_text(json.dumps({"pid": 1, "version": "9", "socket": "x", "port": 1, "started_at": 0}))


def test_files_of_a_dead_backend_are_no_backend(locator: Locator, home: Home) -> None:
    leave_files_of_a_dead_one(home)
    assert locator.look() is None


def test_one_that_dies_again_and_again_is_not_started_for_ever(
    qtbot: QtBot, locator: Locator, home: Home, clock: Clock
) -> None:
    leave_files_of_a_dead_one(home)
    found, failed = Heard(locator.found), Heard(locator.failed)
    for death in range(1, 6):
        clock.now += 5
        locator.miss()
        wait(qtbot, lambda death=death: len(found.values) == death)
    locator.miss()
    assert isinstance(failed.last, BackendUnavailable)
    assert not locator.is_starting
    clock.now += 61
    locator.miss()
    assert locator.is_starting


def test_one_that_ended_in_good_order_is_waited_for(qtbot: QtBot, locator: Locator, home: Home) -> None:
    found, starting = Heard(locator.found), Heard(locator.starting)
    locator.miss()
    assert not locator.is_starting
    home.key("tray").write_text("key")
    with claim(home):
        write_endpoint(home, Endpoint(pid=_own_pid(home), version="99.0", socket="x", port=None, started_at=0.0))
        wait(qtbot, lambda: bool(found.values))
        address = locator.look()
        assert address is not None
        assert address.key == "key"
    assert not starting.values


def test_an_older_backend_is_none(locator: Locator, home: Home) -> None:
    home.key("tray").write_text("key")
    with claim(home):
        write_endpoint(home, Endpoint(pid=_own_pid(home), version="0.0.1", socket="x", port=None, started_at=0.0))
        assert locator.look() is None


def test_why_it_could_not_be_started_is_told(qtbot: QtBot, home: Home) -> None:
    problem = {"code": "bad_settings", "status": 500, "detail": "No such option.", "fix": "Look it up."}
    script = f"import sys; sys.stdout.write({json.dumps(json.dumps(problem))}); sys.exit(1)"
    made = Locator(home, command=("python3", "-c", script))
    failed = Heard(made.failed)
    made.start()
    wait(qtbot, lambda: bool(failed.values))
    assert (failed.last.code, str(failed.last)) == ("bad_settings", "No such option. Look it up.")
    delete(made)


def _own_pid(home: Home) -> int:
    return int(home.lock.read_text())
