"""The SQL of pinned blocks: one row for each, and every version it ever had until it is deleted."""

from dataclasses import dataclass

from hearth_backend.storage.driver import Connection, Row


@dataclass(frozen=True, slots=True)
class Written:
    """A block's new version."""

    space: str
    label: str
    text: str
    token_limit: int
    version: int
    at: float
    by: str


def get(connection: Connection, space: str, label: str) -> Row | None:
    """A block as it is."""
    return connection.execute("select * from block where space = ? and label = ?", (space, label)).fetchone()


def listed(connection: Connection, space: str) -> list[Row]:
    """A space's blocks."""
    return connection.execute("select * from block where space = ? order by label", (space,)).fetchall()


def history(connection: Connection, space: str, label: str) -> list[Row]:
    """Every version of a block, the newest first."""
    return connection.execute(
        "select * from block_history where space = ? and label = ? order by version desc", (space, label)
    ).fetchall()


def put(connection: Connection, new: Written) -> None:
    """Write a version."""
    values = (new.space, new.label, new.text, new.token_limit, new.version, new.at, new.by)
    connection.execute(
        "insert or replace into block(space, label, text, token_limit, version, changed_at, changed_by) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    connection.execute(
        "insert into block_history(space, label, text, token_limit, version, changed_at, changed_by) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def delete(connection: Connection, space: str, label: str) -> bool:
    """Take a block out with all its versions, overwritten; whether there was one."""
    connection.execute("pragma secure_delete=on").fetchall()
    connection.execute("delete from block_history where space = ? and label = ?", (space, label))
    return connection.execute("delete from block where space = ? and label = ?", (space, label)).rowcount > 0
