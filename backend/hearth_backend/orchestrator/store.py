"""Every SQL statement of the orchestrator, as functions over the writer's or a reader's connection.

Whoever may see a row stands in the WHERE of each query: somebody else's id finds nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hearth_backend.orchestrator.requester import PERSON
from hearth_backend.storage.driver import Connection, Row

# As the partial indexes have them, word for word. The person's own tasks, nearly all there are, have no index by
# owner: each index costs a page more to write for every task.
_OPEN: Final = "status in ('queued', 'running', 'waiting')"
_BEGUN: Final = "status in ('running', 'waiting')"
_OF_CLIENT: Final = f"owner <> '{PERSON}'"
HISTORY: Final = 200

# -- events

_ADD_EVENT: Final = "insert into event(at, type, run_id, thread_id, owner, door, data) values (?, ?, ?, ?, ?, ?, ?)"
_VISIBLE_EVENT: Final = f"(owner = :owner or (:owner = '{PERSON}' and type glob 'approval.*'))"
_EVENTS: Final = f"""
select seq, at, type, run_id, thread_id, owner, door, data from event
where seq > :after and {_VISIBLE_EVENT} order by seq limit :limit"""
_EVENTS_OF_RUN: Final = f"""
select seq, at, type, run_id, thread_id, owner, door, data from event
where run_id = :run_id and seq > :after and {_VISIBLE_EVENT} order by seq limit :limit"""
_OLDEST: Final = """
select coalesce((select min(seq) from event), (select seq + 1 from sqlite_sequence where name = 'event'), 1)"""
# Everything before the first event that is young enough is old; a run's events go together, once it has ended.
_PRUNE_EVENTS: Final = """
delete from event where seq in (
  select e.seq from event e left join run r on r.id = e.run_id
  where e.seq < (select coalesce((select seq from event where at >= :before order by seq limit 1), :all))
    and (e.run_id is null or r.id is null or r.finished_at < :before)
  order by e.seq limit :limit)"""


def add_event(connection: Connection, values: Sequence[Any]) -> int:
    """Values: at, type, run_id, thread_id, owner, door, data as JSON. The new event's seq."""
    seq = connection.execute(_ADD_EVENT, values).lastrowid
    assert seq is not None
    return seq


def events_after(connection: Connection, owner: str, after: int, run_id: str | None, limit: int) -> list[Row]:
    """The next events that `owner` may see, of all or of one run."""
    args = {"owner": owner, "after": after, "run_id": run_id, "limit": limit}
    return connection.execute(_EVENTS_OF_RUN if run_id else _EVENTS, args).fetchall()


def events_of_run(connection: Connection, run_id: str, kinds: Collection[str], limit: int) -> list[Row]:
    """(at, type, data) of a run's last events of these types, oldest first."""
    marks = ", ".join("?" * len(kinds))
    sql = f"select at, type, data from event where run_id = ? and type in ({marks}) order by seq desc limit ?"
    return connection.execute(sql, (run_id, *map(str, kinds), limit)).fetchall()[::-1]


def newest_seq(connection: Connection) -> int:
    """The seq of the last event there was; 0 when there was none."""
    row = connection.execute("select seq from sqlite_sequence where name = 'event'").fetchone()
    return row[0] if row else 0


def oldest_seq(connection: Connection) -> int:
    """The seq of the oldest event that is kept; when none is, that of the next to come. One statement, so that no event
    comes between two looks."""
    return connection.execute(_OLDEST).fetchone()[0]


def prune_events(connection: Connection, before: float, limit: int) -> int:
    """Delete some of the events older than `before`, but none of a run that is open; how many went."""
    args = {"before": before, "limit": limit, "all": 1 << 62}
    return connection.execute(_PRUNE_EVENTS, args).rowcount


# -- runs

_ADD_RUN: Final = """
insert into run(id, agent_id, thread_id, goal, context, lane, priority, status, owner, door, principal, spaces,
  local_only, deadline_at, idempotency_key, request_sha256, trace_id, created_at, budget, webhook_url, webhook_secret,
  parent_id, depth)
values (?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_TASK: Final = (
    "id, agent_id, thread_id, goal, status, lane, priority, door, local_only, attempt, created_at, started_at, "
    "finished_at, deadline_at, answer, failure, parent_id, not_before"
)
TASK_WITH_STEPS: Final = f"""
select {_TASK}, (
  select json_group_array(json_object('seq', seq, 'name', name, 'call_id', call_id, 'state', state, 'at', at))
  from (select * from step where run_id = run.id order by seq)) as steps, budget,
  (select output from step where run_id = run.id and name = 'route' and state = 'done') as routed,
  (select json_group_array(id) from (select id from run as child where child.parent_id = run.id order by rowid))
    as children,
  (select json_object('state', state, 'attempts', attempts, 'next_at', iif(state = 'due', next_at, null),
    'problem', problem, 'delivered_at', delivered_at) from delivery where run_id = run.id) as webhook
from run where id = ? and owner = ?"""
_OPEN_BY_LANE: Final = f"""
select lane, sum(n) from (
  select case lane_rank when 0 then 'inline' when 1 then 'chat' when 2 then 'ambient' else 'indexing' end as lane,
    count(*) as n from run where status = 'queued' group by lane_rank
  union all select lane, count(*) from run where {_BEGUN} group by lane)
group by lane"""
_QUEUED_BY_LANE: Final = "select lane_rank, count(*) from run where status = 'queued' group by lane_rank"
STATUS: Final = "select status from run where id = ? and owner = ?"
# The first of the best lane, unless it was put off, or an earlier run of its thread or plan is still open.
_CLAIM: Final = f"""
update run set status = 'running', attempt = attempt + 1, fence = fence + 1, lease_until = :lease_until,
  started_at = coalesce(started_at, :now), begun_at = :now
where id = (
  select id from run as next where status = 'queued' and lane_rank <= :last_rank
    and (not_before is null or not_before <= :now)
    and not exists (select 1 from run as earlier
      where earlier.thread_id = next.thread_id and earlier.rowid < next.rowid and earlier.{_OPEN})
    and not exists (select 1 from run_after join run as earlier on earlier.id = after_id
      where run_id = next.id and earlier.{_OPEN})
  order by lane_rank, priority, rowid limit 1)
returning *"""
_HOLDS: Final = "select 1 from run where id = ? and fence = ? and status = 'running'"
_FINISH: Final = """
update run set status = :status, answer = :answer, failure = :failure, finished_at = :now, lease_until = null,
  worked_s = worked_s + :worked
where id = :id and fence = :fence and status = 'running'"""
_RELEASE: Final = """
update run set status = 'queued', attempt = attempt - 1, lease_until = null
where id = ? and fence = ? and status = 'running' and not cancel_requested"""


@dataclass(slots=True)
class NewRun:
    """A run as it is stored; `context` and `spaces` are JSON. Not frozen: with this many fields that costs as much as
    its index entries."""

    id: str
    agent_id: str
    thread_id: str | None
    goal: str
    context: str
    lane: str
    priority: int
    owner: str
    door: str
    principal: str
    spaces: str
    local_only: bool
    deadline_at: float | None
    idempotency_key: str | None
    request_sha256: bytes | None
    trace_id: str
    created_at: float
    budget: str = "{}"
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    parent_id: str | None = None
    depth: int = 0
    seen_version: int | None = None  # of the thread, when this was written


def add_run(connection: Connection, run: NewRun) -> None:
    """Queue a run."""
    connection.execute(
        _ADD_RUN,
        (
            *(run.id, run.agent_id, run.thread_id, run.goal, run.context, run.lane, run.priority, run.owner),
            *(run.door, run.principal, run.spaces, run.local_only, run.deadline_at),
            *(run.idempotency_key, run.request_sha256, run.trace_id, run.created_at),
            *(run.budget, run.webhook_url, run.webhook_secret, run.parent_id, run.depth),
        ),
    )


def run_by_key(connection: Connection, owner: str, key: str) -> Row | None:
    """The run that was made with this idempotency key."""
    return connection.execute(
        "select id, thread_id, status, request_sha256, webhook_secret from run where owner = ? and idempotency_key = ?",
        (owner, key),
    ).fetchone()


def claim_run(connection: Connection, now: float, lease_until: float, last_rank: int) -> Row | None:
    """The next queued run, of lanes up to `last_rank`; it is running from now on."""
    args = {"now": now, "lease_until": lease_until, "last_rank": last_rank}
    return connection.execute(_CLAIM, args).fetchone()


def holds_run(connection: Connection, run_id: str, fence: int) -> bool:
    """Whether the run is still the caller's."""
    return connection.execute(_HOLDS, (run_id, fence)).fetchone() is not None


def extend_lease(connection: Connection, run_id: str, fence: int, until: float) -> bool:
    """Whether the run is still the caller's, which it then remains until then."""
    sql = "update run set lease_until = ? where id = ? and fence = ? and status = 'running'"
    return connection.execute(sql, (until, run_id, fence)).rowcount == 1


def finish_run(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Values: id, fence, status, answer, failure, now, worked. False when the run is no longer the caller's."""
    return connection.execute(_FINISH, values).rowcount == 1


def release_run(connection: Connection, run_id: str, fence: int) -> bool:
    """Queue a running run again, this attempt not counted; False when it is to be cancelled, or another's."""
    return connection.execute(_RELEASE, (run_id, fence)).rowcount == 1


_SUSPEND: Final = f"""
update run set attempt = attempt - 1, lease_until = null, status = case
  when exists (select 1 from approval where approval.run_id = run.id and approval.status = 'pending')
    or exists (select 1 from run as child where child.parent_id = run.id and child.{_OPEN})
  then 'waiting' else 'queued' end
where id = ? and fence = ? and status = 'running' and not cancel_requested returning status"""
_RESUME: Final = f"""
update run set status = 'queued' where id = ? and status = 'waiting'
  and not exists (select 1 from run as child where child.parent_id = run.id and child.{_OPEN})"""


def suspend_run(connection: Connection, run_id: str, fence: int) -> str | None:
    """Lay a running run aside, this attempt not counted: "waiting" for a person or for its sub-tasks, or "queued" when
    there is nothing to wait for any more. None when it is to be cancelled, or another's."""
    row = connection.execute(_SUSPEND, (run_id, fence)).fetchone()
    return row[0] if row else None


def resume_run(connection: Connection, run_id: str | None) -> bool:
    """Queue a waiting run again, because a person decided or a sub-task ended; False when it does not wait for that."""
    return run_id is not None and connection.execute(_RESUME, (run_id,)).rowcount == 1


_REQUEUE: Final = """
update run set status = 'queued', lease_until = null, worked_s = worked_s + coalesce(max(0.0, -begun_at + max(
  lease_until - ?2, coalesce((select at from event where run_id = ?1 order by seq desc limit 1), 0.0))), 0.0)
where id = ?1"""


def requeue_run(connection: Connection, run_id: str, lease_s: float) -> None:
    """Queue a run again whose process died. The attempt counts, and its time up to its last sign of life: an event of
    its, or the renewal of its lease, which holds for `lease_s`."""
    connection.execute(_REQUEUE, (run_id, lease_s))


def add_work(connection: Connection, run_id: str, fence: int, seconds: float) -> None:
    """Note how long the present attempt, which ends before the run does, has taken."""
    sql = "update run set worked_s = worked_s + ? where id = ? and fence = ? and status = 'running'"
    connection.execute(sql, (seconds, run_id, fence))


def end_run(connection: Connection, run_id: str, status: str, failure: str | None, now: float) -> None:
    """End a run that nobody is doing."""
    connection.execute(
        "update run set status = ?, failure = ?, finished_at = ?, lease_until = null where id = ?",
        (status, failure, now, run_id),
    )


def has_finished(connection: Connection, run_id: str) -> bool:
    """Whether a run came to an answer."""
    row = connection.execute("select status from run where id = ?", (run_id,)).fetchone()
    return row is not None and row[0] == "finished"


def request_cancel(connection: Connection, run_id: str) -> None:
    """Mark a running run, so that it ends as cancelled even when this process dies first."""
    connection.execute("update run set cancel_requested = 1 where id = ?", (run_id,))


def interrupted_runs(connection: Connection) -> list[Row]:
    """Runs that were running."""
    return connection.execute(f"select * from run where {_BEGUN} and status = 'running' order by rowid").fetchall()


def run_of(connection: Connection, owner: str, run_id: str) -> Row | None:
    """One run of this owner."""
    return connection.execute("select * from run where id = ? and owner = ?", (run_id, owner)).fetchone()


def runs_of(connection: Connection, owner: str, status: str | None, below: int | None, limit: int) -> list[Row]:
    """Runs of this owner, newest first, from below a place in that order."""
    indexed = "" if owner == PERSON else f"and {_OF_CLIENT}"
    return connection.execute(
        f"""select {_TASK} from run where owner = :owner {indexed} and (:below is null or rowid < :below)
        and (:status is null or status = :status) order by rowid desc limit :limit""",
        {"owner": owner, "status": status, "below": below, "limit": limit},
    ).fetchall()


def place_of_run(connection: Connection, owner: str, run_id: str) -> int | None:
    """Where a run stands in the order of all."""
    row = connection.execute("select rowid from run where id = ? and owner = ?", (run_id, owner)).fetchone()
    return row[0] if row else None


def open_by_lane(connection: Connection) -> list[Row]:
    """(lane, how many runs are open)."""
    return connection.execute(_OPEN_BY_LANE).fetchall()


def queued_by_lane(connection: Connection) -> list[Row]:
    """(rank of the lane, how many runs are queued)."""
    return connection.execute(_QUEUED_BY_LANE).fetchall()


# -- steps

_SET_STEP: Final = """
insert into step(run_id, seq, name, call_id, state, attempt, output, effect, at)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 from run where id = ?1 and fence = ?10 and status = 'running'
on conflict(run_id, seq) do update set
  state = excluded.state, attempt = excluded.attempt, output = excluded.output, at = excluded.at"""
_STORY: Final = """
select type, data from event
where run_id = ? and type in ('text.delta', 'reasoning.delta', 'text.reset', 'step.started', 'step.finished')
order by seq"""


def set_step(connection: Connection, values: Sequence[Any]) -> bool:
    """Values: run_id, seq, name, call_id, state, attempt, output as JSON, effect, at; the fence of who writes it. False
    when the run is no longer the writer's."""
    return connection.execute(_SET_STEP, values).rowcount == 1


def steps_of(connection: Connection, run_id: str) -> list[Row]:
    """What a run's earlier attempts did, in order."""
    sql = "select seq, name, call_id, state, output, effect from step where run_id = ? order by seq"
    return connection.execute(sql, (run_id,)).fetchall()


def story_of(connection: Connection, run_id: str) -> list[Row]:
    """(type, data) of the events that tell which text a run sent, and in which step."""
    return connection.execute(_STORY, (run_id,)).fetchall()


# -- threads, messages and feedback

_THREAD: Final = "id, title, agent_id, door, local_only, created_at, updated_at, version"
_MESSAGE: Final = """
select m.id, m.role, m.text, m.run_id, m.answer, m.created_at, f.rating, r.local_only
from message m left join feedback f on f.message_id = m.id left join run r on r.id = m.run_id"""


def add_thread(connection: Connection, values: Sequence[Any]) -> None:
    """Values: id, title, agent_id, owner, door, local_only, created_at, updated_at."""
    connection.execute(
        "insert into thread(id, title, agent_id, owner, door, local_only, created_at, updated_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def thread_of(connection: Connection, owner: str, thread_id: str) -> Row | None:
    """One thread of this owner."""
    return connection.execute(f"select {_THREAD} from thread where id = ? and owner = ?", (thread_id, owner)).fetchone()


def threads_of(connection: Connection, owner: str, after: tuple[float, str] | None, limit: int) -> list[Row]:
    """Threads of this owner, last used first, from behind (updated_at, id)."""
    at, identifier = after or (float("inf"), "")
    return connection.execute(
        f"""select {_THREAD} from thread
        where owner = :owner and updated_at <= :at and (updated_at < :at or id > :id)
        order by updated_at desc, id limit :limit""",
        {"owner": owner, "at": at, "id": identifier, "limit": limit},
    ).fetchall()


def touch_thread(connection: Connection, thread_id: str, now: float, title: str = "") -> None:
    """Note that a thread was used; `title` is for one that has none."""
    connection.execute(
        "update thread set updated_at = max(updated_at, ?), version = version + 1,"
        " title = case title when '' then ? else title end where id = ?",
        (now, title, thread_id),
    )


def add_question(connection: Connection, values: Sequence[Any]) -> None:
    """Values: id, thread_id, run_id, text, created_at. The place behind it is kept free for its answer, so that two
    questions asked in a row do not part from their answers."""
    connection.execute(
        "insert into message(id, thread_id, run_id, role, text, created_at, position)"
        " values (?1, ?2, ?3, 'user', ?4, ?5,"
        " 2 + (select coalesce(max(position) / 2 * 2, -2) from message where thread_id = ?2))",
        values,
    )


def add_answer(connection: Connection, values: Sequence[Any]) -> None:
    """Values: id, thread_id, run_id, text, answer as JSON, created_at."""
    connection.execute(
        "insert into message(id, thread_id, run_id, role, text, answer, created_at, position)"
        " values (?1, ?2, ?3, 'assistant', ?4, ?5, ?6,"
        " 1 + (select position from message where run_id = ?3 and role = 'user'))",
        values,
    )


def messages_of(connection: Connection, thread_id: str) -> list[Row]:
    """A thread's turns, oldest first."""
    return connection.execute(f"{_MESSAGE} where m.thread_id = ? order by m.position", (thread_id,)).fetchall()


def history_of(connection: Connection, thread_id: str, run_id: str) -> list[Row]:
    """The newest turns before a run's own question, oldest first."""
    return connection.execute(
        f"""{_MESSAGE} where m.thread_id = :thread and m.position < (
          select position from message where run_id = :run and role = 'user')
        order by m.position desc limit :limit""",
        {"thread": thread_id, "run": run_id, "limit": HISTORY},
    ).fetchall()[::-1]


def answer_of(connection: Connection, owner: str, thread_id: str, message_id: str) -> Row | None:
    """One of the assistant's turns in a thread of this owner."""
    return connection.execute(
        f"""{_MESSAGE} join thread t on t.id = m.thread_id
        where m.id = ? and m.thread_id = ? and t.owner = ? and m.role = 'assistant'""",
        (message_id, thread_id, owner),
    ).fetchone()


def set_feedback(connection: Connection, values: Sequence[Any]) -> None:
    """Values: message_id, rating, note, owner, at."""
    connection.execute(
        """insert into feedback(message_id, rating, note, owner, at) values (?, ?, ?, ?, ?)
        on conflict(message_id) do update set rating = excluded.rating, note = excluded.note, at = excluded.at""",
        values,
    )


# -- approvals: the person sees everybody's, for it is the person who decides

DUE_APPROVAL: Final = "select 1 from approval where status = 'pending' and expires_at <= ? limit 1"
PENDING_APPROVALS: Final = "select count(*) from approval where status = 'pending' and expires_at > ?"
_VISIBLE_APPROVAL: Final = f"(owner = :owner or :owner = '{PERSON}')"


def add_approval(connection: Connection, values: Mapping[str, Any]) -> None:
    """Values: the columns of the table, up to expires_at; it is pending."""
    columns = ", ".join(values)
    marks = ", ".join(f":{column}" for column in values)
    connection.execute(f"insert into approval({columns}, status) values ({marks}, 'pending')", values)


def approval_of(connection: Connection, owner: str, approval_id: str) -> Row | None:
    """One approval that `owner` may see."""
    return connection.execute(
        f"select * from approval where id = :id and {_VISIBLE_APPROVAL}", {"id": approval_id, "owner": owner}
    ).fetchone()


def approvals_of(connection: Connection, owner: str, status: str | None, limit: int) -> list[Row]:
    """Approvals that `owner` may see: pending first, then newest first."""
    return connection.execute(
        f"""select * from approval where {_VISIBLE_APPROVAL} and (:status is null or status = :status)
        order by status = 'pending' desc, created_at desc, id limit :limit""",
        {"owner": owner, "status": status, "limit": limit},
    ).fetchall()


def decide_approval(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Values: id, decision, by, at, args, sha256, text, remember. False when it was decided or has expired."""
    sql = """
    update approval set status = 'decided', decision = :decision, decided_by = :by, decided_at = :at,
      decided_args = :args, decided_sha256 = :sha256, text = :text, remember = :remember
    where id = :id and status = 'pending' and expires_at > :at"""
    return connection.execute(sql, values).rowcount == 1


def approval_by_effect(connection: Connection, effect_key: str) -> Row | None:
    """The latest question about this effect."""
    return connection.execute(
        "select * from approval where effect_key = ? order by created_at desc, rowid desc limit 1", (effect_key,)
    ).fetchone()


def use_approval(connection: Connection, approval_id: str, user: str, now: float) -> bool:
    """Use a grant up; the same user may come again. False when another has it."""
    sql = "update approval set used_at = coalesce(used_at, ?1), used_by = ?2 where id = ?3 and used_by in ('', ?2)"
    return connection.execute(sql, (now, user, approval_id)).rowcount == 1


def withdraw_approvals(connection: Connection, run_id: str, now: float) -> list[Row]:
    """Nobody needs to decide any more for a run that has ended."""
    return connection.execute(
        """update approval set status = 'expired', decision = 'ignore', decided_at = ?2
        where run_id = ?1 and status = 'pending' returning *""",
        (run_id, now),
    ).fetchall()


def expire_approvals(connection: Connection, now: float) -> list[Row]:
    """Deny what was not answered in time."""
    return connection.execute(
        """update approval set status = 'expired', decision = 'ignore', decided_at = ?1
        where status = 'pending' and expires_at <= ?1 returning *""",
        (now,),
    ).fetchall()
