"""SQL of the rules that equal answers propose, and of the answers themselves."""

from collections.abc import Sequence
from typing import Any, Final

from hearth_backend.storage.driver import Connection, Row

_LATEST: Final = """
select id, decision from approval
where tool = ? and pattern = ? and agent_id = ? and door = ? and kind = 'act' and status = 'decided'
order by decided_at desc, rowid desc limit ?"""
_PROPOSE: Final = """
insert into approval_rule(id, tool, pattern, agent_id, origin, decision, state, because, created_at)
values (?, ?, ?, ?, ?, ?, 'proposed', ?, ?) on conflict do nothing"""
_DECIDE: Final = """
update approval_rule set state = ?, decided_by = ?, decided_at = ? where id = ? and state = 'proposed'"""
_DECIDED: Final = """
select * from approval where tool = ? and kind = 'act' and status = 'decided' order by decided_at desc limit ?"""
_GRANTS_OF_RUN: Final = """
select tool, pattern, door, decision from approval
where run_id = ? and status = 'decided' and remember = 'run' order by decided_at"""


def latest_answers(connection: Connection, tool: str, pattern: str, agent_id: str, door: str, limit: int) -> list[Row]:
    """How the latest calls like each other were decided."""
    return connection.execute(_LATEST, (tool, pattern, agent_id, door, limit)).fetchall()


def propose(connection: Connection, values: Sequence[Any]) -> bool:
    """Values: id, tool, pattern, agent_id, origin, decision, because, now. False when it was proposed before."""
    return connection.execute(_PROPOSE, values).rowcount == 1


def rules(connection: Connection) -> list[Row]:
    """Those proposed, then those that hold."""
    return connection.execute(
        "select * from approval_rule where state <> 'dismissed' order by state = 'active', created_at, id"
    ).fetchall()


def rule_of(connection: Connection, rule_id: str) -> Row | None:
    """One rule."""
    return connection.execute("select * from approval_rule where id = ?", (rule_id,)).fetchone()


def decide_rule(connection: Connection, rule_id: str, state: str, by: str, now: float) -> bool:
    """False when it is not proposed any more."""
    return connection.execute(_DECIDE, (state, by, now, rule_id)).rowcount == 1


def forget_rule(connection: Connection, rule_id: str) -> bool:
    """Whether there was such a rule."""
    return connection.execute("delete from approval_rule where id = ?", (rule_id,)).rowcount == 1


def decided(connection: Connection, tool: str, limit: int) -> list[Row]:
    """Calls of a tool that were decided, the latest first."""
    return connection.execute(_DECIDED, (tool, limit)).fetchall()


def grants_of_run(connection: Connection, run_id: str) -> list[Row]:
    """Answers that hold until a run ends."""
    return connection.execute(_GRANTS_OF_RUN, (run_id,)).fetchall()
