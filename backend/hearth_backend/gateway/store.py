"""The gateway's SQL: usage rows in telemetry.db."""

from collections.abc import Sequence
from typing import Any

from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.protocol.status import Usage, UsageRow

_COLUMNS = (
    "at, request_id, run_id, door, client, role, model, provider, place, input_tokens, output_tokens, cost, ms, "
    "first_ms, ok, error"
)
_FIELDS = tuple("where" if column == "place" else column for column in _COLUMNS.split(", "))
_TOTALS = (
    "model, provider, place, count(*), sum(1 - ok), sum(input_tokens), sum(output_tokens), "
    "sum(cost), sum(cost is null)"  # sum() of nothing but nulls is null: no price is known
)
_TOTAL_FIELDS = (
    *("model", "provider", "where", "calls", "failed", "input_tokens", "output_tokens", "cost"),
    "calls_without_price",
)


async def add_usage(database: Database, rows: Sequence[UsageRow]) -> None:
    """Store rows together."""
    values = [[getattr(row, field) for field in _FIELDS] for row in rows]

    def insert(connection: Connection) -> None:
        connection.executemany(f"insert into usage({_COLUMNS}) values ({', '.join('?' * len(_FIELDS))})", values)

    await database.write(insert)


async def usage(database: Database, limit: int, run_id: str | None) -> Usage:
    """The newest rows, and totals by model, of all or of one run."""
    chosen, args = ("where run_id = ?", [run_id]) if run_id else ("", [])

    def read(connection: Connection) -> Usage:
        rows = connection.execute(
            f"select {_COLUMNS} from usage {chosen} order by id desc limit ?", [*args, limit]
        ).fetchall()
        totals = connection.execute(
            f"select {_TOTALS} from usage {chosen} group by model, provider, place order by count(*) desc", args
        ).fetchall()
        return Usage(
            rows=[UsageRow.model_validate(_named(_FIELDS, row)) for row in rows],
            totals=[_named(_TOTAL_FIELDS, row) for row in totals],
        )

    return await database.read(read)


async def forget_usage(database: Database, before: float) -> None:
    """Delete the rows of calls before a time."""
    await database.execute("delete from usage where at < ?", [before])


def _named(names: Sequence[str], row: Any) -> dict[str, Any]:
    return dict(zip(names, tuple(row), strict=True))
