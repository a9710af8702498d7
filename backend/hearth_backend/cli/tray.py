"""`hearth toggle` and `hearth inbox`: a word to the running tray; where there is none, it is started."""

import json
import os
import socket
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

from hearth_backend.cli.desk import Desk
from hearth_shared.errors import BackendUnavailable, DeadlineExceeded, from_problem
from hearth_shared.paths import Home

_TRAY: Final = (sys.executable, "-I", "-m", "hearth_desktop")
_ANSWERS_S: Final = 10.0
_STARTS_S: Final = 30.0
_PAUSE_S: Final = 0.05
_INSTALL: Final = "Install it: `make run` in Hearth's checkout, or `pip install 'hearth-agent[desktop]'`."
NO_QT: Final = "The tray needs PySide6, which is not installed. Everything else of Hearth works."
NO_DISPLAY: Final = "There is no display here, so the tray has nowhere to show itself."
_INSTEAD: Final = "`hearth chat` and `hearth approvals list` do in a terminal what the tray does."


def toggle(desk: Desk, options: Namespace) -> int:
    """Show Hearth's window, or put it away."""
    return _do(desk.home, "toggle")


def inbox(desk: Desk, options: Namespace) -> int:
    """Show what waits for the person's decision."""
    return _do(desk.home, "inbox")


def beside(home: Home, environ: Mapping[str, str]) -> bool:
    """Start the tray with only its icon, where it can be shown and is not there yet; whether it was started."""
    if hindrance(environ) or _asked(home, {"do": "show"}, ask=False) is not None:
        return False
    _start(home, "--background")
    return True


def hindrance(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Why no tray can be shown here; empty when one can."""
    if find_spec("PySide6") is None:
        return NO_QT
    shown = environ.get("QT_QPA_PLATFORM") or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return "" if shown or not platform.startswith("linux") else NO_DISPLAY


def _do(home: Home, wish: str) -> int:
    answer = _asked(home, {"do": wish})
    if answer is None:
        _fail_where_none_can_be(os.environ)
        home.make()
        _wait(home, _start(home, wish))
    elif not answer.get("ok"):
        raise from_problem(answer.get("problem") or {"detail": "The tray did not do it."})
    return 0


def _fail_where_none_can_be(environ: Mapping[str, str]) -> None:
    if why := hindrance(environ):
        raise BackendUnavailable(why, _INSTALL if why == NO_QT else _INSTEAD)


def _asked(home: Home, wish: dict[str, str], *, ask: bool = True) -> dict[str, Any] | None:
    """What the running tray says; None when none runs. With `ask` false it is only knocked at."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWERS_S)
        try:
            connection.connect(str(home.tray))
        except OSError:
            return None
        if not ask:
            return {}
        try:
            connection.sendall(json.dumps(wish).encode() + b"\n")
            with connection.makefile("rb") as lines:
                return json.loads(lines.readline(65_536))
        except (OSError, ValueError) as error:
            raise BackendUnavailable(
                "The tray runs, but it does not answer.", "End it in your system's list of processes, then try again."
            ) from error


def _start(home: Home, *words: str) -> "subprocess.Popen[bytes]":
    """In a session of its own: it outlives this command."""
    output = os.open(home.logs / "tray.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            (*_TRAY, *words),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home.root,
            env={**os.environ, "HEARTH_HOME": str(home.root)},
            start_new_session=True,
        )
    finally:
        os.close(output)


def _wait(home: Home, tray: "subprocess.Popen[bytes]") -> None:
    """Until it takes wishes, or has ended: then what it said."""
    deadline = time.monotonic() + _STARTS_S
    while _asked(home, {"do": "show"}, ask=False) is None:
        if tray.poll() is not None and tray.returncode:
            said = (home.logs / "tray.out").read_text("utf-8", "replace").strip().rpartition("\n")[2]
            raise BackendUnavailable(
                f"The tray ended while it started: {said.removeprefix('hearth-tray: ') or 'it said nothing'}", ""
            )
        if time.monotonic() > deadline:
            raise DeadlineExceeded("The tray did not show itself in time.", f"See {home.logs / 'tray.out'}.")
        time.sleep(_PAUSE_S)
