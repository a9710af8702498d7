"""`hearth up`, `down` and `status`."""

from argparse import Namespace

from hearth_backend.cli.desk import Desk, Up
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, Terminal, span
from hearth_shared import wire
from hearth_shared.discovery import stop_backend

_STATES: dict[str, tuple[str, str]] = {
    "idle": ("is idle", "muted"),
    "thinking": ("is thinking", "accent"),
    "needs you": ("needs you", "warn"),
    "paused": ("is paused", "muted"),
    "no model": ("runs without a language model", "info"),
    "fault": ("has a fault", "danger"),
}
_SIGNS: dict[str, Part] = {"ok": ("ok", "ok"), "warn": ("look", "warn"), "fault": ("fault", "danger")}


def up(desk: Desk, options: Namespace) -> int:
    """The backend, in this process."""
    return desk.up(Up(options.headless, options.port, options.keep))


def down(desk: Desk, options: Namespace) -> int:
    """Already stopped is as good as stopped."""
    stopped = stop_backend(desk.home)
    desk.terminal.say("Hearth has stopped." if stopped else "Hearth is not running.")
    return 0


def status(desk: Desk, options: Namespace) -> int:
    """Starts nothing: a status must not change what it tells."""
    found: wire.Status = desk.backend(start=False).request("GET", route("status"))
    if options.json:
        desk.terminal.json(found)
    else:
        _show(desk.terminal, found)
    return 0


def _show(terminal: Terminal, found: wire.Status) -> None:
    terminal.say(
        ("Hearth ", "strong"),
        _STATES.get(found["state"], (found["state"], "")),
        (f"  ·  version {found['version']}, up for {span(found['uptime_s'])}", "muted"),
    )
    rows: list[tuple[Part, Part]] = [(("models", "muted"), _models(found["models"]))]
    rows += [((f"door: {door}", "muted"), address) for door, address in sorted(found["doors"].items())]
    rows += [((f"memory: {name}", "muted"), str(count)) for name, count in sorted(found["memory"].items())]
    rows += [((f"tasks: {lane}", "muted"), str(count)) for lane, count in sorted(found["lanes"].items()) if count]
    rows.append((("folder", "muted"), found["home"]))
    terminal.table(rows)
    if waiting := found["approvals_pending"]:
        terminal.say((f"{waiting} waiting for your decision: `hearth approvals list`.", "warn"))
    for part in found["components"]:
        if part["state"] != "ok":
            terminal.say(_SIGNS[part["state"]], f"  {part['name']}: {part['detail']} {part['fix']}".rstrip())


def _models(models: list[wire.ModelInfo]) -> str:
    chat = [f"{model['id']} ({model['where']})" for model in models if "chat" in model["roles"]]
    if not chat:
        return "no language model connected: `hearth models list`"
    return ", ".join(chat[:4]) + (f" and {len(chat) - 4} more" if len(chat) > 4 else "")
