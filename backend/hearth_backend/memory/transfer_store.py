"""The SQL of export and import: every kind of record a page at a time, and each put back where it is not yet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from hearth_backend import ids
from hearth_backend.memory import entity_store, keeping_store
from hearth_backend.memory.store import moment
from hearth_backend.storage.driver import Connection

Record = dict[str, Any]
_PAGE: Final = 200
_CLAIM: Final = (
    *("subject", "subject_kind", "predicate", "value", "role", "at", "recorded_at", "retracted_at", "confidence"),
    "extractor",
)
_SUMMARY: Final = ("id", "space", "level", "key", "first_at", "last_at", "made_at", "maker")
_BLOCK: Final = ("text", "token_limit", "version", "changed_at", "changed_by")


def spaces(connection: Connection) -> list[str]:
    """The spaces that hold anything."""
    tables = ("episode", "fact", "summary", "block")
    sql = " union ".join(f"select distinct space from {table}" for table in tables)
    return sorted(row["space"] for row in connection.execute(sql))


# -- out


def episodes(connection: Connection, space: str, after: int, *, private: bool) -> tuple[list[Record], int]:
    """The next episodes in the order they were stored, and the place of the last; without `private` ones that stay on
    this machine are left out."""
    kept = "" if private else " and sensitivity = 'normal'"
    rows = connection.execute(
        f"select rowid, * from episode where space = ? and rowid > ?{kept} order by rowid limit ?",
        (space, after, _PAGE),
    ).fetchall()
    return [_episode(keeping_store.record(row)) for row in rows], rows[-1]["rowid"] if rows else after


def _episode(record: Record) -> Record:
    times = {name: moment(record[name]).isoformat() for name in ("occurred_at", "recorded_at")}
    return {"kind": "episode", **record, **times, "trusted": bool(record["trusted"])}


def claims(connection: Connection, space: str, after: int, *, private: bool) -> tuple[list[Record], int]:
    """The next statements, with where they stand in which episode."""
    kept = "" if private else " and (e.rowid is null or e.sensitivity = 'normal')"
    rows = connection.execute(
        "select x.rowid as place, x.*, f.space, f.predicate, f.trusted, s.name as subject, s.kind as subject_kind, "
        "coalesce(o.name, f.value) as value, e.id as episode_id from fact_source x join fact f on f.rowid = x.fact "
        "join entity s on s.rowid = f.subject left join entity o on o.rowid = f.object "
        "left join episode e on e.rowid = x.episode "
        f"where f.space = ? and x.rowid > ?{kept} order by x.rowid limit ?",
        (space, after, _PAGE),
    ).fetchall()
    found = [
        {
            **{"kind": "claim", "space": space, "episode": row["episode_id"]},
            **{name: row[name] for name in _CLAIM},
            **{"span": [row["span_start"], row["span_end"]], "trusted": bool(row["trusted"])},
        }
        for row in rows
    ]
    return found, rows[-1]["place"] if rows else after


def aliases(connection: Connection, space: str) -> Iterator[Record]:
    """Other names of what facts speak of."""
    rows = connection.execute(
        "select e.name as entity, e.kind as entity_kind, a.name from alias a join entity e on e.rowid = a.entity "
        "where a.space = ? order by e.name, e.kind, a.name",
        (space,),
    )
    return ({"kind": "alias", "space": space, **dict(row)} for row in rows)


def summaries(connection: Connection, space: str, *, private: bool) -> Iterator[Record]:
    """Summaries with their lines, and the episodes that each line cites."""
    rows = connection.execute("select * from summary where space = ? order by first_at, level, key", (space,))
    for row in rows.fetchall():
        lines = [
            {"text": line["text"], "episodes": _cited(connection, line["rowid"], private=private)}
            for line in connection.execute(
                "select rowid, text from summary_line where summary = ? order by place", (row["rowid"],)
            ).fetchall()
        ]
        if lines := [line for line in lines if line["episodes"]]:
            yield {"kind": "summary", **{name: row[name] for name in _SUMMARY}, "lines": lines}


def _cited(connection: Connection, line: int, *, private: bool) -> list[str]:
    """Ids; none when one of them is to stay here, for then the line says what it says."""
    rows = connection.execute(
        "select e.id, e.sensitivity from summary_source s join episode e on e.rowid = s.episode "
        "where s.line = ? order by e.id",
        (line,),
    ).fetchall()
    if not private and any(row["sensitivity"] != "normal" for row in rows):
        return []
    return [row["id"] for row in rows]


def blocks(connection: Connection, space: str) -> Iterator[Record]:
    """Pinned blocks with every version they had."""
    for row in connection.execute("select * from block where space = ? order by label", (space,)).fetchall():
        history = connection.execute(
            "select * from block_history where space = ? and label = ? order by version", (space, row["label"])
        )
        versions = [{name: version[name] for name in _BLOCK} for version in history]
        whole = {name: row[name] for name in _BLOCK}
        yield {"kind": "block", "space": space, "label": row["label"], **whole, "history": versions}


# -- in


def put_alias(connection: Connection, record: Mapping[str, Any]) -> bool:
    """Whether there is something of that name."""
    entity = entity_store.find(connection, record["space"], record["entity"], record["entity_kind"])
    if entity is not None:
        entity_store.add_alias(connection, record["space"], entity, record["name"])
    return entity is not None


def put_summary(connection: Connection, record: Mapping[str, Any]) -> bool:
    """Whether it was not there; of its lines those are kept that cite an episode which is here."""
    known = "select 1 from summary where (space = ? and level = ? and key = ?)"
    if connection.execute(known, (record["space"], record["level"], record["key"])).fetchone():
        return False
    cited = keeping_store.rowids_of(connection, {id for line in record["lines"] for id in line["episodes"]})
    lines = [(line["text"], [cited[id] for id in line["episodes"] if id in cited]) for line in record["lines"]]
    if not any(sources for _, sources in lines):
        return False
    row = connection.execute(
        "insert into summary(id, space, level, key, first_at, last_at, made_at, maker) "
        "values (?, ?, ?, ?, ?, ?, ?, ?) returning rowid",
        (_free(connection, record["id"]), *(record[name] for name in _SUMMARY[1:])),
    ).fetchone()
    _put_lines(connection, row[0], [(text, sources) for text, sources in lines if sources])
    return True


def _free(connection: Connection, id: str) -> str:
    taken = connection.execute("select 1 from summary where id = ?", (id,)).fetchone()
    return ids.new("sum") if taken else id


def _put_lines(connection: Connection, summary: int, lines: Sequence[tuple[str, Iterable[int]]]) -> None:
    for place, (text, sources) in enumerate(lines):
        row = connection.execute(
            "insert into summary_line(summary, place, text) values (?, ?, ?) returning rowid", (summary, place, text)
        ).fetchone()
        values = [(row[0], episode) for episode in dict.fromkeys(sources)]
        connection.executemany("insert into summary_source(line, episode) values (?, ?)", values)


def put_block(connection: Connection, record: Mapping[str, Any]) -> bool:
    """Whether there was none of that name; the person's own is not written over."""
    place = (record["space"], record["label"])
    if connection.execute("select 1 from block where space = ? and label = ?", place).fetchone():
        return False
    columns = ", ".join(("space", "label", *_BLOCK))
    sql = f"insert or ignore into {{}}({columns}) values (?, ?, ?, ?, ?, ?, ?)"
    connection.execute(sql.format("block"), (*place, *(record[name] for name in _BLOCK)))
    versions = [(*place, *(version[name] for name in _BLOCK)) for version in record["history"]]
    connection.executemany(sql.format("block_history"), versions)
    return True
