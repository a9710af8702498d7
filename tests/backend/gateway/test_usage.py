from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from hearth_backend.gateway.usage import UsageLog
from hearth_backend.observe.metrics import Metrics
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.telemetry import MIGRATIONS
from hearth_shared.protocol.status import UsageBy, UsageRow

pytestmark = pytest.mark.integration


def row(
    n: int = 0, *, model: str = "m", run_id: str | None = None, cost: float | None = 0.0, ok: bool = True
) -> UsageRow:
    return UsageRow(
        at=100.0 + n,
        request_id=f"req_{n}",
        run_id=run_id,
        door="cli",
        role="chat",
        model=model,
        provider="p",
        where="cloud",
        input_tokens=10,
        output_tokens=5,
        cost=cost,
        ms=12.5,
        first_ms=3.5,
        ok=ok,
        error="" if ok else "model_failed",
    )


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    database = Database(tmp_path / "telemetry.db", MIGRATIONS, synchronous="NORMAL")
    yield database
    await database.close()


@pytest.fixture
def usage(database: Database) -> UsageLog:
    return UsageLog(database, Metrics())


async def test_rows_come_back_newest_first_as_they_were(usage: UsageLog) -> None:
    rows = [row(0), row(1, ok=False), row(2, cost=None)]
    for each in rows:
        usage.record(each)
    assert (await usage.list()).rows == rows[::-1]


async def test_a_list_is_as_long_as_asked(usage: UsageLog) -> None:
    for n in range(5):
        usage.record(row(n))
    assert [each.request_id for each in (await usage.list(limit=2)).rows] == ["req_4", "req_3"]


async def test_the_calls_of_one_run_can_be_asked_for(usage: UsageLog) -> None:
    usage.record(row(0, run_id="a"))
    usage.record(row(1, run_id="b"))
    found = await usage.list(run_id="a")
    assert [each.run_id for each in found.rows] == ["a"]
    assert [total["calls"] for total in found.totals] == [1]


async def test_totals_tell_what_each_model_took(usage: UsageLog) -> None:
    for each in (row(0, cost=0.5), row(1, cost=None, ok=False), row(2, model="n", cost=None)):
        usage.record(each)
    one, other = (await usage.list()).totals
    assert one == {
        "model": "m",
        "provider": "p",
        "where": "cloud",
        "calls": 2,
        "failed": 1,
        "input_tokens": 20,
        "output_tokens": 10,
        "cost": 0.5,
        "calls_without_price": 1,
    }
    assert (other["model"], other["cost"]) == ("n", None)


@pytest.mark.parametrize("by", ["thread", "agent", "door", "day"])
async def test_totals_are_told_by_what_one_asks_for(usage: UsageLog, by: UsageBy) -> None:
    day = 86_400.0
    for n, cost in enumerate((0.5, None, 0.25)):
        each = row(n, cost=cost).model_copy(
            update={"at": day * 20 + n, "thread_id": "thr_a", "agent": "writer", "door": "cli"}
        )
        usage.record(each)
    usage.record(row(9, cost=None).model_copy(update={"at": day * 30, "door": "http"}))
    told = {total[by]: (total["calls"], total["cost"]) for total in (await usage.list(by=by)).totals}
    there = {"thread": "thr_a", "agent": "writer", "door": "cli", "day": date.fromtimestamp(day * 20).isoformat()}
    assert told.pop(there[by]) == (3, 0.75)
    assert [*told.values()] == [(1, None)]  # a cost that is not known is not nothing


async def test_old_rows_are_forgotten(usage: UsageLog) -> None:
    for n in range(3):
        usage.record(row(n))
    await usage.flushed()
    await usage.prune(before=102)
    assert [each.at for each in (await usage.list()).rows] == [102]


async def test_rows_recorded_before_the_end_are_stored(database: Database, usage: UsageLog) -> None:
    usage.record(row())
    await usage.close()
    assert len(await database.fetch("select 1 from usage")) == 1


@pytest.mark.logs("hearth_backend.gateway.usage", "stamina")
async def test_rows_that_cannot_be_stored_disturb_nobody(database: Database, usage: UsageLog) -> None:
    await database.close()
    usage.record(row())
    await usage.close()
