"""Taking what was deleted out of the database's files. SQLite alone leaves it in the write-ahead log until that is
written over, and in parts of pages from which rows were moved away."""

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hearth_backend.storage.driver import Connection

_MOST_NEEDLES: Final = 48


def checkpoint(connection: Connection) -> bool:
    """Empty the write-ahead log; False while a reader still needs it. Not inside a transaction."""
    return connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0


def rewrite(connection: Connection) -> None:
    """Write every page anew, with nothing in it but what is kept. Not inside a transaction."""
    connection.execute("vacuum")


def holds(path: Path, needles: Sequence[bytes]) -> bool:
    """Whether the file holds one of these; of too many to look for, it is taken for granted."""
    if len(needles) > _MOST_NEEDLES:
        return True
    with open(path, "rb") as file:
        if file.seek(0, 2) == 0:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(needle) >= 0 for needle in needles)
