"""The SQL of cleaning the journal: which tasks may quote something, their texts, and how one is replaced."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hearth_backend.memory.gone import Gone
from hearth_backend.storage.driver import Connection, Row

_EPISODE: Final = re.compile(r"epi_[0-9a-f]+")
_AT_WORK: Final = "status = 'running'"
_RUN: Final = ("goal", "context", "answer", "failure")


@dataclass(frozen=True, slots=True)
class Entry:
    """One text of the journal: `column` of `table`, at `key`. `kind` is an event's type, or the run a title is of."""

    table: str
    key: tuple[object, ...]
    column: str
    text: str
    kind: str = ""
    thread_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What an entry is to be."""

    entry: Entry
    text: str


# where each entry stands, and by what it is found
_PLACES: Final = {
    ("run", "goal"): "update run set goal = ? where id = ?",
    ("run", "context"): "update run set context = ? where id = ?",
    ("run", "answer"): "update run set answer = ? where id = ?",
    ("run", "failure"): "update run set failure = ? where id = ?",
    ("step", "output"): "update step set output = ? where run_id = ? and seq = ?",
    ("event", "data"): "update event set data = ? where seq = ?",
    ("message", "question"): "update message set text = ? where id = ?",
    ("message", "said"): "update message set text = ? where id = ?",
    ("message", "answer"): "update message set answer = ? where id = ?",
    ("approval", "args"): "update approval set args = ? where id = ?",
    ("approval", "quotes"): "update approval set quotes = ? where id = ?",
    ("thread", "title"): "update thread set title = ? where id = ?",
    ("working", "task"): "update working set task = ? where thread_id = ?",
}


def quoting(connection: Connection, gone: Gone) -> list[str]:
    """Runs in which it was said, for which it was read, or that belong to its threads, oldest first."""
    found: set[str] = set()
    for sql, wanted in (
        ("select id from run where id in (select value from json_each(?))", gone.turns),
        ("select id from run where thread_id in (select value from json_each(?))", gone.threads),
    ):
        found |= {row["id"] for row in connection.execute(sql, (json.dumps(sorted(wanted)),))}
    if gone.ids:
        found |= _readers(connection, gone)
    if gone.sources:
        found |= _beside(connection, gone)
    return sorted(found)  # ids come in the order of making


def _readers(connection: Connection, gone: Gone) -> set[str]:
    rows = connection.execute(
        "select run_id, output from step where name in ('recall', 'tool.recall') and output like '%\"epi_%'"
    )
    return {row["run_id"] for row in rows if not gone.ids.isdisjoint(_EPISODE.findall(row["output"]))}


def _beside(connection: Connection, gone: Gone) -> set[str]:
    """Runs beside whose question a page of these addresses was laid."""
    rows = connection.execute("select id, context from run where context like '%http%'")
    return {row["id"] for row in rows if any(source in row["context"] for source in gone.sources)}


def entries_of(connection: Connection, run: str) -> list[Entry]:
    """Every text of a run, its own row first."""
    row = connection.execute("select * from run where id = ?", (run,)).fetchone()
    if row is None:
        return []
    thread = row["thread_id"]
    own = [Entry("run", (run,), column, row[column], "", thread) for column in _RUN if row[column]]
    steps = connection.execute("select seq, output from step where run_id = ? and output is not null", (run,))
    events = connection.execute("select seq, type, data from event where run_id = ? order by seq", (run,))
    messages = connection.execute("select id, role, text, answer from message where run_id = ?", (run,))
    approvals = connection.execute("select id, args, quotes from approval where run_id = ?", (run,))
    return [
        *own,
        *(Entry("step", (run, row["seq"]), "output", row["output"]) for row in steps),
        *(Entry("event", (row["seq"],), "data", row["data"], row["type"]) for row in events),
        *(entry for row in messages for entry in _message(row)),
        *(Entry("approval", (row["id"],), name, row[name]) for row in approvals for name in ("args", "quotes")),
    ]


def _message(row: Row) -> Iterable[Entry]:
    yield Entry("message", (row["id"],), "question" if row["role"] == "user" else "said", row["text"])
    if row["answer"]:
        yield Entry("message", (row["id"],), "answer", row["answer"])


def titles_of(connection: Connection, threads: Iterable[str]) -> list[Entry]:
    """The names of threads, each with the run that began it."""
    rows = connection.execute(
        "select t.id, t.title, (select run_id from message where thread_id = t.id order by position limit 1) as first "
        "from thread t where t.id in (select value from json_each(?))",
        (json.dumps(sorted(threads)),),
    )
    return [Entry("thread", (row["id"],), "title", row["title"], row["first"] or "", row["id"]) for row in rows]


def tasks_set(connection: Connection) -> list[Entry]:
    """What doors said is worked on, in any thread; it is there for an hour."""
    rows = connection.execute("select thread_id, task from working")
    return [Entry("working", (row["thread_id"],), "task", row["task"], "", row["thread_id"]) for row in rows]


def apply(connection: Connection, changes: Sequence[Change]) -> None:
    """Replace texts; what was there is overwritten."""
    connection.execute("pragma secure_delete=on").fetchall()
    for change in changes:
        entry = change.entry
        connection.execute(_PLACES[entry.table, entry.column], (change.text, *entry.key))


def any_at_work(connection: Connection, runs: Sequence[str]) -> bool:
    """Whether one of these runs has not ended."""
    sql = f"select 1 from run where id in (select value from json_each(?)) and {_AT_WORK} limit 1"
    return connection.execute(sql, (json.dumps(list(runs)),)).fetchone() is not None
