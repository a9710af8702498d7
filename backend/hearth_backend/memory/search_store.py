"""The SQL of searching: which episodes may be found, and what was said beside a hit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hearth_backend.storage.driver import Connection, Row
from hearth_shared.sites import named, site_of, with_wider

_COLUMNS = "rowid, id, speaker, text"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which episodes may be found; None leaves a column alone. A site's parts belong to it."""

    sources: Sequence[str] | None = None
    sites: Sequence[str] | None = None
    doors: Sequence[str] | None = None
    origins: Sequence[str] | None = None
    projects: Sequence[str] | None = None
    after: datetime | None = None
    before: datetime | None = None

    @property
    def by_column(self) -> Mapping[str, Sequence[str]]:
        """The columns that are asked for by value."""
        columns = {"source": self.sources, "door": self.doors, "origin": self.origins, "project": self.projects}
        return {column: values for column, values in columns.items() if values is not None}


def wanted_rows(connection: Connection, space: str, wanted: Wanted) -> list[int] | None:
    """The rows that fit everything but the times, which the shelf knows; None when nothing is asked for."""
    columns = wanted.by_column
    if not columns and wanted.sites is None:
        return None
    conditions = "".join(f" and {column} in ({_marks(values)})" for column, values in columns.items())
    values = [value for chosen in columns.values() for value in chosen]
    rows = connection.execute(f"select rowid, source from episode where space = ?{conditions}", (space, *values))
    if wanted.sites is None:
        return [row["rowid"] for row in rows]
    sites = {named(site) for site in wanted.sites}
    return [row["rowid"] for row in rows if sites.intersection(with_wider(site_of(row["source"])))]


def beside(connection: Connection, row: Row, most: int) -> list[tuple[int, Row]]:
    """(distance, turn) of at most `most` turns on each side, of the same session, as they were said."""
    if not row["session"]:
        return []
    place = (row["space"], row["session"], row["occurred_at"], row["rowid"], most)
    told = f"select {_COLUMNS} from episode where space = ? and session = ? and (occurred_at, rowid)"
    before = connection.execute(f"{told} < (?, ?) order by occurred_at desc, rowid desc limit ?", place).fetchall()
    after = connection.execute(f"{told} > (?, ?) order by occurred_at, rowid limit ?", place).fetchall()
    earlier = [(-distance, turn) for distance, turn in enumerate(before, 1)]
    return [*reversed(earlier), *enumerate(after, 1)]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
