"""Content lines as vCard (RFC 6350) and iCalendar (RFC 5545) write them: folded, with parameters and escapes. Pure."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_FOLD: Final = re.compile(r"\r?\n[ \t]")
_SOFT: Final = re.compile(r"=\r?\n")  # vCard 2.1 breaks quoted-printable lines so
_LINE: Final = re.compile(r"^(?:[\w-]+\.)?(?P<name>[\w-]+)(?P<parameters>(?:;(?:[^\":;]|\"[^\"]*\")*)*):(?P<value>.*)$")
_ESCAPE: Final = re.compile(r"\\(.)")


class Line(NamedTuple):
    """`name` in upper case; the value as it stands, with its escapes."""

    name: str
    parameters: str
    value: str


def components(text: str, kind: str) -> Iterator[list[Line]]:
    """The lines of each component of a kind, such as VCARD or VEVENT, without those of components inside it."""
    inside: list[str] = []
    lines: list[Line] = []
    for line in _lines(text):
        if line.name == "BEGIN":
            inside.append(line.value.strip().upper())
            lines = [] if inside[-1] == kind else lines
        elif line.name == "END" and inside:
            if inside.pop() == kind:
                yield lines
                lines = []
        elif inside and inside[-1] == kind:
            lines.append(line)


def parts(value: str, sign: str = ";") -> list[str]:
    """A structured value's parts, unescaped."""
    found, current, escaped = list[str](), "", False
    for letter in value:
        if escaped or letter == "\\":
            current += letter
            escaped = not escaped and letter == "\\"
        elif letter == sign:
            found.append(current)
            current = ""
        else:
            current += letter
    return [plain(part) for part in (*found, current)]


def plain(value: str) -> str:
    """A text value without its escapes, on one line."""
    told = _ESCAPE.sub(lambda found: " " if found[1] in "nN" else found[1], value)
    return " ".join(told.split())


def _lines(text: str) -> Iterator[Line]:
    for raw in _FOLD.sub("", _SOFT.sub("", text)).splitlines():
        found = _LINE.match(raw)
        if found is not None:
            yield Line(found["name"].upper(), found["parameters"].upper(), found["value"])
