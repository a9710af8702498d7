"""The one place that chooses SQLite's driver and turns its exceptions into ours.

sqlcipher3's wheels carry a newer SQLite than most systems (3.51.3 fixed a WAL-reset corruption); where there
is no wheel, the standard library's driver serves and `hearth doctor` says which version that is.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hearth_shared.errors import StorageFault, StorageFull

if TYPE_CHECKING:
    from sqlite3 import Connection, Row

    driver: Any
else:
    from sqlite3 import Connection, Row

    try:
        from sqlcipher3 import dbapi2 as driver
    except ImportError:
        driver = sqlite3

__all__ = [
    "DRIVER",
    "SAFE_VERSION",
    "SQLITE_VERSION",
    "Connection",
    "Row",
    "connect",
    "errors",
    "is_driver_error",
    "translated",
]

DRIVER: Final[str] = driver.__name__.split(".")[0]
SQLITE_VERSION: Final[tuple[int, int, int]] = tuple(driver.sqlite_version_info)
SAFE_VERSION: Final = (3, 51, 3)
# sqlcipher3's exceptions are not subclasses of sqlite3's.
_Error: Final[tuple[type[Exception], ...]] = (driver.Error, sqlite3.Error)
_FULL: Final = 13


def connect(path: Path, *, read_only: bool = False, synchronous: str = "FULL") -> "Connection":
    """Open `path` in WAL mode; rows come as mappings. A read-only connection cannot change anything."""
    mode = "ro" if read_only else "rwc"
    with errors(f"open {path.name}"):
        connection = driver.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = driver.Row
        connection.execute("pragma busy_timeout=5000")
        connection.execute("pragma foreign_keys=on")
        if read_only:
            connection.execute("pragma query_only=on")
        else:
            connection.execute("pragma journal_mode=wal")
            connection.execute(f"pragma synchronous={synchronous}")
        return connection


@contextlib.contextmanager
def errors(doing: str) -> Iterator[None]:
    """Translate the driver's exceptions at the border."""
    try:
        yield
    except _Error as error:
        raise translated(error, doing) from error


def is_driver_error(error: BaseException) -> bool:
    """Whether `error` comes from SQLite's driver."""
    return isinstance(error, _Error)


def translated(error: Exception, doing: str) -> StorageFault:
    """Our error for one of the driver's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == _FULL or "disk is full" in str(error):
        return StorageFull(
            "The disk is full, so nothing new can be stored.",
            "Free some space; Hearth goes on by itself. What it had acknowledged is safe.",
        )
    return StorageFault(f"The database could not {doing}: {error}.", "Run `hearth doctor`.")
