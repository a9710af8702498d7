"""`hearth tasks`: work that Hearth does on its own time."""

import os
import time
from argparse import Namespace
from contextlib import closing
from typing import Any

from hearth_backend.cli.conversation import foot
from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, Terminal, ago, short
from hearth_backend.cli.texts import files, words
from hearth_shared import wire

_COLOURS = {"running": "accent", "waiting": "warn", "finished": "ok", "failed": "danger", "dead": "danger"}


def submit(desk: Desk, options: Namespace) -> int:
    """Stored before this returns: it will be done."""
    body: dict[str, Any] = {
        "goal": words(desk.terminal, options.goal),
        "context": {"files": files(options.file)},
        "thread_id": options.thread,
        "deadline_s": options.deadline,
        "local_only": options.local_only,
        **({"webhook_url": options.webhook} if options.webhook else {}),
    }
    accepted = desk.backend().request("POST", route("agents", options.agent, "tasks"), body, key=os.urandom(16).hex())
    if options.json:
        desk.terminal.json(accepted)
    else:
        desk.terminal.say("Task ", (accepted["task_id"], "accent"), " is on its way.")
        desk.terminal.say((f"  hearth tasks show {accepted['task_id']}", "muted"))
        if secret := accepted.get("webhook_secret"):
            desk.terminal.say("Its webhook is signed with ", (secret, "accent"), ", shown only now.")
    return 0


def show(desk: Desk, options: Namespace) -> int:
    """Newest first."""
    found = desk.backend().request("GET", route("tasks", status=options.status, limit=options.limit))
    if options.json:
        desk.terminal.json(found)
    elif not found["tasks"]:
        desk.terminal.say("There are no such tasks.")
    else:
        desk.terminal.table([_row(task) for task in found["tasks"]])
    return 0


def one(desk: Desk, options: Namespace) -> int:
    """A task, and its answer when there is one."""
    task: wire.TaskDetail = desk.backend().request("GET", route("tasks", options.task))
    if options.json:
        desk.terminal.json(task)
    else:
        _show(desk.terminal, task)
    return 0


def logs(desk: Desk, options: Namespace) -> int:
    """Its journal."""
    steps: list[wire.Step] = desk.backend().request("GET", route("tasks", options.task))["steps"]
    if options.json:
        desk.terminal.json({"steps": steps})
    elif not steps:
        desk.terminal.say("It has not taken a step yet.")
    else:
        desk.terminal.table([(_clock(step["at"]), str(step["seq"]), step["state"], step["name"]) for step in steps])
    return 0


def cancel(desk: Desk, options: Namespace) -> int:
    """It stops at its next step."""
    task = desk.backend().request("DELETE", route("tasks", options.task))
    if options.json:
        desk.terminal.json(task)
    elif task["status"] in ("queued", "running", "waiting", "cancelled"):
        desk.terminal.say(f"Task {task['id']} is stopped.")
    else:
        desk.terminal.say(f"Task {task['id']} had already ended: {task['status']}.")
    return 0


def undo(desk: Desk, options: Namespace) -> int:
    """All that it changed, or nothing."""
    undone: wire.UndoneTask = desk.backend().request("POST", route("tasks", options.task, "undo"))
    if options.json:
        desk.terminal.json(undone)
        return 0
    count = len(undone["paths"])
    desk.terminal.say(f"{count} {'path is' if count == 1 else 'paths are'} as before the task:")
    for path in undone["paths"]:
        desk.terminal.say("  ", path)
    return 0


def retry(desk: Desk, options: Namespace) -> int:
    """From where it failed."""
    task = desk.backend().request("POST", route("tasks", options.task, "retry"))
    if options.json:
        desk.terminal.json(task)
    else:
        desk.terminal.say("Task ", (task["id"], "accent"), " is tried again, from where it failed.")
    return 0


def events(desk: Desk, options: Namespace) -> int:
    """One line each; as JSON, one value on each line."""
    path = route("tasks", options.task, "events") if options.task else route("events")
    with closing(desk.backend().events(path, after_seq=options.after, ends=options.task is not None)) as found:
        for event in found:
            if options.json:
                desk.terminal.json(event, one_line=True)
            else:
                _event(desk.terminal, event)
    return 0


def _event(terminal: Terminal, event: wire.Event) -> None:
    detail = ", ".join(f"{name}={short(str(value), 80)}" for name, value in event["data"].items())
    terminal.say(
        (f"{event['seq']:>6} {_clock(event['time'])} ", "muted"),
        (event["type"], "accent"),
        f" {event['run_id'] or ''} {detail}".rstrip(),
    )
    terminal.flush()


def _row(task: wire.Task) -> list[Part]:
    state = (task["status"], _COLOURS.get(task["status"], "muted"))
    return [task["id"], state, ago(task["created_at"]), task["door"], short(task["goal"], 60)]


def _show(terminal: Terminal, task: wire.TaskDetail) -> None:
    terminal.fold((task["goal"], "strong"))
    state = (task["status"], _COLOURS.get(task["status"], "muted"))
    terminal.say(state, (f"  ·  {task['id']}, asked {ago(task['created_at'])} through {task['door']}", "muted"))
    if task["failure"] is not None:
        terminal.fold(f"{task['failure']['detail']} {task['failure']['fix']}".rstrip())
    if task["answer"] is not None:
        terminal.stream(f"\n{task['answer']['text']}\n")
        for line in foot(task["answer"]):
            terminal.fold(*line)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
