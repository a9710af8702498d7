"""SQL of webhooks: what is due, delivered, or given up."""

from typing import Final

from hearth_backend.storage.driver import Connection, Row

NEXT_DUE: Final = "select min(next_at) from delivery where state = 'due'"


def add(connection: Connection, run_id: str, now: float) -> None:
    """The run has ended: its webhook is to be told, now; or again, when it was taken up again."""
    connection.execute(
        """insert into delivery(run_id, state, next_at)
        select id, 'due', ?2 from run where id = ?1 and webhook_url is not null
        on conflict(run_id) do update set state = 'due', attempts = 0, next_at = excluded.next_at, problem = ''""",
        (run_id, now),
    )


def due(connection: Connection, now: float, limit: int) -> list[Row]:
    """What is to be sent now, the longest due first."""
    return connection.execute(
        """select d.run_id, d.attempts, r.webhook_url, r.webhook_secret, r.owner
        from delivery d join run r on r.id = d.run_id
        where d.state = 'due' and d.next_at <= ? order by d.next_at limit ?""",
        (now, limit),
    ).fetchall()


def delivered(connection: Connection, run_id: str, now: float) -> None:
    """It was taken."""
    connection.execute(
        "update delivery set state = 'delivered', attempts = attempts + 1, problem = '', delivered_at = ?2"
        " where run_id = ?1",
        (run_id, now),
    )


def failed(connection: Connection, run_id: str, problem: str, next_at: float | None) -> None:
    """It was not; without a next time it is a dead letter."""
    connection.execute(
        """update delivery set attempts = attempts + 1, problem = ?2, next_at = coalesce(?3, next_at),
        state = iif(?3 is null, 'dead', 'due') where run_id = ?1""",
        (run_id, problem, next_at),
    )


def revive(connection: Connection, owner: str, run_id: str, now: float) -> bool:
    """Send a dead letter again; False when there is none."""
    cursor = connection.execute(
        """update delivery set state = 'due', attempts = 0, next_at = ?3 where run_id = ?2 and state = 'dead'
        and exists (select 1 from run where run.id = ?2 and run.owner = ?1)""",
        (owner, run_id, now),
    )
    return cursor.rowcount == 1
