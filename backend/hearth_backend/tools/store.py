"""The SQL of the tools' room: how to take back what was done."""

from collections.abc import Sequence
from typing import Any, Final

from hearth_backend.storage.driver import Connection, Row

_ADD: Final = "insert into reverse(key, run_id, tool, root, state, at) values (?, ?, ?, ?, 'prepared', ?) returning id"
_ADD_ENTRY: Final = """
insert into reverse_entry(reverse_id, position, path, before_kind, before_mode, before_bytes, before_mtime,
  after_kind, after_mode, after_sha256)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ENTRIES: Final = "select * from reverse_entry where reverse_id = ? order by position"


def add_reverse(connection: Connection, values: Sequence[Any]) -> int:
    """Values: key, run_id, tool, root, at. Replaces one of the same key that was never done."""
    connection.execute("delete from reverse where key = ? and state = 'prepared'", (values[0],))
    return connection.execute(_ADD, values).fetchone()[0]


def add_entry(connection: Connection, values: Sequence[Any]) -> None:
    """Values: reverse_id, position, path, before: kind, mode, bytes, mtime; after: kind, mode, sha256."""
    connection.execute(_ADD_ENTRY, values)


def set_reverse(connection: Connection, key: str, state: str) -> None:
    """Done, or undone."""
    connection.execute("update reverse set state = ? where key = ?", (state, key))


def reverse_of_key(connection: Connection, key: str) -> Row | None:
    """The record of one call."""
    return connection.execute("select * from reverse where key = ?", (key,)).fetchone()


def reverses_of_run(connection: Connection, run_id: str) -> list[Row]:
    """What a run did, the last first."""
    return connection.execute("select * from reverse where run_id = ? order by id desc", (run_id,)).fetchall()


def entries_of(connection: Connection, reverse_id: int) -> list[Row]:
    """The paths of one call, in order."""
    return connection.execute(_ENTRIES, (reverse_id,)).fetchall()


def prune_reverses(connection: Connection, before: float) -> int:
    """Forget how to take back what was done before then; how many went."""
    return connection.execute("delete from reverse where at < ?", (before,)).rowcount
