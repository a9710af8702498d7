"""Text that a person hands over: words on the command line, standard input, files."""

from collections.abc import Sequence
from pathlib import Path

from hearth_backend.cli.terminal import Terminal
from hearth_shared.errors import BadRequest
from hearth_shared.wire import FileText

_LONGEST = 200_000


def words(terminal: Terminal, given: Sequence[str]) -> str:
    """The words as one text; a lone `-` reads standard input."""
    text = terminal.input.read() if list(given) == ["-"] else " ".join(given)
    if not text.strip():
        raise BadRequest("There is nothing to send.", "Write it after the verb, in quotes.")
    return text.strip()


def files(paths: Sequence[str]) -> list[FileText]:
    """The files' names and texts."""
    return [_file(Path(path)) for path in paths]


def _file(path: Path) -> FileText:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not a text file.", "Give a file of plain text.") from error
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}.", "Check its name.") from error
    if len(text) > _LONGEST:
        raise BadRequest(f"{path} has {len(text):,} characters; {_LONGEST:,} fit.", "Give a part of it.")
    return {"name": str(path), "text": text}
