"""`hearth-tray`: the tray of this home, or a word to the one that is there already."""

import os
import sys
from collections.abc import Sequence

from hearth_desktop.start import binding, commands, screen, seat
from hearth_shared.errors import BadRequest, HearthError
from hearth_shared.paths import find_home

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main() -> None:
    """Run and exit with the status: 0 done, 1 failed and said why, 2 wrong usage."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """As the words of a command line ask."""
    try:
        arguments = commands.from_arguments(words)
    except BadRequest as error:
        return _fail(str(error), WRONG_USAGE)
    if arguments.help:
        sys.stdout.write(commands.USAGE)
        return DONE
    try:
        return _be_or_tell(arguments.command)
    except HearthError as error:
        return _fail(str(error))


def _be_or_tell(command: commands.Command | None) -> int:
    home = find_home()
    own = seat.take(home)
    if own is None:
        if command is not None:
            seat.forward(home, command)
        return DONE
    with own:
        if command is not None and command.do == "quit":
            return DONE  # there is none to end
        if said := _cannot_show():
            return _fail(said)
        from hearth_desktop.app import run_app  # Qt costs 0.1 s, which a word to a running tray must not pay

        return run_app(home, own, command)


def _cannot_show() -> str:
    if said := screen.fault(os.environ):
        return said
    try:
        import PySide6  # the package alone: Qt itself is not loaded by it
    except ImportError as error:
        return binding.missing(str(error))
    return binding.fault(PySide6.__version__, sys.version_info[:2])


def _fail(said: str, status: int = FAILED) -> int:
    sys.stderr.write(f"hearth-tray: {said}\n")
    return status


if __name__ == "__main__":
    main()
