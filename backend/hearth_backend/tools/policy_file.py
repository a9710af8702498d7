"""policy.toml, read again whenever it was changed."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hearth_backend.tools.policy import Policy, parsed

log = logging.getLogger(__name__)
_LARGEST: Final = 1_048_576
Told = Callable[[Policy], None]


class PolicyFile:
    """The policy as it stands in the file now; `told` hears of every new reading."""

    def __init__(self, path: Path, told: Told = lambda _: None) -> None:
        self._path = path
        self._told = told
        self._seen: tuple[int, int, int] | None = None
        self._policy = Policy()

    def current(self) -> Policy:
        """Costs a look at the file's time and size."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        except FileNotFoundError:
            seen = (0, 0, 0)
        except OSError as error:
            seen = (0, -1, error.errno or 0)
        if seen != self._seen:
            self._seen = seen
            self._policy = self._read(seen[1])
            self._told(self._policy)
        return self._policy

    def _read(self, size: int) -> Policy:
        if size == 0:
            return Policy()
        if size > _LARGEST:
            return Policy(problem=f"policy.toml is larger than {_LARGEST} bytes")
        try:
            return parsed(self._path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            return Policy(problem=f"policy.toml cannot be read ({error})")
