"""`hearth ask`: one question, one answer; or, before it is asked, what it would send."""

import json
from argparse import Namespace
from typing import Any

from hearth_backend.cli.conversation import Conversation
from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal
from hearth_backend.cli.texts import files, words
from hearth_shared import wire


def ask(desk: Desk, options: Namespace) -> int:
    """In a new thread unless one is named."""
    message: dict[str, Any] = {
        "text": words(desk.terminal, options.question),
        "context": {"files": files(options.file)},
        "local_only": options.local_only,
    }
    if options.show_outgoing:
        return _show_outgoing(desk, message, options)
    conversation = Conversation.opened(
        desk.backend(), desk.terminal, options.thread, local_only=options.local_only, quiet=options.json
    )
    task_id, answer = conversation.say(message)
    if options.json:
        desk.terminal.json({"thread_id": conversation.thread_id, "task_id": task_id, "answer": answer})
    return 0


def _show_outgoing(desk: Desk, message: dict[str, Any], options: Namespace) -> int:
    thread = {} if options.thread is None else {"thread_id": options.thread}
    found: wire.Outgoing = desk.backend().request("POST", route("outgoing"), {**message, **thread})
    if options.json:
        desk.terminal.json(found)
        return 0
    terminal = desk.terminal
    terminal.say(("Nothing was sent.", "strong"))
    if not found["calls"]:
        terminal.fold(("No model would be asked: nothing would leave this machine.", ""))
    for number, call in enumerate(found["calls"]):
        _show(terminal, call, is_first=number == 0)
    for note in found["notes"]:
        terminal.fold((note, "muted"))
    return 0


def _show(terminal: Terminal, call: wire.OutgoingCall, *, is_first: bool) -> None:
    who = "This would be asked" if is_first else "If that fails, this would be asked"
    terminal.say("")
    if call["body"] is None:
        terminal.fold((f"{who}: {call['model']}, on {call['where']}. Nothing would leave.", ""))
        return
    terminal.fold((f"{who}: {call['model']} ({call['where']}), at {call['url']}, with:", ""))
    terminal.say(json.dumps(call["body"], indent=2, ensure_ascii=False))
    if call["hidden"]:
        terminal.fold((f"{', '.join(call['hidden'])} stand for what is hidden; it is put back in the answer.", "muted"))
