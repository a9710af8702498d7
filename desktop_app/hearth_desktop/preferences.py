"""What the person chose for this app alone; kept in `desktop.json` in Hearth's home."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple, cast

from PySide6.QtCore import QObject, Signal

from hearth_shared.errors import HomeError
from hearth_shared.paths import Home
from hearth_shared.theme import Scheme


class Choices(NamedTuple):
    """All of them, with what holds before anything was chosen."""

    close_to_tray: bool = True
    local_only: bool = False
    guide_seen: bool = False
    scheme: str = ""
    """A Scheme of the person's own; empty follows the system."""
    passed: tuple[str, ...] = ()
    """Steps of the guide that were taken, or had been before Hearth came."""


class Preferences(QObject):
    """The choices, stored as they are made."""

    changed = Signal()

    def __init__(self, home: Home, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = home.root / "desktop.json"
        self._choices = read(self._path)

    @property
    def choices(self) -> Choices:
        """As they are now."""
        return self._choices

    def choose(self, choices: Choices) -> None:
        """Keep them. Raises HomeError when they hold, but cannot be stored."""
        if choices == self._choices:
            return
        self._choices = choices
        self.changed.emit()
        write(self._path, choices)


def read(path: Path) -> Choices:
    """What is stored; a file that cannot be used counts as none, because nothing in it is worth a failed start."""
    try:
        said: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return Choices()
    return parse(said)


def parse(said: Any) -> Choices:
    """The fields that are there and of the right kind."""
    if not isinstance(said, dict):
        return Choices()
    fields = cast("dict[str, Any]", said)
    switches = {name: fields[name] for name in _SWITCHES if isinstance(fields.get(name), bool)}
    scheme: Any = fields.get("scheme")
    passed: Any = fields.get("passed")
    steps = cast("list[Any]", passed) if isinstance(passed, list) else []
    chosen = scheme if isinstance(scheme, str) and scheme in _SCHEMES else ""
    return Choices(**switches, scheme=chosen, passed=tuple(step for step in steps if isinstance(step, str)))


def write(path: Path, choices: Choices) -> None:
    """Whole or not at all. Raises HomeError."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(choices._asdict(), file)
        draft.replace(path)
    except OSError as error:
        raise HomeError(
            f"Your choice holds until Hearth ends, but cannot be kept: {error.strerror}.", f"Make {path} writable."
        ) from error


_SCHEMES = frozenset(Scheme)
_SWITCHES = ("close_to_tray", "local_only", "guide_seen")
