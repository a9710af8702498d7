"""One tray for each home: the seat is held by a lock that the system frees with its process, and has a socket that
others hand their wishes to. Standard library only: a second start must not pay for Qt."""

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from hearth_desktop.start.commands import Command, encoded
from hearth_shared.errors import BackendUnavailable, HearthError, from_problem
from hearth_shared.paths import Home

_WAITING = 16


class Seat:
    """The right to be this home's tray, and where wishes arrive."""

    def __init__(self, lock: int, path: Path, arrivals: socket.socket) -> None:
        self._lock = lock
        self._path = path
        self.arrivals = arrivals

    def close(self) -> None:
        """Leave it, so that the next start is the tray."""
        self.arrivals.close()
        self._path.unlink(missing_ok=True)
        os.close(self._lock)

    def __enter__(self) -> "Seat":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def take(home: Home) -> Seat | None:
    """The seat, or None while another process has it. Raises HomeError."""
    home.make()
    lock = os.open(home.run / "tray.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    path = home.tray
    path.unlink(missing_ok=True)  # of one that was killed
    return Seat(lock, path, _listening(path))


def forward(home: Home, command: Command, limit: float = 5) -> None:
    """Hand a wish to the tray that has the seat. Raises BackendUnavailable when it does not take it."""
    answer = _asked(home, encoded(command), limit)
    if not answer.get("ok"):
        raise from_problem(cast("dict[str, Any]", answer.get("problem") or {}))


def _asked(home: Home, line: bytes, limit: float) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(limit)
        try:
            connection.connect(str(home.tray))
            connection.sendall(line)
            with connection.makefile("rb") as answers:
                return json.loads(answers.readline(65_536))
        except (OSError, ValueError) as error:
            raise _silent() from error


def _silent() -> HearthError:
    return BackendUnavailable(
        "A Hearth tray is running, but it does not answer.",
        "End it in your system's list of processes, then try again.",
    )


def _listening(path: Path) -> socket.socket:
    """Open before Qt is loaded: who comes meanwhile waits in the queue instead of being turned away."""
    arrivals = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        arrivals.bind(str(path))
    finally:
        os.umask(before)
    arrivals.setblocking(False)
    with suppress(OSError):
        arrivals.listen(_WAITING)
    return arrivals
