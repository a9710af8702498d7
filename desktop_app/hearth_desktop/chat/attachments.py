"""Files that a person lays beside a question: read as text, within what a message may hold."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from hearth_shared.errors import BadRequest, TooLarge
from hearth_shared.wire import FileText

MOST_FILES: Final = 64
LONGEST_TEXT: Final = 200_000
_ALL: Final = 900_000
"""A message is at most 1 MiB; the question and JSON's signs need room too."""


def read(path: Path) -> FileText:
    """One file. Raises BadRequest or TooLarge with what can be done."""
    try:
        if path.stat().st_size > 4 * LONGEST_TEXT:
            raise _too_long(path)
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path.name} is not a text file.", "Give a file of plain text.") from error
    except OSError as error:
        raise BadRequest(f"{path.name} cannot be read: {error.strerror}.", "Check its name and its rights.") from error
    if len(text) > LONGEST_TEXT:
        raise _too_long(path)
    return {"name": str(path), "text": text}


def added(held: Sequence[FileText], paths: Iterable[Path]) -> list[FileText]:
    """The files with these beside them; one given twice is read anew. Raises as `read`, and when they are too many."""
    found = {file["name"]: file for file in held}
    for path in paths:
        file = read(path.absolute())
        found[file["name"]] = file
    if len(found) > MOST_FILES:
        raise TooLarge(f"{len(found)} files were chosen; {MOST_FILES} fit.", "Leave some out.")
    if sum(len(file["text"].encode()) for file in found.values()) > _ALL:
        raise TooLarge("These files together are too long for one question.", "Leave some out, or give parts of them.")
    return list(found.values())


def _too_long(path: Path) -> TooLarge:
    return TooLarge(f"{path.name} is longer than the {LONGEST_TEXT:,} characters that fit.", "Give a part of it.")
