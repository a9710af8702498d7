"""The one place that chooses SQLite's driver and turns its exceptions into ours.

sqlcipher3's wheels carry a newer SQLite than most systems (3.51.3 fixed a WAL-reset corruption); where there
is no wheel, the standard library's driver serves and `hearth doctor` says which version that is.
"""

import contextlib
import importlib
import os
import sqlite3
from collections.abc import Generator
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Any, Final

from hearth_shared.errors import StorageFault, StorageFull

__all__ = [
    "DRIVER",
    "SAFE_VERSION",
    "SQLITE_VERSION",
    "Connection",
    "Row",
    "connect",
    "copy",
    "create_private",
    "errors",
    "in_memory",
    "is_driver_error",
    "translated",
]


def _choose() -> Any:
    """sqlcipher3 has no types; its classes behave as the standard library's, whose names the types borrow."""
    try:
        return importlib.import_module("sqlcipher3.dbapi2")
    except ImportError:
        return sqlite3


def _with_adapters(driver: Any) -> Any:
    """The driver looks for an adapter of all that is no number or text; where there is none, finding that out costs a
    microsecond for each value: more than all else about storing a row with some NULLs."""
    for kind, same in ((type(None), dict[None, None]().get), (bool, int), (bytes, bytes)):
        driver.register_adapter(kind, same)
    return driver


_driver: Final[Any] = _with_adapters(_choose())
DRIVER: Final[str] = _driver.__name__.split(".")[0]
SQLITE_VERSION: Final[tuple[int, int, int]] = tuple(_driver.sqlite_version_info)
SAFE_VERSION: Final = (3, 51, 3)
# sqlcipher3's exceptions are not subclasses of sqlite3's.
_Error: Final[tuple[type[Exception], ...]] = (_driver.Error, sqlite3.Error)
_BUSY: Final = (5, 6)
_FULL: Final = 13
_SHM_SIZE: Final = 10 | 19 << 8  # SQLITE_IOERR_SHMSIZE: there was no room for the WAL's index


def connect(path: Path, *, read_only: bool = False, synchronous: str = "FULL") -> Connection:
    """Open `path` in WAL mode, readable by its owner alone; rows come as mappings.

    A read-only connection cannot change anything, and does not create the file.
    """
    with errors(f"open {path.name}"):
        if not read_only:
            create_private(path)
        mode = "ro" if read_only else "rw"
        connection: Connection = _driver.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = _driver.Row
            for pragma in _pragmas(read_only, synchronous):
                connection.execute(f"pragma {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection


def copy(path: Path, target: Path) -> None:
    """A whole copy of a database as it is now, while others read and write it; nobody waits for it."""
    with contextlib.closing(connect(path, read_only=True)) as source, errors(f"copy {path.name}"):
        create_private(target)
        with contextlib.closing(_driver.connect(str(target), isolation_level=None)) as copied:
            source.backup(copied)


def in_memory() -> Connection:
    """A database of its own that is never written to disk, for one thread at a time."""
    with errors("open a database in memory"):
        connection: Connection = _driver.connect(":memory:", isolation_level=None, check_same_thread=False)
        return connection


def _pragmas(read_only: bool, synchronous: str) -> tuple[str, ...]:
    common = ("busy_timeout=5000", "foreign_keys=on")
    return (*common, "query_only=on") if read_only else (*common, "journal_mode=wal", f"synchronous={synchronous}")


def create_private(path: Path) -> None:
    """An empty file for its owner alone, if there is none; SQLite gives the files beside it the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StorageFault(
            f"The database {path} cannot be written: {error.strerror}.",
            "Make the folder writable, or set HEARTH_HOME to a folder of your own.",
        ) from error


@contextlib.contextmanager
def errors(doing: str) -> Generator[None]:
    """Translate the driver's exceptions at the border."""
    try:
        yield
    except _Error as error:
        raise translated(error, doing) from error


def is_driver_error(error: BaseException) -> bool:
    """Whether `error` comes from SQLite's driver."""
    return isinstance(error, _Error)


def translated(error: BaseException, doing: str) -> StorageFault:
    """Our error for one of the driver's."""
    code: int = getattr(error, "sqlite_errorcode", None) or 0
    if code & 0xFF == _FULL or code == _SHM_SIZE:
        return StorageFull(
            "The disk is full, so nothing new can be stored.",
            "Free some space; Hearth goes on by itself. What it had acknowledged is safe.",
        )
    if code & 0xFF in _BUSY:
        return StorageFault(f"The database could not {doing}: another program holds it.", "Close that program.")
    return StorageFault(f"The database could not {doing}: {error}.", "Run `hearth doctor`.")
