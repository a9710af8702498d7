"""The SQL of reading: which episodes are to be read for facts, and the summaries made of sessions and weeks."""

from collections.abc import Sequence
from dataclasses import dataclass

from hearth_backend import ids
from hearth_backend.memory.entity_store import chunks, marks
from hearth_backend.storage.driver import Connection, Row

_MOST_OF_SESSION = 400


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a summary and the episodes it rests on."""

    text: str
    episodes: tuple[int, ...]


# -- the queue: a trigger fills it, so that nothing acknowledged is ever missed


def waiting(connection: Connection, most: int) -> list[Row]:
    """The oldest episodes to read."""
    return connection.execute(
        "select e.rowid, e.* from to_read r join episode e on e.rowid = r.episode order by r.episode limit ?", (most,)
    ).fetchall()


def count_waiting(connection: Connection) -> int:
    """How many wait."""
    return connection.execute("select count(*) from to_read").fetchone()[0]


def done(connection: Connection, rowids: Sequence[int]) -> None:
    """They are read."""
    for part in chunks(list(rowids)):
        connection.execute(f"delete from to_read where episode in ({marks(part)})", part)


def still_there(connection: Connection, rowids: Sequence[int]) -> set[int]:
    """Those that were not forgotten meanwhile."""
    found: set[int] = set()
    for part in chunks(list(rowids)):
        rows = connection.execute(f"select rowid from episode where rowid in ({marks(part)})", part)
        found |= {row["rowid"] for row in rows}
    return found


# -- summaries


def session(connection: Connection, space: str, name: str) -> list[Row]:
    """A session's latest turns, in order."""
    rows = connection.execute(
        "select rowid, * from episode where space = ? and session = ? order by occurred_at desc, rowid desc limit ?",
        (space, name, _MOST_OF_SESSION),
    ).fetchall()
    return rows[::-1]


def put_summary(
    connection: Connection,
    place: tuple[str, str, str],
    lines: Sequence[Line],
    span: tuple[float, float],
    now: float,
    maker: str,
) -> None:
    """The summary of (space, level, key), in place of an older one; a line whose episodes are gone is left out."""
    space, level, key = place
    there = still_there(connection, [episode for line in lines for episode in line.episodes])
    kept = [line for line in lines if line.episodes and there.issuperset(line.episodes)]
    connection.execute("delete from summary where space = ? and level = ? and key = ?", place)
    if not kept:
        return
    row = connection.execute(
        "insert into summary(id, space, level, key, first_at, last_at, made_at, maker) "
        "values (?, ?, ?, ?, ?, ?, ?, ?) returning rowid",
        (ids.new("sum"), space, level, key, *span, now, maker),
    ).fetchone()
    for number, line in enumerate(kept):
        line_row = connection.execute(
            "insert into summary_line(summary, place, text) values (?, ?, ?) returning rowid",
            (row[0], number, line.text),
        ).fetchone()
        connection.executemany(
            "insert or ignore into summary_source(line, episode) values (?, ?)",
            [(line_row[0], episode) for episode in line.episodes],
        )


def summaries(connection: Connection, space: str, level: str | None, limit: int, key: str | None = None) -> list[Row]:
    """Summaries of a space, newest first."""
    parts, values = ["space = ?"], list[object]([space])
    for column, value in (("level", level), ("key", key)):
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    return connection.execute(
        f"select rowid, * from summary where {' and '.join(parts)} order by last_at desc, rowid desc limit ?",
        (*values, limit),
    ).fetchall()


def lines_of(connection: Connection, summary: int) -> list[tuple[str, list[str]]]:
    """(text, ids of the episodes it cites), in order."""
    rows = connection.execute(
        "select l.rowid as line, l.text, e.id from summary_line l join summary_source s on s.line = l.rowid "
        "join episode e on e.rowid = s.episode where l.summary = ? order by l.place, e.occurred_at, e.rowid",
        (summary,),
    ).fetchall()
    found: dict[int, tuple[str, list[str]]] = {}
    for row in rows:
        found.setdefault(row["line"], (row["text"], []))[1].append(row["id"])
    return list(found.values())


def week_lines(connection: Connection, space: str, first: float, last: float) -> list[tuple[Row, list[Line]]]:
    """The summaries of sessions that ended in [first, last), with their lines."""
    rows = connection.execute(
        "select rowid, * from summary where space = ? and level = 'session' and last_at >= ? and last_at < ? "
        "order by last_at, rowid",
        (space, first, last),
    ).fetchall()
    found: list[tuple[Row, list[Line]]] = []
    for row in rows:
        told = connection.execute(
            "select l.text, s.episode from summary_line l join summary_source s on s.line = l.rowid "
            "where l.summary = ? order by l.place",
            (row["rowid"],),
        )
        found.append((row, [Line(line["text"], (line["episode"],)) for line in told]))
    return found


_TOLD = (
    "select s.level, s.key, l.text as line, e.* from summary s join summary_line l on l.summary = s.rowid "
    "join summary_source c on c.line = l.rowid join episode e on e.rowid = c.episode "
    "where s.space in ({spaces}) and s.level = ? and {which} and e.trusted = 1 and e.origin in ('turn', 'note') "
    "group by l.rowid order by s.last_at desc, s.rowid desc, l.place limit 200"
)


def lines_between(
    connection: Connection, spaces: Sequence[str], level: str, span: tuple[float, float], but: str = ""
) -> list[Row]:
    """The lines of summaries that ended in [first, last), each with a memory it cites; the newest summary first."""
    sql = _TOLD.format(spaces=marks(spaces), which="s.last_at >= ? and s.last_at < ? and s.key <> ?")
    return connection.execute(sql, (*spaces, level, *span, but)).fetchall()


def own_lines(connection: Connection, spaces: Sequence[str], session: str, before: float) -> list[Row]:
    """The lines of one session that tell of before."""
    sql = _TOLD.format(spaces=marks(spaces), which="s.key = ? and e.occurred_at < ?")
    return connection.execute(sql, (*spaces, "session", session, before)).fetchall()


def remove_lines(connection: Connection, episodes: Sequence[int]) -> int:
    """Take out every line that quotes one of these episodes, and summaries left empty; how many lines went.

    A line is an extract of what it cites, so one that cites a forgotten episode among others goes too.
    """
    lines: dict[int, None] = {}
    for part in chunks(list(episodes)):
        rows = connection.execute(f"select distinct line from summary_source where episode in ({marks(part)})", part)
        lines |= {row["line"]: None for row in rows}
    touched: dict[int, None] = {}
    for line in lines:
        row = connection.execute("delete from summary_line where rowid = ? returning summary", (line,)).fetchone()
        touched[row["summary"]] = None
    for summary in touched:
        connection.execute(
            "delete from summary where rowid = ?1 and not exists (select 1 from summary_line where summary = ?1)",
            (summary,),
        )
    return len(lines)
