"""What lies around the cursor, as much as a model can use. Pure.

The cut before the cursor moves in steps: while a person types, its beginning stays, so that a model keeps what it has
read of it.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from hearth_lsp.document import Document, Place

BEFORE, AFTER = 16_000, 4_000
_LINES = 32
_CHARACTERS = 4_000
_BESIDE = 6_000
_MOST_BESIDE = 4
_SURROGATE = re.compile("[\ud800-\udfff]")
_PRIVATE_NAMES = re.compile(
    r"^\.env(\..*)?$|^\.(netrc|pgpass|npmrc|pypirc|git-credentials)$|^id_[a-z0-9]+$|^credentials(\.\w+)?$|^secrets?(\.\w+)?$"
    r"|\.(pem|key|p12|pfx|kdbx|gpg|asc|keystore|jks)$",
    re.IGNORECASE,
)


class Cut(NamedTuple):
    """The text before and after the cursor, its lines ended by LF."""

    before: str
    after: str


class Beside(NamedTuple):
    """Another open file that may help."""

    name: str
    text: str


def around(document: Document, place: Place, before: int = BEFORE, after: int = AFTER) -> Cut:
    """What a model may read on both sides of a place."""
    first = _first_line(document, place, before)
    head = "".join(document.lines[first : place.line]) + document.lines[place.line][: place.column]
    return Cut(clean(_stepped(head, before)), clean(_beginning(_from(document, place, after), after)))


def beside(documents: Iterable[Document], name_of: dict[str, str]) -> list[Beside]:
    """The files last used, each around its beginning, where it says what it offers."""
    found: list[Beside] = []
    for document in documents:
        name = name_of.get(document.uri, document.uri)
        text = clean(_beginning(iter(document.lines), _BESIDE))
        if text.strip() and not is_private(name):
            found.append(Beside(name[-1024:], text))
        if len(found) == _MOST_BESIDE:
            break
    return found


def is_private(name: str) -> bool:
    """Whether a file of this name usually holds secrets: nothing of it is sent unless the person asks about it."""
    return _PRIVATE_NAMES.search(PurePosixPath(name).name) is not None


def clean(text: str) -> str:
    """Text that can be sent: LF at line ends, and nothing that is half a character."""
    return _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def _first_line(document: Document, place: Place, most: int) -> int:
    """The first line of a block of lines, so that at most `most` characters lie between it and `place`."""
    size, first = place.column, place.line
    while first > 0 and size + len(document.lines[first - 1]) <= most:
        first -= 1
        size += len(document.lines[first])
    return first if first == 0 else min(-(-first // _LINES) * _LINES, place.line)


def _stepped(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return text[-(-(len(text) - most) // _CHARACTERS) * _CHARACTERS :]


def _from(document: Document, place: Place, most: int) -> Iterator[str]:
    yield document.lines[place.line][place.column : place.column + most]
    for number in range(place.line + 1, len(document.lines)):
        yield document.lines[number]


def _beginning(lines: Iterator[str], most: int) -> str:
    kept: list[str] = []
    for line in lines:
        if len(line) > most:
            kept += [] if kept else [line[:most]]
            break
        kept.append(line)
        most -= len(line)
    return "".join(kept)
