"""The SQL of forgetting: which episodes are meant, the bin they lie in until it is emptied, and their way back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hearth_backend.memory.store import Kept, moment
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.protocol.memory import NewEpisode
from hearth_shared.sites import named, site_of, with_wider

_MOST_VARIABLES: Final = 5000
_HELD_S: Final = 600.0
_COLUMNS: Final = (
    *("id", "space", "source", "title", "external_id", "thread_id", "session", "speaker", "occurred_at"),
    *("recorded_at", "text", "trusted", "door", "origin", "project", "sensitivity"),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Episodes that fit all of these; None fits any. A site's parts belong to it."""

    spaces: Sequence[str]
    ids: Sequence[str] | None = None
    thread_id: str | None = None
    source: str | None = None
    site: str | None = None
    project: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    origin: str | None = None
    recorded_before: float | None = None


@dataclass(frozen=True, slots=True)
class Binned:
    """One forgetting that can be taken back."""

    id: str
    at: float
    expires_at: float
    episodes: int


# -- which episodes


def rowids(connection: Connection, selection: Selection) -> list[int]:
    """The rows that are meant, newest first."""
    return [row["rowid"] for row in _chosen(connection, "rowid", selection, "occurred_at desc, rowid desc")]


def oldest(connection: Connection, selection: Selection) -> float | None:
    """When the first of them was stored."""
    row = next(_chosen(connection, "min(recorded_at) as at", selection, "1"), None)
    return None if row is None else row["at"]


def rows_of(connection: Connection, wanted: Sequence[int]) -> list[Row]:
    """Whole rows, in the order wanted; those that are gone are left out."""
    found: dict[int, Row] = {}
    for start in range(0, len(wanted), _MOST_VARIABLES):
        part = wanted[start : start + _MOST_VARIABLES]
        sql = f"select rowid, * from episode where rowid in ({_marks(part)})"
        found |= {row["rowid"]: row for row in connection.execute(sql, part)}
    return [found[rowid] for rowid in wanted if rowid in found]


def _chosen(connection: Connection, what: str, selection: Selection, order: str) -> Iterator[Row]:
    parts, values = [f"space in ({_marks(selection.spaces)})"], list[object](selection.spaces)
    for column in ("thread_id", "source", "project", "origin"):
        if (value := getattr(selection, column)) is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    for sign, bound in ((">=", selection.after), ("<", selection.before)):
        if bound is not None:
            parts.append(f"occurred_at {sign} ?")
            values.append(bound.timestamp())
    if selection.recorded_before is not None:
        parts.append("recorded_at < ?")
        values.append(selection.recorded_before)
    for column, among in (("id", selection.ids), ("source", _sources(connection, selection))):
        if among is not None:
            parts.append(f"{column} in (select value from json_each(?))")
            values.append(json.dumps(list(among)))
    yield from connection.execute(f"select {what} from episode where {' and '.join(parts)} order by {order}", values)


def _sources(connection: Connection, selection: Selection) -> list[str] | None:
    """The addresses of a site, with those of its parts."""
    if selection.site is None:
        return None
    site = named(site_of(selection.site) or selection.site)
    rows = connection.execute(
        f"select distinct source from episode where space in ({_marks(selection.spaces)}) "
        "and (source like 'http://%' or source like 'https://%')",
        selection.spaces,
    )
    return [row["source"] for row in rows if site in with_wider(site_of(row["source"]))]


def is_said_elsewhere(connection: Connection, word: str) -> bool:
    """Whether an episode holds this word, which must be one alphanumeric token."""
    sql = "select 1 from episode_fts where episode_fts match ? limit 1"
    return connection.execute(sql, (f'"{word}"',)).fetchone() is not None


def speakers(connection: Connection) -> list[str]:
    """Everybody who said something."""
    return [row["speaker"] for row in connection.execute("select distinct speaker from episode")]


def thread_exists(connection: Connection, thread_id: str) -> bool:
    """Whether there is such a conversation."""
    return connection.execute("select 1 from thread where id = ?", (thread_id,)).fetchone() is not None


# -- an episode as a value that can be written down


def record(row: Row) -> dict[str, Any]:
    """All of an episode but what can be made of it again."""
    return {name: row[name] for name in _COLUMNS}


def kept(record: Mapping[str, Any]) -> Kept:
    """The same, ready to be stored again. It was checked when it first came."""
    episode = NewEpisode.model_construct(
        **{name: record[name] for name in NewEpisode.model_fields if name != "occurred_at"},
        occurred_at=moment(record["occurred_at"]),
    )
    whole = (record["recorded_at"], record["thread_id"], bool(record["trusted"]), record["door"], record["id"])
    return Kept(episode, *whole)


# -- the bin


def bin_open(connection: Connection, binned: Binned) -> None:
    """A new forgetting, or more for one that there is."""
    connection.execute(
        "insert into forgotten(id, at, expires_at, episodes) values (?, ?, ?, ?) "
        "on conflict(id) do update set episodes = episodes + excluded.episodes",
        (binned.id, binned.at, binned.expires_at, binned.episodes),
    )


def bin_put(connection: Connection, id: str, kind: str, records: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Lay (space, record) into the bin."""
    connection.executemany(
        "insert into forgotten_row(forgotten, kind, space, row) values (?, ?, ?, ?)",
        [(id, kind, space, json.dumps(value, ensure_ascii=False)) for space, value in records],
    )


def bin_threads(connection: Connection, id: str, threads: Iterable[str]) -> None:
    """Note, once, which conversations go as a whole."""
    for thread in threads:
        connection.execute(
            "insert into forgotten_row(forgotten, kind, space, row) select ?1, 'thread', '', ?2 "
            "where not exists (select 1 from forgotten_row where forgotten = ?1 and kind = 'thread' and row = ?2)",
            (id, json.dumps({"id": thread})),
        )


def binned(connection: Connection) -> list[Binned]:
    """What lies in the bin, newest first."""
    rows = connection.execute("select id, at, expires_at, episodes from forgotten order by at desc, id desc")
    return [Binned(*row) for row in rows]


def bin_spaces(connection: Connection, id: str) -> frozenset[str]:
    """The spaces that what was forgotten belonged to."""
    rows = connection.execute("select distinct space from forgotten_row where forgotten = ? and space <> ''", (id,))
    return frozenset(row["space"] for row in rows)


def all_bin_spaces(connection: Connection) -> frozenset[str]:
    """The spaces that anything in the bin belonged to."""
    rows = connection.execute("select distinct space from forgotten_row where space <> ''")
    return frozenset(row["space"] for row in rows)


def bin_records(
    connection: Connection, id: str, kind: str, after: int = 0, most: int = -1
) -> list[tuple[int, dict[str, Any]]]:
    """(place, record), in the order they were put, from behind a place."""
    rows = connection.execute(
        "select rowid, row from forgotten_row where forgotten = ? and kind = ? and rowid > ? order by rowid limit ?",
        (id, kind, after, most),
    )
    return [(row["rowid"], json.loads(row["row"])) for row in rows]


def bin_until(connection: Connection, id: str, until: float) -> None:
    """Keep it until then."""
    connection.execute("update forgotten set expires_at = ? where id = ?", (until, id))


def rowids_of(connection: Connection, wanted: Iterable[str]) -> dict[str, int]:
    """The rows of episodes by id; those that are gone are left out."""
    sql = "select id, rowid from episode where id in (select value from json_each(?))"
    return {row["id"]: row["rowid"] for row in connection.execute(sql, (json.dumps(list(wanted)),))}


def placed(connection: Connection, wanted: Iterable[str]) -> dict[tuple[str, str], int]:
    """The rows of episodes by space and id; those that are gone are left out."""
    sql = "select space, id, rowid from episode where id in (select value from json_each(?))"
    return {(row["space"], row["id"]): row["rowid"] for row in connection.execute(sql, (json.dumps(list(wanted)),))}


def staying(connection: Connection, wanted: Iterable[str]) -> frozenset[str]:
    """Those of these episodes that must stay on this machine."""
    sql = "select id from episode where id in (select value from json_each(?)) and sensitivity <> 'normal'"
    return frozenset(row["id"] for row in connection.execute(sql, (json.dumps(list(wanted)),)))


def lines_citing(connection: Connection, rowids: Sequence[int]) -> int:
    """Lines of summaries that cite one of these episodes, and go with it."""
    sql = "select count(distinct line) from summary_source where episode in (select value from json_each(?))"
    return connection.execute(sql, (json.dumps(list(rowids)),)).fetchone()[0]


def stored_again(connection: Connection, records: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Ids of those that were stored anew since: their text is alive."""
    sql = "select 1 from episode where space = ? and source = ? and external_id = ?"
    return frozenset(
        one["id"]
        for one in records
        if connection.execute(sql, (one["space"], one["source"], one["external_id"])).fetchone()
    )


def bin_empty(connection: Connection, id: str) -> None:
    """Overwrite what it held; that there is still something to do for it is kept."""
    connection.execute("pragma secure_delete=on").fetchall()
    connection.execute("delete from forgotten_row where forgotten = ?", (id,))


def bin_hold(connection: Connection, id: str, now: float) -> bool:
    """Keep it from being erased while it is brought back; False when its time is over."""
    sql = "update forgotten set expires_at = expires_at + ? where id = ? and expires_at > ?"
    return connection.execute(sql, (_HELD_S, id, now)).rowcount == 1


def bin_drop(connection: Connection, id: str) -> None:
    """Take it out; what it held is overwritten."""
    bin_empty(connection, id)
    connection.execute("delete from forgotten where id = ?", (id,))


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
