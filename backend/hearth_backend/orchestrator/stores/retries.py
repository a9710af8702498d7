"""SQL of runs that are tried again: put off for a while, taken up from the dead letters, and what is kept of them."""

from collections.abc import Mapping
from typing import Any, Final

from hearth_backend.storage.driver import Connection, Row

# When the next run that was put off may go on, or one that waits has come to its deadline.
NEXT_DUE: Final = """
select min(at) from (
  select min(not_before) as at from run where status = 'queued' and not_before is not null
  union all select min(deadline_at) from run where status = 'waiting')"""
_PUT_OFF: Final = """
update run set status = 'queued', lease_until = null, failure = :failure, not_before = :until
where id = :id and fence = :fence and status = 'running' and not cancel_requested
  and (deadline_at is null or deadline_at > :until)"""
_OVERDUE: Final = "update run set status = 'queued' where status = 'waiting' and deadline_at <= ?"
# What failed is tried again, but nothing before the last effect: that one was done in a history that led to it.
_FORGET_FAILED: Final = """
delete from step where run_id = ?1 and seq >= (
  select min(seq) from step where run_id = ?1 and state = 'failed'
    and seq > (select coalesce(max(seq), -1) from step where run_id = ?1 and effect))"""
_REVIVE: Final = """
update run set status = 'queued', attempt = 0, failure = null, answer = null, finished_at = null, not_before = null,
  deadline_at = null, cancel_requested = 0
where id = ? and owner = ? and status in ('dead', 'failed') returning *"""
_PRUNE_STEPS: Final = """
delete from step where run_id in (
  select r.id from run r where r.finished_at < :before and exists (select 1 from step s where s.run_id = r.id)
  limit :limit)"""


def put_off(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Values: id, fence, failure, until. False when it is not the caller's, to be cancelled, or its deadline is
    nearer."""
    if connection.execute(_PUT_OFF, values).rowcount != 1:
        return False
    forget_failed(connection, values["id"])
    return True


def forget_failed(connection: Connection, run_id: str) -> None:
    """Forget the steps that failed, so that the next attempt does not read the same failure again."""
    connection.execute(_FORGET_FAILED, (run_id,))


def wake_overdue(connection: Connection, now: float) -> int:
    """Queue what waits beyond its deadline, to be told so; how many."""
    return connection.execute(_OVERDUE, (now,)).rowcount


def revive(connection: Connection, owner: str, run_id: str) -> Row | None:
    """Queue a dead or failed run again, from where it failed; None when it is neither."""
    row = connection.execute(_REVIVE, (run_id, owner)).fetchone()
    if row is not None:
        forget_failed(connection, run_id)
        connection.execute("delete from message where run_id = ? and role = 'assistant'", (run_id,))
    return row


def prune_steps(connection: Connection, before: float, limit: int) -> int:
    """Delete the steps of some runs that ended before this; how many went."""
    return connection.execute(_PRUNE_STEPS, {"before": before, "limit": limit}).rowcount
