"""SQL of vectors: the outbox of texts to embed, the vectors themselves, and the feed of their index.

Vectors in SQLite are the truth. Each function takes a connection and runs inside a transaction of the database; what
is put, changed or removed here is noted in `index_feed` by triggers, in the same transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hearth_backend.storage.driver import Connection

_KIND = "episode"
_VERSION_BYTES = 8
Keyed = tuple[str, bytes]  # a key of the index, and its vector


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows to embed as they are now, and the outbox number up to which that serves.

    `embedded` are those whose text has its vector already: only their window is new.
    """

    up_to: int
    rows: list[tuple[int, str, str, str]]  # rowid, space, text, window
    embedded: frozenset[int]


@dataclass(frozen=True, slots=True)
class Feed:
    """What the index has to be told, and the number in its feed up to which that serves."""

    up_to: int
    put: list[Keyed]
    remove: list[str]


def key(rowid: int, vector: bytes) -> str:
    """A vector's name in the index; the triggers write the same version."""
    return f"{rowid}-{vector[:_VERSION_BYTES].hex().upper()}"


# -- the outbox


def enqueue(connection: Connection, rowids: Iterable[int]) -> None:
    """These rows' texts or windows are new."""
    connection.executemany(
        "insert into outbox(operation, owner_kind, owner_rowid) values ('upsert', ?, ?)",
        [(_KIND, rowid) for rowid in rowids],
    )


def waiting(connection: Connection, model: str, most: int) -> Waiting | None:
    """The oldest rows to embed; None when the outbox is empty."""
    queued = connection.execute(
        "select seq, owner_rowid from outbox where owner_kind = ? order by seq limit ?", (_KIND, most)
    ).fetchall()
    if not queued:
        return None
    rowids = list(dict.fromkeys(row["owner_rowid"] for row in queued))
    rows = connection.execute(
        "select rowid, space, text, window, exists (select 1 from embedding where model_id = ? and owner_kind = ? and "
        f"owner_rowid = episode.rowid and part = 'text') as there from episode where rowid in ({_marks(rowids)})",
        (model, _KIND, *rowids),
    ).fetchall()
    there = frozenset(row["rowid"] for row in rows if row["there"])
    return Waiting(queued[-1]["seq"], [(row["rowid"], row["space"], row["text"], row["window"]) for row in rows], there)


def is_work_left(connection: Connection, model: str, documentation: str) -> bool:
    """Whether the person's own episodes wait for vectors, or vectors of another model are to be replaced."""
    waits = connection.execute(
        "select 1 from outbox join episode on episode.rowid = owner_rowid where owner_kind = ? and space <> ? limit 1",
        (_KIND, documentation),
    ).fetchone()
    return waits is not None or bool(set(models(connection)) - {model})


def put_vectors(
    connection: Connection, model: str, dim: int, vectors: Iterable[tuple[int, str, bytes]], up_to: int
) -> None:
    """Keep vectors of episodes that still exist, and take what they answer out of the outbox."""
    connection.executemany(
        "insert into embedding(model_id, owner_kind, owner_rowid, part, dim, vector) "
        "select ?, ?, rowid, ?, ?, ? from episode where rowid = ? "
        "on conflict(model_id, owner_kind, owner_rowid, part) "
        "do update set dim = excluded.dim, vector = excluded.vector",
        [(model, _KIND, part, dim, vector, rowid) for rowid, part, vector in vectors],
    )
    connection.execute("delete from outbox where owner_kind = ? and seq <= ?", (_KIND, up_to))


def enqueue_missing(connection: Connection, model: str) -> int:
    """Queue what has no vector of `model`: another model was used before, or none was there."""
    missing = connection.execute(
        "select rowid from episode where not exists (select 1 from embedding where model_id = ? and owner_kind = ? "
        "and owner_rowid = episode.rowid and part = 'text') "
        "and rowid not in (select owner_rowid from outbox where owner_kind = ?)",
        (model, _KIND, _KIND),
    ).fetchall()
    enqueue(connection, [row["rowid"] for row in missing])
    return len(missing)


# -- models


def models(connection: Connection) -> list[str]:
    """The embedding models there are vectors of; one step per model, where `distinct` would read all vectors."""
    rows = connection.execute(
        "with recursive model(id) as (select min(model_id) from embedding union all "
        "select (select min(model_id) from embedding where model_id > model.id) from model where model.id is not null) "
        "select id from model where id is not null"
    )
    return [row["id"] for row in rows]


def searched_model(connection: Connection) -> str | None:
    """The model whose vectors are searched; None before the first. Databases from before models could change name
    none: there it is the one whose vectors there are."""
    row = connection.execute("select model_id from searched_model").fetchone()
    if row is not None:
        return row["model_id"]
    known = models(connection)
    return known[0] if len(known) == 1 else None


def settle_searched_model(connection: Connection) -> str | None:
    """`searched_model`, written down, so that it stays the same once there are vectors of another one."""
    found = searched_model(connection)
    if found is not None:
        connection.execute("insert or ignore into searched_model(one, model_id) values (1, ?)", (found,))
    return found


def switch_model(connection: Connection, model: str) -> None:
    """From this transaction on, `model`'s vectors are searched. The others are no longer told to any index."""
    connection.execute("insert or replace into searched_model(one, model_id) values (1, ?)", (model,))
    connection.execute("delete from vector_index where model_id <> ?", (model,))
    connection.execute("delete from index_feed where model_id <> ?", (model,))


def drop_other_models(connection: Connection, model: str, most: int) -> bool:
    """Delete up to `most` vectors of models that are no longer used; False when none was left."""
    others = [other for other in models(connection) if other != model]
    for other in others:
        connection.execute(
            "delete from embedding where model_id = ? and (owner_kind, owner_rowid, part) in "
            "(select owner_kind, owner_rowid, part from embedding where model_id = ? limit ?)",
            (other, other, most),
        )
    return bool(others)


# -- what the index is told


def vectors_after(connection: Connection, model: str, rowid: int, most: int) -> list[tuple[int, bytes]]:
    """(row, vector) of texts, by row, from behind a row on."""
    cursor = connection.cursor()
    cursor.row_factory = None  # plain tuples: a rebuild reads all there is
    return cursor.execute(
        "select owner_rowid, vector from embedding where model_id = ? and owner_kind = ? and part = 'text' "
        "and owner_rowid > ? order by owner_rowid limit ?",
        (model, _KIND, rowid, most),
    ).fetchall()


def vectors_at(connection: Connection, model: str, rowids: Sequence[int]) -> dict[int, bytes]:
    """The texts' vectors of rows that have one."""
    rows = connection.execute(
        "select owner_rowid, vector from embedding where model_id = ? and owner_kind = ? and part = 'text' "
        f"and owner_rowid in ({_marks(rowids)})",
        (model, _KIND, *rowids),
    )
    return {row["owner_rowid"]: row["vector"] for row in rows}


def begin_index(connection: Connection, model: str) -> None:
    """An index of `model` is made from here on: every later change is noted for it."""
    connection.execute("insert or replace into vector_index(model_id, whole) values (?, 0)", (model,))
    connection.execute("delete from index_feed where model_id = ?", (model,))


def finish_index(connection: Connection, model: str) -> None:
    """It holds everything now, but for its feed."""
    connection.execute("update vector_index set whole = 1 where model_id = ?", (model,))


def index_is_whole(connection: Connection, model: str) -> bool:
    """Whether an index was finished."""
    row = connection.execute("select whole from vector_index where model_id = ?", (model,)).fetchone()
    return row is not None and bool(row["whole"])


def feed(connection: Connection, model: str, most: int) -> Feed | None:
    """The oldest of what the index was not told yet, as the vectors are now; None when there is nothing."""
    noted = connection.execute(
        "select seq, owner_rowid, version from index_feed where model_id = ? order by seq limit ?", (model, most)
    ).fetchall()
    if not noted:
        return None
    rows = {row["owner_rowid"] for row in noted}
    now = {key(rowid, vector): vector for rowid, vector in vectors_at(connection, model, sorted(rows)).items()}
    told = dict.fromkeys(f"{row['owner_rowid']}-{row['version']}" for row in noted)
    put = [(name, now[name]) for name in told if name in now]
    return Feed(noted[-1]["seq"], put, [name for name in told if name not in now])


def feed_told(connection: Connection, model: str, up_to: int) -> None:
    """The index has it."""
    connection.execute("delete from index_feed where model_id = ? and seq <= ?", (model, up_to))


def feed_size(connection: Connection, model: str) -> tuple[int, int]:
    """(entries the index was not told, those of them that are removals)."""
    row = connection.execute(
        "select count(*), coalesce(sum(gone), 0) from index_feed where model_id = ?", (model,)
    ).fetchone()
    return row[0], row[1]


def not_told(connection: Connection, model: str, most: int) -> list[int]:
    """Rows with a vector that the index does not know yet."""
    rows = connection.execute(
        "select distinct owner_rowid from index_feed where model_id = ? and gone = 0 limit ?", (model, most)
    )
    return [row["owner_rowid"] for row in rows]


def vectors_there(connection: Connection, model: str) -> int:
    """How many texts have a vector of `model`: all episodes but those in the outbox without one.

    Counting the vectors themselves would read all of them.
    """
    total = connection.execute("select count(*) from episode").fetchone()[0]
    lacking = connection.execute(
        "select count(distinct owner_rowid) from outbox join episode on episode.rowid = owner_rowid "
        "where owner_kind = ? and not exists (select 1 from embedding where model_id = ? and owner_kind = ? "
        "and owner_rowid = episode.rowid and part = 'text')",
        (_KIND, model, _KIND),
    ).fetchone()[0]
    return total - lacking


def largest_space(connection: Connection) -> int:
    """Episodes in the space that holds most of them."""
    row = connection.execute("select max(held) from (select count(*) as held from episode group by space)").fetchone()
    return row[0] or 0


def last_row(connection: Connection) -> int:
    """The highest row number of an episode; 0 when there is none."""
    return connection.execute("select max(rowid) from episode").fetchone()[0] or 0


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
