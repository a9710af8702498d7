"""The SQL of the graph: the facts between entities, hop by hop.

A walk asks for the neighbours of a whole frontier by two indexed IN queries. A recursive query can be as fast, until
statistics make SQLite plan it otherwise; this plan has nothing to flip to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hearth_backend.memory.entity_store import chunks, marks
from hearth_backend.storage.driver import Connection

HOP: Final = 900
"""Entities of one hop: below SQLite's oldest limit of 999 bound variables."""
_HOLDS: Final = "f.retracted_at is null and f.valid_from <= ? and (f.valid_to is null or f.valid_to > ?)"


@dataclass(frozen=True, slots=True)
class Edge:
    """A fact between two entities."""

    fact: int
    subject: int
    object: int


def edges(connection: Connection, space: str, entities: Sequence[int], at: float) -> list[Edge]:
    """The facts that hold at `at` between these entities and any others, in either direction."""
    found: dict[int, Edge] = {}
    for column in ("subject", "object"):
        for part in chunks(list(entities), HOP):
            rows = connection.execute(
                f"select f.rowid, f.subject, f.object from fact f where f.{column} in ({marks(part)}) "
                f"and f.object is not null and {_HOLDS} and f.space = ?",
                (*part, at, at, space),
            )
            found |= {row["rowid"]: Edge(row["rowid"], row["subject"], row["object"]) for row in rows}
    return list(found.values())


def values_of(connection: Connection, space: str, entity: int, at: float, limit: int) -> list[int]:
    """The facts of one entity whose value is no entity."""
    rows = connection.execute(
        f"select f.rowid from fact f where f.subject = ? and f.object is null and {_HOLDS} and f.space = ? "
        "order by f.valid_from desc limit ?",
        (entity, at, at, space, limit),
    )
    return [row["rowid"] for row in rows]


def all_edges(connection: Connection, space: str, at: float, limit: int) -> list[Edge]:
    """The facts between entities of a space, the newest first."""
    rows = connection.execute(
        f"select f.rowid, f.subject, f.object from fact f where f.space = ? and f.object is not null and {_HOLDS} "
        "order by f.valid_from desc limit ?",
        (space, at, at, limit),
    )
    return [Edge(row["rowid"], row["subject"], row["object"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Triple:
    """A fact that fits one step of a pattern; `value` is an entity's row or, as text, a plain value."""

    fact: int
    subject: int
    value: int | str


def fitting(
    connection: Connection,
    space: str,
    *,
    subject: int | None,
    predicate: str | None,
    value: int | str | None,
    at: float,
    limit: int,
) -> list[Triple]:
    """Facts that hold at `at` and fit what is known of a step; a value as text is compared in canonical form."""
    parts, values = ["f.space = ?", _HOLDS], list[object]([space, at, at])
    for column, known in (("subject", subject), ("predicate", predicate)):
        if known is not None:
            parts.append(f"f.{column} = ?")
            values.append(known)
    if value is not None:
        parts.append("f.object = ?" if isinstance(value, int) else "f.canonical = ?")
        values.append(value)
    rows = connection.execute(
        f"select f.rowid, f.subject, f.object, f.value from fact f where {' and '.join(parts)} "
        "order by f.valid_from desc, f.rowid limit ?",
        (*values, limit),
    )
    return [
        Triple(row["rowid"], row["subject"], row["value"] if row["object"] is None else row["object"]) for row in rows
    ]
