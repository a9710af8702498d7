"""`hearth memory working`: what a thread has at hand."""

from argparse import Namespace

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal, ago, short
from hearth_shared import wire
from hearth_shared.errors import BadRequest

_OPEN = {"queued": "Waits to be done", "running": "Is being done", "waiting": "Waits for you"}


def working(desk: Desk, options: Namespace) -> int:
    """Shown; or the task set, or taken away, as of what was just read."""
    path = route("threads", options.thread, "working")
    if options.task is not None and options.clear:
        raise BadRequest("A task is either set or taken away.", "Give --task or --clear.")
    found: wire.WorkingMemory = desk.backend().request("GET", path)
    if options.task is not None or options.clear:
        body = {"version": found["version"], "task": options.task or ""}
        found = desk.backend().request("PUT", path, body)
    if options.json:
        desk.terminal.json(found)
    else:
        _show(desk.terminal, found)
    return 0


def _show(terminal: Terminal, found: wire.WorkingMemory) -> None:
    task, run = found["task"], found["run"]
    if task is not None:
        terminal.fold(
            "Worked on: ", (task["text"], "strong"), (f"  set {ago(task['at'])} in the {task['door']}", "muted")
        )
    if run is not None:
        said = _OPEN.get(run["status"], "Came to no end")
        terminal.fold(f"{said}: {short(run['goal'])}", (f"  {run['run_id']}", "muted"))
    for turn in found["turns"]:
        terminal.fold(("you  " if turn["role"] == "user" else "     ", "muted"), short(turn["text"]))
    for result in found["results"]:
        about = f"  {result['characters']} characters, {ago(result['at'])}"
        terminal.fold((result["tool"], "accent"), (about, "muted"))
        terminal.fold(f"    {short(result['text'])}")
    if task is None and run is None and not found["turns"] and not found["results"]:
        terminal.say("Nothing of the last hour is at hand in this thread.")
