import stat
from pathlib import Path

import pytest

from hearth_backend.storage import driver
from hearth_backend.storage.migrations import Migration, migrate, version
from hearth_shared.errors import NewerDatabase, StorageFault

pytestmark = pytest.mark.integration
ONE = Migration(1, "one", "create table one(a text); insert into one values ('kept');")
TWO = Migration(2, "two", "create table two(a text);")
BROKEN = Migration(2, "broken", "create table two(a text); insert into nowhere values (1);")


def migrated(path: Path, *migrations: Migration) -> int:
    connection = driver.connect(path)
    try:
        migrate(connection, path, migrations)
        return version(connection)
    finally:
        connection.close()


def tables(path: Path) -> set[str]:
    connection = driver.connect(path, read_only=True)
    try:
        return {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
    finally:
        connection.close()


def backups(path: Path) -> list[str]:
    return sorted(file.name for file in (path.parent / "backups").glob("*"))


def test_a_new_database_gets_all_migrations_and_needs_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    assert migrated(path, ONE, TWO) == 2
    assert tables(path) == {"one", "two"}
    assert backups(path) == []


def test_only_what_is_missing_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrated(path, ONE)
    assert migrated(path, ONE, TWO) == 2
    assert migrated(path, ONE, TWO) == 2


def test_a_whole_private_backup_is_made_before_a_migration(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrated(path, ONE)
    migrated(path, ONE, TWO)
    backup = tmp_path / "backups" / "a-before-schema-2.db"
    assert tables(backup) == {"one"}
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(backup.parent.stat().st_mode) == 0o700


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrated(path, ONE)
    with pytest.raises(StorageFault, match="nowhere"):
        migrated(path, ONE, BROKEN)
    assert tables(path) == {"one"}
    assert migrated(path, ONE) == 1


def test_a_database_of_a_newer_hearth_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrated(path, ONE, TWO)
    with pytest.raises(NewerDatabase, match="schema 2, this one knows 1"):
        migrated(path, ONE)
    assert tables(path) == {"one", "two"}


def test_without_a_backup_there_is_no_migration(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrated(path, ONE)
    (tmp_path / "backups").write_text("a file where the folder should be")
    with pytest.raises(StorageFault, match="backup"):
        migrated(path, ONE, TWO)
    assert tables(path) == {"one"}


def test_the_newest_backups_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    steps = [ONE, *(Migration(number, "more", f"create table t{number}(a text);") for number in range(2, 7))]
    for count in range(1, len(steps) + 1):
        migrated(path, *steps[:count])
    assert backups(path) == [f"a-before-schema-{number}.db" for number in (4, 5, 6)]
