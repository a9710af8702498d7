"""The `hearth` command: words in, an exit status out (0 done, 1 failed and said why, 2 wrong usage, 130 stopped)."""

import os
import sys
from collections.abc import Callable, Sequence

from hearth_backend.cli.desk import Desk, Up
from hearth_backend.cli.parser import parser
from hearth_backend.cli.terminal import Terminal, standard
from hearth_backend.cli.verb import Verb
from hearth_shared.errors import HearthError
from hearth_shared.paths import find_home

DONE, FAILED, INTERRUPTED = 0, 1, 130


def main(arguments: Sequence[str], *, up: Callable[[Up], int], terminal: Terminal | None = None) -> int:
    """Runs one verb. Wrong usage ends the process with status 2, as argparse does."""
    terminal = terminal or standard()
    try:
        return _run(arguments, Desk(terminal, up))
    except HearthError as error:
        terminal.note(f"hearth: {error}")
        return FAILED
    except KeyboardInterrupt:
        terminal.note("")
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has left; nothing more may be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        terminal.note(f"hearth: a fault of Hearth's own ({type(error).__name__}: {error}). {_kept(error)}")
        return FAILED


def _run(arguments: Sequence[str], desk: Desk) -> int:
    options = parser(arguments[0] if arguments else None).parse_args(arguments)
    verb: Verb = options.verb
    status = verb.load()(desk, options)
    desk.terminal.flush()
    return status


def _kept(error: Exception) -> str:
    """Where the traceback was put: a person is not shown one, and a report of the fault needs it."""
    import traceback  # 5 ms that only a fault pays

    try:
        home = find_home()
        home.make()
        path = home.logs / "cli-fault.txt"
        path.write_text("".join(traceback.format_exception(error)), "utf-8")
        return f"The details are in {path}."
    except (HearthError, OSError):
        return "Its details could not be kept."
