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
from hearth_shared.errors import BadRequest

_LEVELS = {"info": "muted", "warn": "warn", "error": "danger"}
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
    """What happened in it, line by line."""
    task: wire.TaskDetail = desk.backend().request("GET", route("tasks", options.task))
    lines = task["logs"]
    if options.json:
        desk.terminal.json({"steps": task["steps"], "logs": lines})
    elif not lines:
        desk.terminal.say("Nothing has happened in it yet, or it is no longer kept.")
    for line in () if options.json else lines:
        desk.terminal.say((f"{_clock(line['at'])} ", "muted"), (line["text"], _LEVELS[line["level"]]))
    return 0


def agents(desk: Desk, options: Namespace) -> int:
    """The profiles, and what is wrong with their files."""
    found: wire.AgentList = desk.backend().request("GET", route("agents"))
    if options.json:
        desk.terminal.json(found)
        return 0
    desk.terminal.table([_agent(agent) for agent in found["agents"]])
    for problem in found["problems"]:
        desk.terminal.fold((problem, "warn"))
    return 0


def rate(desk: Desk, options: Namespace) -> int:
    """Of the task's answer in its thread."""
    client = desk.backend()
    task: wire.TaskDetail = client.request("GET", route("tasks", options.task))
    thread = task["thread_id"]
    if thread is None:
        raise BadRequest("The task was given outside a thread.", "Answers in threads are rated: `hearth chat`.")
    turns = client.request("GET", route("threads", thread))["messages"]
    answers = [turn["id"] for turn in turns if turn["run_id"] == task["id"] and turn["role"] == "assistant"]
    if not answers:
        raise BadRequest("The task has no answer yet.", "Look with `hearth tasks show`.")
    body = {"message_id": answers[0], "rating": options.rating, "note": options.message or ""}
    client.request("POST", route("threads", thread, "feedback"), body)
    desk.terminal.say(f"Rated {options.rating}.")
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


def _agent(agent: wire.Agent) -> list[Part]:
    budget = ", ".join(f"{value:g} {name}" for name, value in agent["budget"].items() if isinstance(value, int | float))
    return [(agent["id"], "accent"), agent["description"], budget, ", ".join(agent["tools"])]


def _row(task: wire.Task) -> list[Part]:
    state = (task["status"], _COLOURS.get(task["status"], "muted"))
    return [task["id"], state, ago(task["created_at"]), task["door"], short(task["goal"], 60)]


def _show(terminal: Terminal, task: wire.TaskDetail) -> None:
    terminal.fold((task["goal"], "strong"))
    state = (task["status"], _COLOURS.get(task["status"], "muted"))
    terminal.say(state, (f"  ·  {task['id']}, asked {ago(task['created_at'])} through {task['door']}", "muted"))
    if routed := task["routed"]:
        terminal.say((f"  given to {routed['agent_id']}: {routed['why']} ({routed['how']})", "muted"))
    if task["children"]:
        terminal.say((f"  its plan: {', '.join(task['children'])}", "muted"))
    if webhook := task["webhook"]:
        told = webhook["problem"] or "told"
        terminal.say((f"  webhook {webhook['state']} after {webhook['attempts']}: {told}", "muted"))
    if task["failure"] is not None:
        terminal.fold(f"{task['failure']['detail']} {task['failure']['fix']}".rstrip())
    if task["answer"] is not None:
        terminal.stream(f"\n{task['answer']['text']}\n")
        for line in foot(task["answer"]):
            terminal.fold(*line)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
