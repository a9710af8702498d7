"""Files written whole or not at all, and what the system says against it, for people."""

import contextlib
import errno
import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

from hearth_shared.errors import StorageFault, StorageFull

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def written(folder: Path) -> Generator[None]:
    """Translate what the system says against writing there."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(
                f"The disk of {folder} is full, so nothing was written there.", "Free some space, and try again."
            ) from error
        raise StorageFault(
            f"{folder} cannot be written: {error.strerror or error}.", "Make it writable, and try again."
        ) from error


def write_whole(path: Path, data: bytes) -> None:
    """On disk when it returns, with all its bytes or as it was before; for its owner alone."""
    draft = path.with_name(f".{path.name}.new")
    with written(path.parent):
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        settle(path.parent)


def settle(path: Path) -> None:
    """Returns when a file's bytes are on disk; of a folder, what was made, moved and removed in it."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
