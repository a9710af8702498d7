"""SQLite is made to write and read; damage and a clock gone back are found."""

import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_backend.observe.checks import database as checks
from hearth_backend.storage import driver
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.errors import StorageFull

pytestmark = pytest.mark.integration


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "hearth.db", MIGRATIONS)
    yield opened
    await opened.close()


async def test_the_driver_in_use_writes_and_reads(tmp_path: Path) -> None:
    check = await checks.driver(driver.DRIVER, driver.SQLITE_VERSION, (3, 0, 0), driver.connect, tmp_path)
    assert check.state == "ok"
    assert driver.DRIVER in check.detail
    assert not list(tmp_path.iterdir())


async def test_an_old_sqlite_is_a_warning_that_names_the_safe_version(tmp_path: Path) -> None:
    check = await checks.driver("sqlite3", (3, 40, 1), driver.SAFE_VERSION, driver.connect, tmp_path)
    assert check.state == "warn"
    assert "3.40.1" in check.detail
    assert "3.51.3" in check.detail


async def test_a_database_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    def full(path: Path) -> sqlite3.Connection:
        raise StorageFull("The disk is full.", "Free some space.")

    check = await checks.driver("sqlite3", (3, 53, 4), driver.SAFE_VERSION, full, tmp_path)
    assert check.state == "fault"
    assert "The disk is full." in check.detail


async def test_a_database_that_forgets_is_a_fault(tmp_path: Path) -> None:
    first_words = iter(("select 1", "create table probe(text text)"))

    def forgetful(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.execute(next(first_words))
        return connection

    check = await checks.driver("sqlite3", (3, 53, 4), driver.SAFE_VERSION, forgetful, tmp_path)
    assert check.state == "fault"
    assert "did not give back" in check.detail


async def test_a_driver_that_breaks_is_a_fault(tmp_path: Path) -> None:
    def broken(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.close()
        return connection

    check = await checks.driver("sqlite3", (3, 53, 4), driver.SAFE_VERSION, broken, tmp_path)
    assert check.state == "fault"
    assert "closed database" in check.detail


async def test_a_sound_file_is_ok(database: Database) -> None:
    check = await checks.integrity("hearth.db", database)
    assert (check.name, check.state) == ("integrity of hearth.db", "ok")


async def test_a_damaged_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "hearth.db"
    first = Database(path, MIGRATIONS)
    await first.execute("create table big(text text)")
    await first.execute("insert into big select hex(randomblob(500)) from json_each(json_array(1,2,3,4,5,6,7,8))")
    row = await first.read(lambda c: c.execute("select rootpage from sqlite_schema where name = 'big'").fetchone())
    size = await first.read(lambda c: c.execute("pragma page_size").fetchone()[0])
    await first.close()
    content, at = bytearray(path.read_bytes()), (row[0] - 1) * size
    content[at + 16 : at + size] = b"\xff" * (size - 16)
    path.write_bytes(content)
    damaged = Database(path, MIGRATIONS)
    try:
        check = await checks.integrity("hearth.db", damaged)
    finally:
        await damaged.close()
    assert check.state == "fault"
    assert "backups" in check.fix


async def test_an_empty_database_has_a_sane_clock(database: Database) -> None:
    assert (await checks.clock(database)).state == "ok"


async def test_a_clock_before_the_newest_row_is_a_fault(database: Database) -> None:
    later = time.time() + 7200
    await database.execute(
        "insert into event(at, type, owner, door, data) values (?, 'x', 'person', 'cli', '{}')", (later,)
    )
    check = await checks.clock(database)
    assert check.state == "fault"
    assert "2.0 h" in check.detail


async def test_a_clock_after_it_is_ok(database: Database) -> None:
    await database.execute("insert into event(at, type, owner, door, data) values (5, 'x', 'person', 'cli', '{}')")
    assert (await checks.clock(database, now=lambda: 6)).state == "ok"
