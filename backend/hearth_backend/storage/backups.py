"""Copies of the databases, and how long they stay: those made before a change of the schema, backups, and what a
restored backup replaced."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEPT_S: Final = 90 * 86_400.0
"""What was erased from memory is gone from the last backup this long after that was made."""
SCHEMA_KEPT_S: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Copies:
    """How many there are, and when the last of them goes; None while there is none."""

    count: int
    until: float | None


def copies(database: Path) -> Copies:
    """Those of one database."""
    folder = database.parent / "backups"
    ends = [end for _, end in (*_before_schema(database), *_replaced(folder), *_aged(folder, "backup_*.json", KEPT_S))]
    return Copies(len(ends), max(ends, default=None))


def expire(database: Path, now: float) -> int:
    """Remove those whose time is over, but for backups, which rotate; how many went."""
    gone = 0
    for path, end in (*_before_schema(database), *_replaced(database.parent / "backups")):
        if end <= now:
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                gone += 1
    return gone


def _before_schema(database: Path) -> Iterator[tuple[Path, float]]:
    return _aged(database.parent / "backups", f"{database.stem}-before-schema-*.db", SCHEMA_KEPT_S)


def _replaced(folder: Path) -> Iterator[tuple[Path, float]]:
    return _aged(folder, "replaced/*", KEPT_S)


def _aged(folder: Path, pattern: str, keep_s: float) -> Iterator[tuple[Path, float]]:
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            yield path, path.stat().st_mtime + keep_s
