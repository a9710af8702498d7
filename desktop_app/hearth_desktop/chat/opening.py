"""Where a source leads, so that a person can open it. Pure, but for a look at the file that a source names."""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from hearth_shared.wire import Source

_LINE: Final = re.compile(r":(\d+)$")
_RUNS: Final = frozenset({".desktop", ".sh", ".exe", ".bat", ".cmd", ".ps1", ".app", ".jar", ".appimage", ".lnk"})


class Page(NamedTuple):
    """A page for the browser."""

    url: str


class File(NamedTuple):
    """A file for the program that the system has for it."""

    path: str


class Folder(NamedTuple):
    """A folder: opening the file itself would run it."""

    path: str


class Thread(NamedTuple):
    """The thread in which something was said, by the run that answered."""

    run_id: str


class Text(NamedTuple):
    """Nothing to open: its text is shown."""

    reason: str


Target = Page | File | Folder | Thread | Text


def target(source: Source) -> Target:
    """What opening it means."""
    location = source["location"]
    if is_page(source["url"]):
        return Page(source["url"])
    match source["kind"]:
        case "page":
            return Page(location) if is_page(location) else Text("Its address is not one that a browser may open.")
        case "file":
            return _file(location or source["id"])
        case "memory":
            return _memory(location)
        case _:
            return Text("")


def is_page(location: str) -> bool:
    """Whether it is an address for the browser."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _memory(location: str) -> Target:
    external_id = location.partition("/")[2]
    return Thread(external_id) if external_id.startswith("run_") else Text("")


def _file(location: str) -> Target:
    path = Path(_LINE.sub("", location))
    if not path.is_absolute():
        return Text("It was handed over without the folder it is in.")
    if not path.is_file():
        return Text("The file is not there any more.")
    if path.suffix.lower() in _RUNS or os.access(path, os.X_OK):
        return Folder(str(path.parent))
    return File(str(path))
