"""The SQL of this room: spans in telemetry.db, and what doctor asks of hearth.db."""

import json
import re
from collections.abc import Callable, Sequence
from sqlite3 import Connection, Row
from typing import Any, Protocol, TypeVar

from hearth_backend.observe.spans import Attribute, Span

T = TypeVar("T")
# Ids, routes, names, numbers, "this machine": at most two short words. Sentences are content, and stay out.
_NAME = re.compile(r"[\w.:/@+{}()*-]{1,128}( [\w.:/@+{}()*-]{1,32})?")
LEFT_OUT = "(left out)"


class Readable(Protocol):
    """A database that can be asked."""

    async def fetch(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> list[Row]: ...


class Writable(Protocol):
    """A database that runs closures in its writer's transaction."""

    async def write(self, work: Callable[[Connection], T]) -> T: ...


async def add_spans(database: Writable, spans: Sequence[Span]) -> None:
    """Keep finished spans."""

    def work(connection: Connection) -> None:
        connection.executemany(
            "insert or ignore into span(span_id, trace_id, parent_id, name, started, ms, ok, attributes)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(span) for span in spans],
        )

    await database.write(work)


async def forget_spans(database: Writable, before: float) -> None:
    """Drop the spans that began before that time."""

    def work(connection: Connection) -> None:
        connection.execute("delete from span where started < ?", (before,))

    await database.write(work)


async def quick_check(database: Readable) -> list[str]:
    """SQLite's own findings about the file; empty when it is sound."""
    found = [str(row[0]) for row in await database.fetch("pragma quick_check(5)")]
    return [] if found == ["ok"] else found


async def newest(database: Readable) -> float | None:
    """When the newest event or run was written, by the clock of that moment."""
    rows = await database.fetch(
        "select max(at) from (select at from (select at from event order by seq desc limit 1)"
        " union all select max(updated_at) from thread)"
    )
    return rows[0][0]


def kept(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    """The attributes as they are stored: a text that is no id or name is left out."""
    return {
        key: LEFT_OUT if isinstance(value, str) and value and not _NAME.fullmatch(value) else value
        for key, value in attributes.items()
    }


def _row(span: Span) -> tuple[Any, ...]:
    attributes = kept(span.attributes | {"error": span.error} if span.error else span.attributes)
    return (
        span.span_id,
        span.trace_id,
        span.parent_id,
        span.name,
        span.started,
        span.ms,
        not span.error,
        json.dumps(attributes, separators=(",", ":")),
    )
