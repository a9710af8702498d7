"""All SQL of the memory room. Each function takes a connection and runs inside a transaction of the database."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hearth_backend import ids
from hearth_backend.memory import facts_store, reading_store
from hearth_backend.memory.shelf import Turn
from hearth_backend.memory.text import said, windows
from hearth_backend.memory.vector_store import enqueue, models
from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.protocol.memory import Episode, NewEpisode, Origin
from hearth_shared.sites import is_page

_KIND = "episode"
_AS_STORED = (
    *("id", "space", "external_id", "source", "title", "session", "speaker", "text"),
    *("door", "origin", "project", "sensitivity"),
)
_MERGED_PAGES = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """An episode with what its giver does not decide. `id` is for one that was there before."""

    episode: NewEpisode
    recorded_at: float
    thread_id: str | None
    trusted: bool
    door: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What `add` did: ids in the order given, and every row whose text or window is new."""

    ids: list[str]
    new: int
    touched: list[int]


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` took out, and the neighbours whose windows changed."""

    vectors: int
    facts: int
    touched: list[int]


# -- writing


def add(
    connection: Connection,
    space: str,
    episodes: Sequence[NewEpisode],
    thread_id: str | None,
    trusted: bool,
    now: float,
    door: str = "",
) -> Added:
    """Store what is not there yet, all of it new and from one door."""
    return keep(connection, space, [Kept(episode, now, thread_id, trusted, door) for episode in episodes])


def keep(connection: Connection, space: str, given: Sequence[Kept]) -> Added:
    """Store what is not there yet, with its windows and its place in the outbox; mend the neighbours' windows."""
    _overwrite_deleted(connection)
    known = {_key(one.episode): found for one in given if (found := _stored(connection, space, one.episode))}
    fresh: dict[tuple[str, str], Kept] = {}
    for one in given:
        if _key(one.episode) not in known:
            fresh.setdefault(_key(one.episode), one)
    woven, mended = _weave(connection, space, [one.episode for one in fresh.values()])
    touched: list[int] = []
    for (key, one), window in zip(fresh.items(), woven, strict=True):
        known[key] = one.id if one.id and not _is_taken(connection, one.id) else ids.new("epi")
        touched.append(_insert(connection, known[key], space, one, window))
    for rowid, window in mended:
        connection.execute("update episode set window = ? where rowid = ?", (window, rowid))
        touched.append(rowid)
    enqueue(connection, touched)
    return Added([known[_key(one.episode)] for one in given], len(fresh), touched)


def remove(connection: Connection, rows: Sequence[Row]) -> Removed:
    """Delete episodes with their words, vectors, outbox rows and the facts that rest on nothing else."""
    _overwrite_deleted(connection)
    gone = [row["rowid"] for row in rows]
    beside = {rowid for row in rows for rowid in _beside(connection, row)} - set(gone)
    facts = facts_store.remove_facts(connection, gone)
    reading_store.remove_lines(connection, gone)
    vectors = sum(_remove_vectors(connection, _KIND, rowid) for rowid in gone)
    queued = "delete from outbox where owner_kind = ? and owner_rowid in (select value from json_each(?))"
    connection.execute(queued, (_KIND, json.dumps(gone)))  # it has no index by row: one look for all of them
    connection.executemany("delete from episode where rowid = ?", [(rowid,) for rowid in gone])
    touched = sorted(beside)
    for rowid in touched:
        _mend(connection, rowid)
    enqueue(connection, touched)
    return Removed(vectors, facts, touched)


def merge_words(connection: Connection, first: bool) -> bool:
    """One step of rewriting the word index without what was deleted; False when nothing is left to do.

    FTS5 only notes deletions until its segments are merged; the steps follow its manual's incremental 'optimize'.
    """
    before = connection.total_changes
    pages = -_MERGED_PAGES if first else _MERGED_PAGES
    connection.execute("insert into episode_fts(episode_fts, rank) values ('merge', ?)", (pages,))
    return connection.total_changes - before >= 2


def _overwrite_deleted(connection: Connection) -> None:
    connection.execute("pragma secure_delete=on").fetchall()  # what is deleted is overwritten with zeros


def _key(episode: NewEpisode) -> tuple[str, str]:
    return episode.source, episode.external_id


def _stored(connection: Connection, space: str, episode: NewEpisode) -> str | None:
    row = connection.execute(
        "select id from episode where space = ? and source = ? and external_id = ?", (space, *_key(episode))
    ).fetchone()
    return row["id"] if row else None


def _is_taken(connection: Connection, id: str) -> bool:
    return connection.execute("select 1 from episode where id = ?", (id,)).fetchone() is not None


def _insert(connection: Connection, id: str, space: str, kept: Kept, window: str) -> int:
    episode = kept.episode
    row = connection.execute(
        "insert into episode(id, space, source, title, external_id, thread_id, session, speaker, occurred_at, "
        "recorded_at, text, window, sha256, trusted, door, origin, project, sensitivity) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning rowid",
        (
            *(id, space, episode.source, episode.title, episode.external_id, kept.thread_id),
            *(episode.session, episode.speaker),
            *(episode.occurred_at.timestamp(), kept.recorded_at, episode.text, window),
            *(hashlib.sha256(episode.text.encode()).digest(), kept.trusted),
            *(kept.door, episode.origin or _origin(episode.source), episode.project, episode.sensitivity),
        ),
    ).fetchone()
    return row[0]


def _origin(source: str) -> Origin:
    return "page" if is_page(source) else "note"


# -- windows: each turn with the one before and after it in its session


@dataclass(frozen=True, slots=True)
class _Placed:
    """A turn in its session; `rowid` is 0 and `fresh` its place in the batch while it is not stored."""

    at: float
    rowid: int
    fresh: int
    said: str
    window: str


def _weave(connection: Connection, space: str, fresh: list[NewEpisode]) -> tuple[list[str], list[tuple[int, str]]]:
    """The windows of new turns, and the new windows of stored ones beside them."""
    woven = [said(episode.speaker, episode.text) for episode in fresh]
    mended: list[tuple[int, str]] = []
    for session in dict.fromkeys(episode.session for episode in fresh if episode.session):
        new = [
            _Placed(episode.occurred_at.timestamp(), 0, place, woven[place], "")
            for place, episode in enumerate(fresh)
            if episode.session == session
        ]
        line = sorted([*_around(connection, space, session, new), *new], key=lambda p: (p.at, p.fresh, p.rowid))
        for place, window in enumerate(windows([placed.said for placed in line])):
            placed = line[place]
            if placed.fresh >= 0:
                woven[placed.fresh] = window
            elif any(beside.fresh >= 0 for beside in line[max(0, place - 1) : place + 2]):
                mended.append((placed.rowid, window))
    return woven, mended


def _around(connection: Connection, space: str, session: str, new: list[_Placed]) -> Iterator[_Placed]:
    """Stored turns between the first and the last new one, and two more on each side."""
    first, last = min(placed.at for placed in new), max(placed.at for placed in new)
    columns = "select rowid, occurred_at, speaker, text from episode where space = ? and session = ?"
    for condition, values in (
        ("occurred_at < ? order by occurred_at desc, rowid desc limit 2", (first,)),
        ("occurred_at between ? and ?", (first, last)),
        ("occurred_at > ? order by occurred_at, rowid limit 2", (last,)),
    ):
        for row in connection.execute(f"{columns} and {condition}", (space, session, *values)):
            yield _Placed(row["occurred_at"], row["rowid"], -1, said(row["speaker"], row["text"]), "")


def _beside(connection: Connection, row: Row) -> Iterator[int]:
    if not row["session"]:
        return
    place = (row["space"], row["session"], row["occurred_at"], row["rowid"])
    for condition in (
        "(occurred_at, rowid) < (?, ?) order by occurred_at desc, rowid desc",
        "(occurred_at, rowid) > (?, ?) order by occurred_at, rowid",
    ):
        found = connection.execute(
            f"select rowid from episode where space = ? and session = ? and {condition} limit 1", place
        ).fetchone()
        if found:
            yield found["rowid"]


def _mend(connection: Connection, rowid: int) -> None:
    columns = "select rowid, space, session, occurred_at, speaker, text from episode where rowid = ?"
    row = connection.execute(columns, (rowid,)).fetchone()
    line = [row, *(connection.execute(columns, (other,)).fetchone() for other in _beside(connection, row))]
    line.sort(key=lambda turn: (turn["occurred_at"], turn["rowid"]))
    window = " ".join(said(turn["speaker"], turn["text"]) for turn in line)
    connection.execute("update episode set window = ? where rowid = ?", (window, rowid))


# -- what hangs on an episode


def _remove_vectors(connection: Connection, kind: str, rowid: int) -> int:
    return sum(
        connection.execute(
            "delete from embedding where model_id = ? and owner_kind = ? and owner_rowid = ?", (model, kind, rowid)
        ).rowcount
        for model in models(connection)
    )


# -- reading


def turns(connection: Connection, space: str, model: str, rowids: Sequence[int] | None = None) -> Iterator[Turn]:
    """A space's turns with their vectors; all of them, or those of `rowids` that exist."""
    vector = "left join embedding {0} on {0}.model_id = ? and {0}.owner_kind = ? and {0}.owner_rowid = e.rowid"
    wanted = "" if rowids is None else f" and e.rowid in ({_marks(rowids)})"
    rows = connection.execute(
        "select e.rowid, e.session, e.speaker, e.source, e.occurred_at, e.text, t.vector, w.vector from episode e "
        f"{vector.format('t')} and t.part = 'text' {vector.format('w')} and w.part = 'window' "
        f"where e.space = ?{wanted}",
        (model, _KIND, model, _KIND, space, *(rowids or ())),
    )
    return (Turn(*row) for row in rows)


def spaces(connection: Connection) -> list[str]:
    """The spaces that hold something, found by one step of an index each."""
    rows = connection.execute(
        "with recursive found(space) as (select min(space) from episode union all "
        "select (select min(space) from episode where space > found.space) from found where found.space is not null) "
        "select space from found where space is not null"
    )
    return [row["space"] for row in rows]


def size(connection: Connection, space: str) -> int:
    """Episodes in a space."""
    return connection.execute("select count(*) from episode where space = ?", (space,)).fetchone()[0]


def all_rows(connection: Connection) -> int:
    """Texts in the word index, over all spaces."""
    return connection.execute("select count(*) from episode").fetchone()[0]


def episodes(connection: Connection, space: str, rowids: Sequence[int]) -> dict[int, Row]:
    """Episodes of a space by row."""
    rows = connection.execute(
        f"select rowid, * from episode where rowid in ({_marks(rowids)}) and space = ?", (*rowids, space)
    )
    return {row["rowid"]: row for row in rows}


def by_ids(connection: Connection, wanted: Sequence[str], spaces: Sequence[str]) -> list[Row]:
    """Episodes by id, in the order wanted; what is in no such space is left out."""
    found = {
        row["id"]: row
        for row in connection.execute(
            f"select rowid, * from episode where id in ({_marks(wanted)}) and space in ({_marks(spaces)})",
            (*wanted, *spaces),
        )
    }
    return [found[id] for id in dict.fromkeys(wanted) if id in found]


def newest(connection: Connection, space: str, limit: int, before: tuple[float, int] | None) -> list[Row]:
    """Episodes of a space, newest first, from before a place in that list on."""
    place = "" if before is None else " and (occurred_at, rowid) < (?, ?)"
    return connection.execute(
        f"select rowid, * from episode where space = ?{place} order by occurred_at desc, rowid desc limit ?",
        (space, *(before or ()), limit),
    ).fetchall()


def keyed_hashes(connection: Connection, space: str) -> dict[str, tuple[str, bytes]]:
    """(id, hash of the text) by external id."""
    rows = connection.execute("select external_id, id, sha256 from episode where space = ?", (space,))
    return {row["external_id"]: (row["id"], row["sha256"]) for row in rows}


def counts(connection: Connection, documentation: str) -> dict[str, int]:
    """Episodes of the person, passages of the documentation, and how many of both wait for a vector."""
    total, own = all_rows(connection), size(connection, documentation)
    queued = connection.execute("select count(distinct owner_rowid) from outbox where owner_kind = ?", (_KIND,))
    return {"episodes": total - own, "documentation": own, "waiting": queued.fetchone()[0]}


def vectors_of(connection: Connection, rowids: Sequence[int]) -> int:
    """Vectors that hang on episodes."""
    return sum(
        connection.execute(
            "select count(*) from embedding where model_id = ? and owner_kind = ? "
            f"and owner_rowid in ({_marks(rowids)})",
            (model, _KIND, *rowids),
        ).fetchone()[0]
        for model in models(connection)
    )


def episode(row: Row) -> Episode:
    """An episode as it goes over the wire."""
    return Episode(
        **{name: row[name] for name in _AS_STORED},
        occurred_at=moment(row["occurred_at"]),
        recorded_at=moment(row["recorded_at"]),
        trusted=bool(row["trusted"]),
    )


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


class Scratch:
    """A word index of texts that are not kept; lives in memory, in one thread, inside a `with`."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._connection = driver.in_memory()
        self._connection.execute(
            "create virtual table passage using fts5(text, tokenize='porter unicode61 remove_diacritics 2')"
        )
        self._connection.executemany("insert into passage(rowid, text) values (?, ?)", enumerate(texts))

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def occurrences(self, term: str) -> list[tuple[int, float]]:
        """(place, BM25) of the texts that hold one alphanumeric token."""
        return self._connection.execute(
            "select rowid, -bm25(passage) from passage where passage match ?", (f'"{term}"',)
        ).fetchall()
