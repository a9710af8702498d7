import asyncio
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from hearth_backend.storage import driver
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_backend.storage.migrations import Migration
from hearth_shared.errors import NotFound, Overloaded, StorageFault, StorageFull
from support.small_disk import small_disk

pytestmark = pytest.mark.integration
TABLES = """
create table t(id integer primary key, v text not null) strict;
create table child(parent integer references t(id) deferrable initially deferred) strict;
"""
SCHEMA = (Migration(1, "one", TABLES),)
Write = Callable[[Connection], None]


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    database = Database(tmp_path / "a.db", SCHEMA)
    yield database
    await database.close()


def insert(number: int, text: str = "x") -> Write:
    def work(connection: Connection) -> None:
        connection.execute("insert into t values (?, ?)", (number, text))

    return work


def stored(path: Path) -> set[int]:
    """What another program would find."""
    connection = driver.connect(path, read_only=True)
    try:
        assert connection.execute("pragma quick_check").fetchone()[0] == "ok"
        return {row[0] for row in connection.execute("select id from t")}
    finally:
        connection.close()


class Held:
    """Holds the writer inside a transaction until it is let go."""

    def __init__(self, database: Database) -> None:
        self._began = asyncio.Event()
        self._go = threading.Event()
        loop = asyncio.get_running_loop()

        def work(connection: Connection) -> None:
            loop.call_soon_threadsafe(self._began.set)
            self._go.wait()

        self._done = asyncio.create_task(database.write(work))

    async def began(self) -> None:
        await self._began.wait()

    async def let_go(self) -> None:
        self._go.set()
        await self._done


async def test_a_write_is_on_disk_when_it_returns(database: Database) -> None:
    await database.write(insert(1))
    assert stored(database.path) == {1}


async def test_writes_that_come_during_a_commit_share_the_next_one(database: Database) -> None:
    statements: list[str] = []
    await database.write(lambda connection: connection.set_trace_callback(statements.append))
    held = Held(database)
    await held.began()
    writes = [asyncio.create_task(database.write(insert(number))) for number in range(50)]
    await asyncio.sleep(0)
    await held.let_go()
    await asyncio.gather(*writes)
    assert sum(statement == "commit" for statement in statements) == 3  # the tracing's own, the held one's, theirs


async def test_a_patient_write_waits_for_company_while_there_is_much_to_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hearth_backend.storage.database._BUSY_S", 3600)
    company, waited = threading.Event(), list[float]()

    def wait(seconds: float) -> None:
        waited.append(seconds)
        assert company.wait(60)

    monkeypatch.setattr("hearth_backend.storage.database.time", SimpleNamespace(monotonic=time.monotonic, sleep=wait))
    statements: list[str] = []
    await database.write(lambda connection: connection.set_trace_callback(statements.append))
    writes = [asyncio.create_task(database.write(insert(number), patient=number == 1)) for number in (1, 2)]
    await asyncio.sleep(0)
    company.set()
    await asyncio.gather(*writes)
    assert len(waited) == 1
    assert sum(statement == "commit" for statement in statements) == 2  # the tracing's own, and theirs


async def test_a_failing_write_takes_none_with_it(database: Database) -> None:
    held = Held(database)
    await held.began()
    writes = [asyncio.create_task(database.write(insert(number))) for number in (1, 1, 2)]
    await asyncio.sleep(0)
    await held.let_go()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), StorageFault, type(None)]
    assert stored(database.path) == {1, 2}


async def test_a_write_that_raises_leaves_nothing_of_itself(database: Database) -> None:
    def work(connection: Connection) -> None:
        insert(1)(connection)
        raise NotFound("no such thing")

    with pytest.raises(NotFound):
        await database.write(work)
    assert stored(database.path) == set()


async def test_committed_is_called_in_commit_order_before_anybody_resumes(database: Database) -> None:
    seen: list[str] = []

    async def write(name: str) -> None:
        await database.write(lambda _: name, lambda value: seen.append(f"committed {value}"))
        seen.append(f"resumed {name}")

    held = Held(database)
    await held.began()
    writes = [asyncio.create_task(write(name)) for name in "abc"]
    await asyncio.sleep(0)
    await held.let_go()
    await asyncio.gather(*writes)
    assert seen == [f"{what} {name}" for what in ("committed", "resumed") for name in "abc"]


@pytest.mark.logs("hearth_backend.storage.database")
async def test_a_committed_call_that_breaks_harms_nobody_else(database: Database) -> None:
    def broken(_: None) -> None:
        raise RuntimeError("mine")

    await database.write(insert(1), broken)
    await database.write(insert(2))
    assert stored(database.path) == {1, 2}


@pytest.mark.logs("hearth_backend.storage.database")
async def test_a_refused_commit_fails_all_that_was_in_it_and_nothing_after(database: Database) -> None:
    def orphan(connection: Connection) -> None:
        connection.execute("insert into child values (404)")  # noticed by COMMIT alone

    committed: list[None] = []
    held = Held(database)
    await held.began()
    writes = [asyncio.create_task(database.write(work, committed.append)) for work in (insert(1), orphan)]
    await asyncio.sleep(0)
    await held.let_go()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [StorageFault, StorageFault]
    assert committed == []
    await database.write(insert(2))
    assert stored(database.path) == {2}


async def test_nothing_that_a_write_raises_ends_the_writer(database: Database) -> None:
    with pytest.raises(SystemExit):
        await database.write(lambda _: sys.exit(3))
    await database.write(insert(1))
    assert stored(database.path) == {1}


async def test_a_cancelled_caller_does_not_take_its_write_back(database: Database) -> None:
    held = Held(database)
    await held.began()
    write = asyncio.create_task(database.write(insert(1)))
    await asyncio.sleep(0)
    write.cancel()
    await held.let_go()
    await database.write(insert(2))
    assert stored(database.path) == {1, 2}


async def test_too_many_waiting_writes_are_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_backend.storage.database._QUEUE", 2)
    held = Held(database)
    await held.began()
    writes = [asyncio.create_task(database.write(insert(number))) for number in range(3)]
    await asyncio.sleep(0)
    await held.let_go()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), Overloaded]


async def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    await database.write(insert(1))
    held = Held(database)
    await held.began()
    assert [row["id"] for row in await database.fetch("select id from t")] == [1]
    assert database.peek("select v from t where id = ?", (1,)) is not None
    await held.let_go()


async def test_a_peek_sees_what_was_written_a_moment_ago(database: Database) -> None:
    for number in range(20):
        await database.write(insert(number))
        assert database.peek("select 1 from t where id = ?", (number,)) is not None


async def test_reading_connections_change_nothing(database: Database) -> None:
    with pytest.raises(StorageFault):
        await database.fetch("insert into t values (1, 'x')")
    with pytest.raises(StorageFault):
        database.peek("insert into t values (1, 'x')")
    assert stored(database.path) == set()


async def test_a_single_statement_gives_its_rows(database: Database) -> None:
    rows = await database.execute("insert into t(v) values (?) returning id", ("x",))
    assert [row["id"] for row in rows] == [1]


async def test_closing_commits_what_was_accepted(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", SCHEMA)
    writes = [asyncio.create_task(database.write(insert(number))) for number in range(1500)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*writes)
    assert stored(database.path) == set(range(1500))


async def test_closing_waits_for_running_reads(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", SCHEMA)
    await database.write(insert(1))
    began, go = threading.Event(), threading.Event()

    def work(connection: Connection) -> int:
        began.set()
        go.wait()
        return connection.execute("select count(*) from t").fetchone()[0]

    read = asyncio.create_task(database.read(work))
    await asyncio.to_thread(began.wait)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    go.set()
    await closing
    assert await read == 1


async def test_a_closed_database_says_so_and_may_be_closed_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", SCHEMA)
    await database.close()
    with pytest.raises(StorageFault, match="closed"):
        await database.write(insert(1))
    with pytest.raises(StorageFault, match="closed"):
        await database.fetch("select 1")
    with pytest.raises(StorageFault):
        database.peek("select 1")
    await database.close()


async def test_writes_from_two_loops_are_answered_each_on_its_own(database: Database) -> None:
    other = asyncio.to_thread(lambda: asyncio.run(database.write(insert(1))))
    await asyncio.gather(other, database.write(insert(2)))
    assert stored(database.path) == {1, 2}


@pytest.mark.logs("hearth_backend.storage.database")
async def test_a_database_at_its_limit_fails_whole_commits_and_goes_on_when_there_is_room(database: Database) -> None:
    await database.write(insert(0))
    await database.execute("pragma max_page_count=12")
    acknowledged = {0} | await fill(database)
    assert await fill(database, start=5000) == set()
    assert stored(database.path) == acknowledged
    assert len(await database.fetch("select id from t")) == len(acknowledged)
    await database.execute("pragma max_page_count=10000")
    await database.write(insert(9999))
    assert stored(database.path) == acknowledged | {9999}


@pytest.mark.logs("hearth_backend.storage.database")
async def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        database = Database(disk.path / "a.db", SCHEMA)
        acknowledged = await fill(database, at_most=40)
        disk.fill()
        acknowledged |= await fill(database, start=1000)
        assert stored(database.path) == acknowledged
        assert len(await database.fetch("select id from t")) == len(acknowledged)
        disk.free()
        await database.write(insert(9999))
        await database.close()
        assert stored(database.path) == acknowledged | {9999}


async def fill(database: Database, *, start: int = 1, at_most: int = 2000) -> set[int]:
    """Write, several at a time, until the disk is full; what was acknowledged."""
    acknowledged: set[int] = set()
    for first in range(start, start + at_most, 4):
        numbers = range(first, first + 4)
        writes = (database.write(insert(number, "x" * 2000)) for number in numbers)
        results = await asyncio.gather(*writes, return_exceptions=True)
        acknowledged |= {number for number, result in zip(numbers, results, strict=True) if result is None}
        if errors := [result for result in results if result is not None]:
            assert {type(error) for error in errors} == {StorageFull}
            assert len({id(error) for error in errors}) == len(errors)
            break
    return acknowledged


async def test_what_is_done_alone_stands_outside_every_transaction(database: Database) -> None:
    assert not await database.alone(lambda connection: connection.in_transaction)
    await database.alone(lambda connection: connection.execute("vacuum").fetchall())
    with pytest.raises(StorageFault):
        await database.alone(lambda connection: connection.execute("no such thing").fetchall())
    await database.execute("select 1")
