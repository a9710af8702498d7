"""SQL of plans: tasks that belong to another task, some of them after others."""

import json
from collections.abc import Sequence
from typing import Final

from hearth_backend.orchestrator import store
from hearth_backend.storage.driver import Connection, Row

_LONGEST_RESULT: Final = 8000
_CHILDREN: Final = """
select id, goal, agent_id, status, answer, failure, idempotency_key from run where parent_id = ? order by rowid"""
# Runs that are being done and shall stop, as one JSON text.
TO_STOP: Final = "select json_group_array(id) from run where status = 'running' and cancel_requested"
_BEFORE: Final = """
select r.id, r.goal, r.agent_id, r.status, r.answer, r.failure, r.idempotency_key
from run_after join run r on r.id = after_id where run_id = ? order by r.rowid"""


def add_after(connection: Connection, run_id: str, after: Sequence[str]) -> None:
    """A run is begun when these have ended."""
    connection.executemany("insert into run_after(run_id, after_id) values (?, ?)", [(run_id, id) for id in after])


def children(connection: Connection, parent_id: str) -> list[Row]:
    """The tasks of a run's plan, in the order they were made."""
    return connection.execute(_CHILDREN, (parent_id,)).fetchall()


def before(connection: Connection, run_id: str) -> list[Row]:
    """The tasks that a task came after, ended by now."""
    return connection.execute(_BEFORE, (run_id,)).fetchall()


def open_children(connection: Connection, parent_id: str) -> list[Row]:
    """Those that have not ended, in full."""
    sql = "select * from run where parent_id = ? and status in ('queued', 'running', 'waiting') order by rowid"
    return connection.execute(sql, (parent_id,)).fetchall()


def dependents(connection: Connection, run_id: str) -> list[Row]:
    """Those that were to come after a run, and are not begun."""
    sql = """select r.* from run_after join run r on r.id = run_after.run_id
    where after_id = ? and r.status in ('queued', 'waiting')"""
    return connection.execute(sql, (run_id,)).fetchall()


def outcome(row: Row) -> str:
    """What a part came to, or why to nothing."""
    if row["answer"]:
        return str(json.loads(row["answer"])["text"])[:_LONGEST_RESULT]
    if row["failure"]:
        return str(json.loads(row["failure"])["detail"])
    return "It was not done: something that it was to come after did not succeed, or it was stopped."


def resume_parent(connection: Connection, run_id: str) -> None:
    """Queue the task above a run that has ended, if it waits for that and for no other."""
    row = connection.execute("select parent_id from run where id = ?", (run_id,)).fetchone()
    if row is not None and row[0] is not None:
        store.resume_run(connection, row[0])
