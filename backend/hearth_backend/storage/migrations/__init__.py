"""Numbered, forward-only migrations, never edited once released; a backup is made before each."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import NewerDatabase, StorageFault

log = logging.getLogger(__name__)
_KEPT = 3


@dataclass(frozen=True, slots=True)
class Migration:
    """The SQL that takes a database from `number - 1` to `number`."""

    number: int
    name: str
    sql: str


def version(connection: Connection) -> int:
    """The number of the last migration applied."""
    return connection.execute("pragma user_version").fetchone()[0]


def migrate(connection: Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Apply what is missing, each in a transaction of its own."""
    with driver.errors("migrate"):
        first = version(connection)
        newest = migrations[-1].number
        if first > newest:
            raise NewerDatabase(
                f"{path.name} was written by a newer Hearth (schema {first}, this one knows {newest}).",
                "Update Hearth, or restore a backup made by this version.",
            )
        for migration in migrations[first:]:
            if first:  # a database that is being made holds nothing yet
                _backup(connection, path, migration.number)
            _apply(connection, migration)


def _apply(connection: Connection, migration: Migration) -> None:
    log.info("migrating to %s (%s)", migration.number, migration.name)
    try:
        connection.executescript(f"begin immediate;\n{migration.sql}\npragma user_version={migration.number};\ncommit;")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _backup(connection: Connection, path: Path, before: int) -> None:
    """A whole copy beside the database; the newest few are kept."""
    folder = path.parent / "backups"
    target = folder / f"{path.stem}-before-schema-{before}.db"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        target.unlink(missing_ok=True)
        driver.create_private(target)
        connection.execute("vacuum into ?", (str(target),))
    except BaseException as error:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageFault(
                f"No backup of {path.name} could be made: {error.strerror}.", f"Make {folder} writable."
            ) from error
        raise
    _thin(folder, path.stem)


def _thin(folder: Path, stem: str) -> None:
    old = sorted(folder.glob(f"{stem}-before-schema-*.db"), key=lambda file: file.stat().st_mtime)
    for file in old[:-_KEPT]:
        with contextlib.suppress(OSError):
            file.unlink()
