"""What one start of the tray asks of the one that runs: a line of JSON. Standard library only."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast

from hearth_shared.errors import BadRequest

LONGEST: Final = 65_536
_TAKES_TEXT: Final = "ask"
KNOWN: Final = ("show", "toggle", _TAKES_TEXT, "inbox", "settings", "quit")
USAGE: Final = """\
usage: hearth-tray [--background] [show | toggle | ask [TEXT …] | inbox | settings | quit]

Shows Hearth in the tray. When it is there already, the wish is handed to it.

  show       the conversation (also without any word)
  toggle     show the conversation, or put it away
  ask        a new question, with TEXT in its box
  inbox      what waits for your decision
  settings   how Hearth behaves
  quit       end the tray; Hearth itself runs on

  --background   only the icon, as at login

example: hearth-tray ask what did we decide about the cache
"""


class Command(NamedTuple):
    """One wish; `text` is what stands in the question box for `ask`."""

    do: str
    text: str = ""


class Arguments(NamedTuple):
    """The words of a command line. Without a command only the icon is wanted."""

    command: Command | None
    help: bool = False


def from_arguments(words: Sequence[str]) -> Arguments:
    """What a command line asks for. Raises BadRequest."""
    flags = [word for word in words if word.startswith("-")] if words[:1] != [_TAKES_TEXT] else []
    if {"-h", "--help"} & set(flags):
        return Arguments(None, help=True)
    if unknown := [flag for flag in flags if flag != "--background"]:
        raise BadRequest(f"There is no option {unknown[0]}.", "`hearth-tray --help` lists them.")
    rest = [word for word in words if word not in flags]
    if not rest:
        return Arguments(None if flags else Command("show"))
    return Arguments(_checked(rest[0], " ".join(rest[1:])))


def encoded(command: Command) -> bytes:
    """The line that says it."""
    said = {"do": command.do, "text": command.text} if command.text else {"do": command.do}
    return json.dumps(said).encode() + b"\n"


def read(line: bytes) -> Command:
    """What a line asks for. Raises BadRequest."""
    try:
        said: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequest("That is not a line of JSON.") from error
    if not isinstance(said, dict):
        raise BadRequest("A wish is an object with `do`.")
    fields = cast("dict[str, Any]", said)
    do, text = fields.get("do"), fields.get("text", "")
    if not isinstance(do, str) or not isinstance(text, str):
        raise BadRequest("`do` and `text` are texts.")
    return _checked(do, text)


def _checked(do: str, text: str) -> Command:
    if do not in KNOWN:
        raise BadRequest(f"The tray cannot {do[:40]!r}.", f"It can: {', '.join(KNOWN)}.")
    if text and do != _TAKES_TEXT:
        raise BadRequest(f"`{do}` takes no text.", "`hearth-tray --help` shows how it is used.")
    if len(text.encode("utf-8", "replace")) > LONGEST // 8:
        raise BadRequest("That question is too long for a command.", "Write it into the question box.")
    return Command(do, text)
