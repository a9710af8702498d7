"""The SQL of entities: who and what facts speak of, by name and by alias; one space's at a time."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from hearth_backend import ids
from hearth_backend.memory.predicates import ME
from hearth_backend.storage.driver import Connection, Row

ANY: Final = "thing"
"""The kind of an entity of which nothing more is known."""
_ARTICLES: Final = ("the ", "our ", "my ", "der ", "die ", "das ", "mein ", "meine ")


def canonical(name: str) -> str:
    """What makes two names the same: case, width, spaces, a leading article and signs around it do not count."""
    plain = " ".join(unicodedata.normalize("NFKC", name).replace("\0", " ").casefold().split())
    plain = plain.strip(" .,;:!?\"'“”‘’()[]")
    if not plain.startswith(_ARTICLES):
        return plain
    article = next(one for one in _ARTICLES if plain.startswith(one))
    return plain.removeprefix(article) or plain


def find(connection: Connection, space: str, name: str, kind: str = ANY) -> int | None:
    """The entity of this name, else of this alias. Another kind of the same name is another entity, unless one of
    the two kinds is not known."""
    if name.startswith("ent_"):
        row = connection.execute("select rowid from entity where space = ? and id = ?", (space, name)).fetchone()
        if row is not None:
            return row[0]
    key = canonical(name)
    for sql in (
        "select rowid, kind from entity where space = ? and canonical = ? order by rowid",
        "select e.rowid, e.kind from alias a join entity e on e.rowid = a.entity "
        "where a.space = ? and a.canonical = ? order by e.rowid",
    ):
        rows = connection.execute(sql, (space, key)).fetchall()
        same = [row for row in rows if row["kind"] == kind] or [row for row in rows if ANY in (kind, row["kind"])]
        if same:
            return same[0]["rowid"]
    return None


def resolve(connection: Connection, space: str, name: str, kind: str = ANY) -> int:
    """The entity of this name; made when there is none."""
    kind = "person" if canonical(name) == ME else kind or ANY
    found = find(connection, space, name, kind)
    if found is None:
        row = connection.execute(
            "insert into entity(id, space, kind, name, canonical) values (?, ?, ?, ?, ?) returning rowid",
            (ids.new("ent"), space, kind, " ".join(name.split()), canonical(name) or name),
        ).fetchone()
        return row[0]
    if kind != ANY:  # now more is known of it
        connection.execute("update or ignore entity set kind = ? where rowid = ? and kind = ?", (kind, found, ANY))
    return found


def add_alias(connection: Connection, space: str, entity: int, name: str) -> None:
    """Another name of an entity."""
    connection.execute(
        "insert or ignore into alias(space, canonical, entity, name) values (?, ?, ?, ?)",
        (space, canonical(name), entity, " ".join(name.split())),
    )


def rows(connection: Connection, rowids: Iterable[int]) -> dict[int, Row]:
    """Entities by row."""
    wanted = list(dict.fromkeys(rowids))
    found: dict[int, Row] = {}
    for part in chunks(wanted):
        for row in connection.execute(f"select * from entity where rowid in ({marks(part)})", part):
            found[row["rowid"]] = row
    return found


def aliases(connection: Connection, entity: int) -> list[str]:
    """Its other names."""
    found = connection.execute("select name from alias where entity = ? order by name", (entity,))
    return [row["name"] for row in found]


def named(connection: Connection, space: str, words: Sequence[str]) -> list[Row]:
    """Entities whose name or alias is one of these canonical names."""
    found: dict[int, Row] = {}
    for part in chunks(list(words)):
        for row in connection.execute(
            f"select * from entity where space = ? and canonical in ({marks(part)}) union "
            f"select e.* from alias a join entity e on e.rowid = a.entity where a.space = ? "
            f"and a.canonical in ({marks(part)})",
            (space, *part, space, *part),
        ):
            found[row["rowid"]] = row
    return list(found.values())


def newest(connection: Connection, space: str, limit: int) -> list[Row]:
    """The entities that most facts speak of."""
    return connection.execute(
        "select e.*, count(f.rowid) as facts from entity e join fact f on f.retracted_at is null and "
        "(f.subject = e.rowid or f.object = e.rowid) where e.space = ? group by e.rowid "
        "order by facts desc, e.rowid limit ?",
        (space, limit),
    ).fetchall()


def drop_unspoken_of(connection: Connection, rowids: Iterable[int]) -> None:
    """Entities that no fact names any more."""
    for rowid in dict.fromkeys(rowids):
        connection.execute(
            "delete from entity where rowid = ?1 and not exists (select 1 from fact where subject = ?1) "
            "and not exists (select 1 from fact where object = ?1)",
            (rowid,),
        )


def chunks(values: Sequence[int] | Sequence[str], size: int = 900) -> Iterable[list[int | str]]:
    """Parts that stay below SQLite's oldest limit of bound variables."""
    for start in range(0, len(values), size):
        yield list(values[start : start + size])


def marks(values: Sequence[object]) -> str:
    """Placeholders for values."""
    return ",".join("?" * len(values))
