import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hearth_desktop.start import seat
from hearth_desktop.start.commands import Command
from hearth_shared.errors import BackendUnavailable, BadRequest
from hearth_shared.paths import Home

pytestmark = pytest.mark.integration
_HOLD = """
import sys
from pathlib import Path
from hearth_desktop.start import seat
from hearth_shared.paths import Home
own = seat.take(Home(Path(sys.argv[1])))
print("seated" if own else "standing", flush=True)
sys.stdin.read()
"""


def holder(home: Home) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "seated\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def answering(own: seat.Seat, line: bytes) -> tuple[threading.Thread, list[bytes]]:
    """Somebody in the seat who answers one caller so."""
    heard: list[bytes] = []

    def serve() -> None:
        own.arrivals.setblocking(True)
        connection, _ = own.arrivals.accept()
        with connection:
            heard.append(connection.recv(65_536))
            connection.sendall(line)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread, heard


def test_there_is_one_seat(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with seat.take(home) or pytest.fail("nobody else is there"):
        process = subprocess.run(
            [sys.executable, "-c", _HOLD, str(home.root)], input="", capture_output=True, text=True, check=True
        )
        assert process.stdout == "standing\n"


def test_the_seat_of_a_killed_one_is_free(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    process = holder(home)
    assert seat.take(home) is None
    end(process)
    assert home.tray.exists()
    own = seat.take(home)
    assert own is not None
    own.close()
    assert not home.tray.exists()


def test_only_this_user_can_reach_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with seat.take(home) or pytest.fail("nobody else is there"):
        path = home.tray
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_home_with_a_long_path_has_a_seat_too(tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 40))
    with seat.take(home) or pytest.fail("nobody else is there"):
        assert len(os.fsencode(home.tray)) <= 100
    assert Home(tmp_path / "home").tray.parent.name == "run"


def test_a_wish_is_handed_over(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with seat.take(home) or pytest.fail("nobody else is there") as own:
        thread, heard = answering(own, b'{"ok": true}\n')
        seat.forward(home, Command("ask", "why\nnot"))
        thread.join()
    assert heard == [b'{"do": "ask", "text": "why\\nnot"}\n']


def test_a_refusal_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with seat.take(home) or pytest.fail("nobody else is there") as own:
        thread, _ = answering(own, b'{"problem": {"code": "bad_request", "status": 400, "detail": "No."}}\n')
        with pytest.raises(BadRequest, match="No"):
            seat.forward(home, Command("show"))
        thread.join()


def test_one_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    own = seat.take(home)
    assert own is not None
    with own, pytest.raises(BackendUnavailable, match="does not answer"):
        seat.forward(home, Command("show"), limit=0.05)


def test_a_wish_made_before_anybody_listens_waits(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    own = seat.take(home)
    assert own is not None
    with own, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.connect(str(home.tray))
        caller.sendall(b'{"do": "show"}\n')
        connection, _ = own.arrivals.accept()
        assert connection.recv(100) == b'{"do": "show"}\n'
        connection.close()


def test_a_word_to_the_tray_needs_no_qt() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import hearth_desktop.__main__, sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"PySide6", "asyncio", "argparse", "dataclasses", "subprocess"} & set(loaded)
