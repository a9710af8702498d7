"""What a verb has at hand: the terminal, the home, and the backend when it needs one."""

from collections.abc import Callable
from typing import NamedTuple

from hearth_backend.cli.terminal import Terminal
from hearth_shared.client import BackendClient
from hearth_shared.discovery import read_endpoint
from hearth_shared.paths import Home, find_home


class Up(NamedTuple):
    """How the backend is to run. `port` None takes the one of the settings."""

    headless: bool
    port: int | None
    keep: bool


class Desk:
    """`up` runs the backend in this process and returns its exit status; the program's start gives it."""

    def __init__(self, terminal: Terminal, up: Callable[[Up], int]) -> None:
        self.terminal = terminal
        self.up = up

    @property
    def home(self) -> Home:
        """Raises HomeError when there is no place for one."""
        return find_home()

    def backend(self, *, start: bool = True) -> BackendClient:
        """The backend; with `start` it is started when none runs."""
        if start and read_endpoint(self.home) is None:
            self.terminal.status("Hearth starts…")
        return BackendClient(self.home, "cli", start=start)
