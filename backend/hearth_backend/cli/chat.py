"""`hearth chat`: a thread in the terminal."""

from argparse import Namespace
from contextlib import suppress
from importlib import import_module

from hearth_backend.cli.conversation import Conversation
from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal
from hearth_shared.client import BackendClient
from hearth_shared.errors import HearthError

_PROMPT = "> "
_SHOWN = 6


def chat(desk: Desk, options: Namespace) -> int:
    """Until Ctrl-D, or Ctrl-C at the prompt."""
    client, terminal = desk.backend(), desk.terminal
    conversation = Conversation.opened(client, terminal, options.thread, local_only=options.local_only)
    if options.thread is None:
        terminal.say(("Ask anything. Ctrl-C stops an answer, Ctrl-D leaves.", "muted"))
    else:
        _recall(client, terminal, options.thread)
    while (text := _read(terminal)) is not None:
        if text:
            _answer(conversation, terminal, {"text": text, "local_only": options.local_only})
    terminal.say("")
    terminal.fold((f"This thread stays: hearth chat --thread {conversation.thread_id}", "muted"))
    return 0


def _answer(conversation: Conversation, terminal: Terminal, message: dict[str, object]) -> None:
    try:
        conversation.say(message)
    except HearthError as error:
        terminal.note(f"\n{error}")
    except KeyboardInterrupt:
        terminal.say("\n", ("Stopped.", "muted"))
    terminal.say("")


def _read(terminal: Terminal) -> str | None:
    """A line; None when the person leaves. A script may write the lines instead."""
    if not terminal.person_sits_here:
        return line.strip() if (line := terminal.input.readline()) else None
    with suppress(ImportError):  # editing and history for input(); not every build of Python has it
        import_module("readline")
    try:
        return input(_PROMPT).strip()
    except (EOFError, KeyboardInterrupt):
        return None


def _recall(client: BackendClient, terminal: Terminal, thread_id: str) -> None:
    thread = client.request("GET", route("threads", thread_id))
    terminal.say((thread["title"] or "(no title)", "strong"))
    for turn in thread["messages"][-_SHOWN:]:
        if turn["role"] == "user":
            terminal.fold((_PROMPT, "muted"), turn["text"])
        else:
            terminal.stream(f"{turn['text']}\n\n")
