"""Batches go out when there is something to send, and a store that fails is said once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import pytest

from hearth_backend.observe.span_log import SpanLog
from hearth_backend.observe.spans import Span
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.telemetry import MIGRATIONS
from hearth_shared.errors import StorageFull

pytestmark = pytest.mark.integration
LOGGER = "hearth_backend.observe.span_log"
T = TypeVar("T")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "telemetry.db", MIGRATIONS)
    yield opened
    await opened.close()


class FullDisk:
    """Refuses as a full disk does, until there is room."""

    def __init__(self) -> None:
        self.room = False

    async def write(self, work: Callable[[Connection], T]) -> T:
        if not self.room:
            raise StorageFull("The disk is full.", "Free some space.")
        return None  # type: ignore[return-value]


class Telling:
    """The database, saying when something was written."""

    def __init__(self, database: Database, arrived: asyncio.Event) -> None:
        self._database = database
        self._arrived = arrived

    async def write(self, work: Callable[[Connection], T]) -> T:
        written = await self._database.write(work)
        self._arrived.set()
        return written


class Shelf:
    """A collector that remembers what it was sent."""

    def __init__(self, takes: bool = True) -> None:
        self.takes = takes
        self.names: list[str] = []
        self.closed = False

    def export(self, spans: Sequence[Span]) -> bool:
        self.names += [span.name for span in spans]
        return self.takes

    def close(self) -> None:
        self.closed = True


def work(log: SpanLog, name: str = "http") -> None:
    with Span(log.add, name, "a" * 32, None, {}):
        pass


async def count(database: Database) -> int:
    return (await database.fetch("select count(*) from span"))[0][0]


async def test_a_span_reaches_the_table_by_itself(database: Database) -> None:
    arrived = asyncio.Event()
    log = SpanLog(Telling(database, arrived))
    work(log)
    await arrived.wait()
    assert await count(database) == 1
    await log.close()


async def test_no_timer_runs_while_nothing_waits(database: Database) -> None:
    loop = asyncio.get_running_loop()
    before = len(loop._scheduled)  # type: ignore[attr-defined]
    log = SpanLog(database)
    work(log)
    assert len(loop._scheduled) == before + 1  # type: ignore[attr-defined]
    await log.flush()
    assert not [handle for handle in loop._scheduled if not handle.cancelled()][before:]  # type: ignore[attr-defined]


async def test_closing_writes_what_waits_and_lets_the_collector_go(database: Database) -> None:
    shelf = Shelf()
    log = SpanLog(database, shelf)
    work(log, "one")
    work(log, "two")
    await log.close()
    assert await count(database) == 2
    assert shelf.names == ["one", "two"]
    assert shelf.closed


async def test_spans_older_than_the_days_kept_go(database: Database) -> None:
    log = SpanLog(database, keep_days=1, clock=lambda: 4e9)
    work(log)
    await log.close()
    assert await count(database) == 0


async def test_a_span_that_ends_in_a_thread_goes_with_the_next_batch(database: Database) -> None:
    log = SpanLog(database)
    await asyncio.to_thread(work, log)
    await log.close()
    assert await count(database) == 1


@pytest.mark.logs(LOGGER)
async def test_a_full_disk_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    disk = FullDisk()
    log = SpanLog(disk)
    for disk.room in (False, False, True):
        work(log)
        await log.flush()
    said = [record.getMessage() for record in caplog.records]
    assert said == ["the span table: The disk is full. Free some space.", "the span table works again"]


@pytest.mark.logs(LOGGER)
async def test_a_collector_that_refuses_is_said_once_and_spans_stay_here(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    log = SpanLog(database, Shelf(takes=False))
    for _ in range(2):
        work(log)
        await log.flush()
    assert len(caplog.records) == 1
    assert await count(database) == 2


def test_without_a_database_or_collector_nothing_waits() -> None:
    log = SpanLog(None)
    work(log)
    asyncio.run(log.close())
