"""The gateway's SQL: usage rows in telemetry.db."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.protocol.status import Usage, UsageBy, UsageRow

_COLUMNS = (
    "at, request_id, run_id, door, client, role, model, provider, place, input_tokens, output_tokens, cost, ms, "
    "first_ms, ok, error, thread_id, agent, instead_of, because"
)
_FIELDS = tuple("where" if column == "place" else column for column in _COLUMNS.split(", "))
_TOTALS = (
    "count(*), sum(1 - ok), sum(input_tokens), sum(output_tokens), "
    "sum(cost), sum(cost is null)"  # sum() of nothing but nulls is null: no price is known
)
_TOTAL_FIELDS = ("calls", "failed", "input_tokens", "output_tokens", "cost", "calls_without_price")
_GROUPS: Mapping[UsageBy, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "model": ("model, provider, place", ("model", "provider", "where")),
        "thread": ("thread_id", ("thread",)),
        "agent": ("agent", ("agent",)),
        "door": ("door", ("door",)),
        "day": ("date(at, 'unixepoch', 'localtime')", ("day",)),
    }
)


async def add_usage(database: Database, rows: Sequence[UsageRow]) -> None:
    """Store rows together."""
    values = [[getattr(row, field) for field in _FIELDS] for row in rows]

    def insert(connection: Connection) -> None:
        connection.executemany(f"insert into usage({_COLUMNS}) values ({', '.join('?' * len(_FIELDS))})", values)

    await database.write(insert)


async def usage(database: Database, limit: int, run_id: str | None, by: UsageBy) -> Usage:
    """The newest rows, and totals, of all or of one run: days in their order, everything else the most asked first."""
    chosen, args = ("where run_id = ?", [run_id]) if run_id else ("", [])
    columns, names = _GROUPS[by]
    order = columns if by == "day" else "count(*) desc"

    def read(connection: Connection) -> Usage:
        rows = connection.execute(
            f"select {_COLUMNS} from usage {chosen} order by id desc limit ?", [*args, limit]
        ).fetchall()
        totals = connection.execute(
            f"select {columns}, {_TOTALS} from usage {chosen} group by {columns} order by {order}", args
        ).fetchall()
        return Usage(
            rows=[UsageRow.model_validate(_named(_FIELDS, row)) for row in rows],
            totals=[_named((*names, *_TOTAL_FIELDS), row) for row in totals],
        )

    return await database.read(read)


async def spent(database: Database, since: float) -> list[tuple[str, str, float]]:
    """What each agent's calls cost on each day from a time on, as far as it is known: (day, agent, US dollars)."""
    rows = await database.fetch(
        "select date(at, 'unixepoch', 'localtime'), agent, sum(cost) from usage "
        "where at >= ? and cost > 0 group by 1, 2 order by 1",
        [since],
    )
    return [(str(day), str(agent), float(cost)) for day, agent, cost in map(tuple, rows)]


async def forget_usage(database: Database, before: float) -> None:
    """Delete the rows of calls before a time."""
    await database.execute("delete from usage where at < ?", [before])


def _named(names: Sequence[str], row: Any) -> dict[str, Any]:
    return dict(zip(names, tuple(row), strict=True))
