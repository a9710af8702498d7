"""The SQL of working memory: what a thread's journal holds of the last while, and the task that a door has set."""

import json
from collections.abc import Iterable
from typing import Final

from hearth_backend.storage.driver import Connection, Row

_RUNS: Final = 12  # of a thread, that are looked through for results
# What was read again stands there already, as the result that it is of.
_RESULTS: Final = """
select s.run_id, s.seq, s.name, s.output, s.at, r.local_only, r.answer
from (
  select run_id, position from message where thread_id = :thread and role = 'user' and run_id is not null
  order by position desc limit :runs) as m
join run r on r.id = m.run_id
join step s on s.run_id = m.run_id
where s.name glob 'tool.*' and s.name <> 'tool.read_again' and s.state = 'done' and s.output is not null
  and s.at > :since
order by m.position desc, s.seq desc limit :limit"""
_LAST: Final = """
select r.id, r.goal, r.status, r.failure, r.created_at, r.finished_at
from message m join run r on r.id = m.run_id
where m.thread_id = :thread and m.role = 'user' and (:before is null or m.position < (
  select position from message where run_id = :before and role = 'user'))
order by m.position desc limit 1"""


def version(connection: Connection, owner: str, thread_id: str) -> int | None:
    """Of one thread of this owner."""
    row = connection.execute("select version from thread where id = ? and owner = ?", (thread_id, owner)).fetchone()
    return None if row is None else row[0]


def binned(connection: Connection, thread_id: str) -> list[tuple[str, str]]:
    """(kind, record as JSON) of what is being forgotten and names this thread."""
    rows = connection.execute("select kind, row from forgotten_row where instr(row, ?) > 0", (thread_id,))
    return [(row["kind"], row["row"]) for row in rows]


def turns(connection: Connection, thread_id: str, since: float, limit: int) -> list[Row]:
    """The newest turns, oldest first."""
    return connection.execute(
        "select id, run_id, role, text, created_at from message where thread_id = ? and created_at > ? "
        "order by position desc limit ?",
        (thread_id, since, limit),
    ).fetchall()[::-1]


def results(connection: Connection, thread_id: str, since: float, limit: int) -> list[Row]:
    """What tools gave lately, newest first."""
    values = {"thread": thread_id, "since": since, "runs": _RUNS, "limit": limit}
    return connection.execute(_RESULTS, values).fetchall()


def last_run(connection: Connection, thread_id: str, before: str | None = None) -> Row | None:
    """The thread's newest run, or the one before that of this id."""
    return connection.execute(_LAST, {"thread": thread_id, "before": before}).fetchone()


def task(connection: Connection, thread_id: str, since: float) -> Row | None:
    """What a door said is worked on."""
    return connection.execute(
        "select task, door, changed_at from working where thread_id = ? and changed_at > ? and task <> ''",
        (thread_id, since),
    ).fetchone()


def step_on(connection: Connection, thread_id: str, version: int, now: float) -> bool:
    """Take the thread one version further; False when it is not at this version any more."""
    sql = "update thread set version = version + 1, updated_at = max(updated_at, ?) where id = ? and version = ?"
    return connection.execute(sql, (now, thread_id, version)).rowcount == 1


def set_task(connection: Connection, thread_id: str, task: str, door: str, now: float) -> None:
    """Set it, or take it away when it is empty."""
    if not task:
        connection.execute("delete from working where thread_id = ?", (thread_id,))
        return
    connection.execute(
        "insert into working(thread_id, task, door, changed_at) values (?, ?, ?, ?) on conflict(thread_id) do update "
        "set task = excluded.task, door = excluded.door, changed_at = excluded.changed_at",
        (thread_id, task, door, now),
    )


def renew(connection: Connection, thread_id: str, now: float) -> None:
    """It was used: its time begins anew."""
    connection.execute("update working set changed_at = ? where thread_id = ?", (now, thread_id))


def oldest(connection: Connection) -> float | None:
    """When the task was set, or used last, whose time is over first."""
    return connection.execute("select min(changed_at) from working").fetchone()[0]


def expire(connection: Connection, before: float) -> None:
    """Take out the tasks that were not used since."""
    connection.execute("delete from working where changed_at <= ?", (before,))


def settle(connection: Connection, now: float) -> None:
    """The clock was set back: nothing was used later than now."""
    connection.execute("update working set changed_at = ?1 where changed_at > ?1", (now,))


def still_there(connection: Connection, wanted: Iterable[str]) -> frozenset[str]:
    """Those of these episodes that were not forgotten."""
    sql = "select id from episode where id in (select value from json_each(?))"
    return frozenset(row["id"] for row in connection.execute(sql, (json.dumps(list(wanted)),)))
