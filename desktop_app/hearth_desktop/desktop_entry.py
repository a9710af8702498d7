"""Hearth at login and in the menu of applications: two files that desktops read, there or not there."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from hearth_shared.errors import HomeError

APP_ID: Final = "dev.hearth.Desktop"
_QUOTED: Final = '"`$\\'
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:@%+,")


class Places(NamedTuple):
    """Where this person's desktop looks."""

    autostart: Path
    applications: Path
    icons: Path


def places(environ: Mapping[str, str], user: Path) -> Places:
    """As the base directory specification says."""
    config = _base(environ.get("XDG_CONFIG_HOME", ""), user / ".config")
    data = _base(environ.get("XDG_DATA_HOME", ""), user / ".local" / "share")
    icons = data / "icons" / "hicolor" / "scalable" / "apps"
    name = f"{APP_ID}.desktop"
    return Places(config / "autostart" / name, data / "applications" / name, icons / f"{APP_ID}.svg")


def command(environ: Mapping[str, str]) -> list[str]:
    """What starts this very Hearth; a home of its own goes with it."""
    start = [sys.executable, "-I", "-m", "hearth_desktop"]
    home = environ.get("HEARTH_HOME")
    return ["env", f"HEARTH_HOME={home}", *start] if home else start


def autostart(start: Sequence[str]) -> str:
    """The file that starts it at login, with its icon alone."""
    return _entry(start, ["--background"], "X-GNOME-Autostart-enabled=true\n")


def application(start: Sequence[str]) -> str:
    """The file that shows it among the applications."""
    return _entry(start, [], "Categories=Utility;\nActions=ask;inbox;\n") + _actions(start)


def write(path: Path, text: str) -> None:
    """There from now on. Raises HomeError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, "utf-8")
        draft.replace(path)
    except OSError as error:
        raise HomeError(f"{path} cannot be written: {error.strerror}.", "Make its folder writable.") from error


def remove(path: Path) -> None:
    """Not there any more. Raises HomeError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise HomeError(f"{path} cannot be removed: {error.strerror}.", "Make its folder writable.") from error


def quoted(word: str) -> str:
    """A word of `Exec` as the desktop entry specification wants it."""
    word = word.replace("%", "%%")
    if word and set(word) <= _PLAIN:
        return word
    inner = "".join(f"\\{character}" if character in _QUOTED else character for character in word)
    return '"' + inner.replace("\\", "\\\\") + '"'  # once more for the value of a key


def _entry(start: Sequence[str], extra: Sequence[str], more: str) -> str:
    return (
        "[Desktop Entry]\nType=Application\nName=Hearth\nComment=The local agent that lives beside your work\n"
        f"Exec={_exec(start, extra)}\nIcon={APP_ID}\nTerminal=false\nStartupNotify=false\n{more}"
    )


def _actions(start: Sequence[str]) -> str:
    verbs = (("ask", "Ask…"), ("inbox", "Inbox"))
    return "".join(f"\n[Desktop Action {do}]\nName={name}\nExec={_exec(start, [do])}\n" for do, name in verbs)


def _exec(start: Sequence[str], extra: Sequence[str]) -> str:
    return " ".join(quoted(word) for word in (*start, *extra))


def _base(chosen: str, usual: Path) -> Path:
    return Path(chosen) if chosen.startswith("/") else usual
