"""`hearth doctor`: what this side can see by itself, then what the backend finds when it examines itself."""

import json
import os
from argparse import Namespace
from collections.abc import Iterator
from typing import Literal

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal
from hearth_shared import wire
from hearth_shared.discovery import holder, read_endpoint
from hearth_shared.errors import HearthError
from hearth_shared.paths import Home

_SIGNS = {"ok": ("ok   ", "ok"), "warn": ("look ", "warn"), "fault": ("fault", "danger")}
_MARGIN = 7  # as wide as a sign and the gap behind it


def doctor(desk: Desk, options: Namespace) -> int:
    """0 when nothing is at fault. Works without a backend, and starts none."""
    checks = list(examine(desk))
    ok = all(check["state"] != "fault" for check in checks)
    if options.json:
        desk.terminal.json({"ok": ok, "checks": checks})
    else:
        _show(desk.terminal, checks)
    return 0 if ok else 1


def examine(desk: Desk) -> Iterator[wire.Check]:
    """Every check, performed now."""
    try:
        home = desk.home
        home.make()
    except HearthError as error:
        yield _fault("home", error)
        return
    yield from _running(desk, home) if read_endpoint(home) is not None else _stopped(home)


def _running(desk: Desk, home: Home) -> Iterator[wire.Check]:
    """The backend examines everything, from inside; what is left is whether one gets there."""
    try:
        found = desk.backend(start=False).request("GET", route("doctor"), limit=120)
    except HearthError as error:
        yield from (_fault("door", error), _config(home), _socket(home))
    else:
        yield _check("door", "ok", "The backend lets this door in.")
        yield from found["checks"]


def _stopped(home: Home) -> Iterator[wire.Check]:
    yield _check("home", "ok", f"{home.root} can be written.")
    yield _config(home)
    yield _absent(home)


def _config(home: Home) -> wire.Check:
    # pydantic takes 100 ms to load, which `hearth doctor` alone pays here.
    from hearth_shared.settings import load

    try:
        load(home.config)
    except HearthError as error:
        return _fault("config", error)
    there = home.config.exists()
    return _check("config", "ok", f"{home.config} is in order." if there else "Every option has its default.")


def _socket(home: Home) -> wire.Check:
    mode = os.stat(home.socket).st_mode if os.path.exists(home.socket) else 0o777
    if mode & 0o077:
        fix = "Start Hearth again: `hearth down`, `hearth up`."
        return _check("socket", "fault", f"{home.socket} is missing, or open to other users.", fix)
    return _check("socket", "ok", f"{home.socket} is open to this user alone.")


def _absent(home: Home) -> wire.Check:
    if (pid := holder(home)) is not None:
        return _check("backend", "warn", f"Process {pid} holds the lock and is not ready.", f"See {home.logs}.")
    try:
        failure = json.loads(home.startup_error.read_bytes())
    except (OSError, ValueError):
        return _check("backend", "warn", "Hearth is not running.", "Start it: `hearth up`, or ask something.")
    return _check("backend", "fault", f"The last start failed: {failure['detail']}", failure["fix"])


def _check(name: str, state: Literal["ok", "warn", "fault"], detail: str, fix: str = "") -> wire.Check:
    return {"name": name, "state": state, "detail": detail, "fix": fix}


def _fault(name: str, error: HearthError) -> wire.Check:
    return _check(name, "fault", error.detail, error.fix)


def _show(terminal: Terminal, checks: list[wire.Check]) -> None:
    for check in checks:
        sign = _SIGNS[check["state"]]
        terminal.fold(sign, "  ", (check["name"], "strong"), f"  {check['detail']}", hanging=_MARGIN)
        if check["fix"] and check["state"] != "ok":
            terminal.fold(" " * _MARGIN, check["fix"])
    faults, looks = (sum(check["state"] == state for check in checks) for state in ("fault", "warn"))
    terminal.say("")
    terminal.say(_summary(faults, looks))


def _summary(faults: int, looks: int) -> str:
    if faults:
        return f"{faults} to mend."
    return f"Nothing is at fault; {looks} worth a look." if looks else "All is well."
