"""`hearth ask`: one question, one answer."""

from argparse import Namespace

from hearth_backend.cli.conversation import Conversation
from hearth_backend.cli.desk import Desk
from hearth_backend.cli.texts import files, words


def ask(desk: Desk, options: Namespace) -> int:
    """In a new thread unless one is named."""
    message = {
        "text": words(desk.terminal, options.question),
        "context": {"files": files(options.file)},
        "local_only": options.local_only,
    }
    conversation = Conversation.opened(
        desk.backend(), desk.terminal, options.thread, local_only=options.local_only, quiet=options.json
    )
    task_id, answer = conversation.say(message)
    if options.json:
        desk.terminal.json({"thread_id": conversation.thread_id, "task_id": task_id, "answer": answer})
    return 0
