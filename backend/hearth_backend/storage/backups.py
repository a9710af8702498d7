"""Copies of the databases made before a change of the schema: how long they stay."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEPT_S: Final = 30 * 86_400.0
"""What was erased from memory is gone from the last copy this long after it was made."""


@dataclass(frozen=True, slots=True)
class Copies:
    """How many there are, and when the last of them goes; None while there is none."""

    count: int
    until: float | None


def copies(database: Path) -> Copies:
    """Those of one database."""
    ends = [end for _, end in _found(database)]
    return Copies(len(ends), max(ends, default=None))


def expire(database: Path, now: float) -> int:
    """Remove those whose time is over; how many went."""
    gone = 0
    for path, end in _found(database):
        if end <= now:
            with contextlib.suppress(OSError):
                path.unlink()
                gone += 1
    return gone


def _found(database: Path) -> Iterator[tuple[Path, float]]:
    for path in database.parent.joinpath("backups").glob(f"{database.stem}-before-schema-*.db"):
        with contextlib.suppress(OSError):
            yield path, path.stat().st_mtime + KEPT_S
