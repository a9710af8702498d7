"""Applies a unified diff to a text. Line numbers are hints; its lines must be there, in one place. Pure."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hearth_shared.errors import BadRequest

_HEADER: Final = re.compile(r"@@(?: -(\d+)(?:,\d+)? \+\d+(?:,\d+)?)? ?@@.*")
_AGAIN: Final = "Read the file again, and give a unified diff with the lines as they are."
MOST_HUNKS: Final = 500


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that are there, and those that shall stand in their place. `at` is where they are said to begin, from 1;
    0 for nowhere in particular."""

    at: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def patched(text: str, patch: str) -> str:
    """The text with the patch applied. Raises BadRequest saying which hunk does not fit."""
    lines = text.split("\n")
    shift = below = 0
    for number, hunk in enumerate(hunks(patch), 1):
        at = _place(lines, hunk, hunk.at - 1 + shift, below, number)
        lines[at : at + len(hunk.before)] = hunk.after
        shift += len(hunk.after) - len(hunk.before)
        below = at + len(hunk.after)
    return "\n".join(lines)


def hunks(patch: str) -> Sequence[Hunk]:
    """The hunks of a diff of one file. Raises BadRequest."""
    found: list[Hunk] = []
    body: list[str] | None = None
    at = 0
    for line in patch.removesuffix("\n").split("\n"):
        if header := _HEADER.fullmatch(line.rstrip("\r")):
            if body is not None:
                found.append(_hunk(at, body))
            at, body = int(header[1] or 0), []
        elif body is not None and line != r"\ No newline at end of file":
            body.append(line)
        elif body is None and line.strip() and not line.startswith(("--- ", "+++ ", "diff ", "index ")):
            raise BadRequest("The patch does not begin with a hunk (@@ -1,3 +1,3 @@).", _AGAIN)
    if body is None:
        raise BadRequest("The patch has no hunk (@@ -1,3 +1,3 @@).", _AGAIN)
    found.append(_hunk(at, body))
    if len(found) > MOST_HUNKS:
        raise BadRequest(f"The patch has more than {MOST_HUNKS} hunks.", "Write the file as a whole.")
    return found


def difference(name: str, before: str, after: str, *, lines: int = 3) -> str:
    """What changes, as a unified diff for a person."""
    return "\n".join(
        difflib.unified_diff(before.split("\n"), after.split("\n"), f"a/{name}", f"b/{name}", lineterm="", n=lines)
    )


def _hunk(at: int, body: Sequence[str]) -> Hunk:
    before: list[str] = []
    after: list[str] = []
    for line in body:
        mark, rest = line[:1], line[1:]
        if mark in (" ", ""):
            before.append(rest)
            after.append(rest)
        elif mark == "-":
            before.append(rest)
        elif mark == "+":
            after.append(rest)
        else:
            raise BadRequest(f"A line of the patch begins with {mark!r}; it must begin with space, + or -.", _AGAIN)
    if before == after:
        raise BadRequest("A hunk of the patch changes nothing.", _AGAIN)
    return Hunk(at, tuple(before), tuple(after))


def _place(lines: Sequence[str], hunk: Hunk, hint: int, below: int, number: int) -> int:
    """Where the hunk's lines are: at the hint, else in the one place behind what is done already."""
    size = len(hunk.before)
    if hunk.at and below <= hint and tuple(lines[hint : hint + size]) == hunk.before and (size or hint <= len(lines)):
        return hint
    if not size:
        if lines == [""]:
            return 0
        raise BadRequest(f"Hunk {number} adds lines without saying between which.", _AGAIN)
    first = hunk.before[0]
    places = [
        at
        for at in range(below, len(lines) - size + 1)
        if lines[at] == first and tuple(lines[at : at + size]) == hunk.before
    ]
    if len(places) == 1:
        return places[0]
    if not places:
        raise BadRequest(f"Hunk {number} does not fit: its lines are not in the file.", _AGAIN)
    raise BadRequest(f"Hunk {number} fits in {len(places)} places.", "Give more of the lines around it.")
