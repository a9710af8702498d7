import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from hearth_desktop.start import seat
from hearth_desktop.start.arrivals import Arrivals
from hearth_desktop.start.commands import Command
from hearth_shared.paths import Home
from support.qt_waits import Heard, wait

pytestmark = pytest.mark.desktop


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def arrivals(qtbot: QtBot, home: Home) -> Iterator[Arrivals]:
    with seat.take(home) or pytest.fail("nobody else is there") as own:
        parent = QObject()
        made = Arrivals(own.arrivals, parent)
        yield made
        made.close()


def caller(home: Home, *pieces: bytes) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(str(home.tray))
    connection.setblocking(False)
    for piece in pieces:
        connection.sendall(piece)
    return connection


def answer(qtbot: QtBot, connection: socket.socket) -> dict[str, object]:
    said = b""

    def whole() -> bool:
        nonlocal said
        try:
            said += connection.recv(65_536)
        except BlockingIOError:
            return False
        return said.endswith(b"\n")

    wait(qtbot, whole)
    connection.close()
    return json.loads(said)


def test_a_wish_is_told_and_acknowledged(qtbot: QtBot, home: Home, arrivals: Arrivals) -> None:
    heard = Heard(arrivals.wished)
    assert answer(qtbot, caller(home, b'{"do": "ask", ', b'"text": "why"}\n')) == {"ok": True}
    assert heard.values == [Command("ask", "why")]


def test_a_wrong_line_is_answered_with_a_problem(qtbot: QtBot, home: Home, arrivals: Arrivals) -> None:
    heard = Heard(arrivals.wished)
    said = answer(qtbot, caller(home, b'{"do": "rm -rf"}\n'))
    assert isinstance(said["problem"], dict)
    assert not heard.values


def test_one_that_says_too_much_is_cut_off(qtbot: QtBot, home: Home, arrivals: Arrivals) -> None:
    left = memoryview(b"x" * 300_000)

    def refused() -> bool:
        nonlocal left
        try:
            left = left[connection.send(left) :]
        except BlockingIOError:
            return False
        except OSError:
            return True
        return not left

    with caller(home) as connection:
        wait(qtbot, refused)
    assert answer(qtbot, caller(home, b'{"do": "show"}\n')) == {"ok": True}


def test_silent_callers_do_not_keep_others_out(qtbot: QtBot, home: Home, arrivals: Arrivals) -> None:
    silent = [caller(home) for _ in range(14)]
    qtbot.wait(1)
    silent += [caller(home) for _ in range(14)]
    assert answer(qtbot, caller(home, b'{"do": "inbox"}\n')) == {"ok": True}
    for connection in silent:
        connection.close()
    assert answer(qtbot, caller(home, b'{"do": "inbox"}\n')) == {"ok": True}
