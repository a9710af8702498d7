"""The SQL of facts. What is kept is who said what when; intervals are settled from that anew whenever it changes.

So a fact that comes late displaces nothing, one that is taken back or forgotten leaves the store as if it had never
been said, and reading an episode twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from hearth_backend import ids
from hearth_backend.memory import entity_store
from hearth_backend.memory.entity_store import canonical, chunks, marks
from hearth_backend.memory.predicates import Cardinality, cardinality, predicate, search_terms
from hearth_backend.memory.timeline import Assertion, Role, Segment, timeline
from hearth_backend.storage.driver import Connection, Row

Outcome = Literal["added", "confirmed", "updated", "backfilled", "ended"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What an episode says: `subject` and, when the predicate's objects are entities, `value` are names in `space`.

    `at` is when it began to hold (or ended), `recorded_at` when we came to know. Only a person's click has no episode,
    and only for an end.
    """

    space: str
    subject: str
    predicate: str
    value: str
    at: float
    recorded_at: float
    episode: int | None
    span: tuple[int, int] = (0, 0)
    role: Role = "says"
    trusted: bool = True
    confidence: float = 1.0
    extractor: str = "person"
    subject_kind: str = entity_store.ANY
    retracted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """The fact that a claim belongs to, and what the claim did."""

    fact: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Line:
    """All that is said of one subject by one predicate; of one value, where there may be many."""

    space: str
    subject: int
    predicate: str
    trusted: int
    key: str | None  # None: one value at a time, so all values are in one line


_PLAIN: Final = (
    *("space", "subject", "subject_kind", "predicate", "value", "role", "at", "recorded_at", "retracted_at"),
    *("episode", "confidence", "extractor"),
)
_OF_LINE: Final = "f.space = ? and f.subject = ? and f.predicate = ? and f.trusted = ?"


def put(connection: Connection, claim: Claim) -> Put:
    """Record a claim. The same one from the same episode changes nothing, even where it was taken back since."""
    subject = entity_store.resolve(connection, claim.space, claim.subject, claim.subject_kind)
    kind = predicate(claim.predicate).kind
    target = entity_store.resolve(connection, claim.space, claim.value, kind) if kind else None
    key = canonical(claim.value) if target is None else _name_of(connection, target)
    one = cardinality(claim.predicate)
    line = _Line(claim.space, subject, claim.predicate, int(claim.trusted), None if one == "one" else key)
    if (known := _already(connection, line, key, claim)) is not None:
        return Put(known, "confirmed" if claim.role == "says" else "ended")
    fact = _new_fact(connection, line, key, claim.value, target, one, claim)
    source = _new_source(connection, fact, claim)
    if claim.retracted_at is not None:
        connection.execute("update fact set retracted_at = ? where rowid = ?", (claim.retracted_at, fact))
        return Put(fact, "added")
    return _outcome(_settle(connection, line), source)


def retract(connection: Connection, fact: int, now: float) -> None:
    """It was never true. History keeps it, answers do not; what it had closed is open again."""
    row = by_row(connection, fact)
    connection.execute("update fact_source set retracted_at = ? where fact = ? and retracted_at is null", (now, fact))
    connection.execute(
        "update fact set retracted_at = ?, superseded_by = null where rowid = ? and retracted_at is null", (now, fact)
    )
    _settle(connection, _line_of(row))


def end(connection: Connection, fact: int, at: float, now: float) -> None:
    """It stopped being true at `at`, says the person."""
    row = by_row(connection, fact)
    connection.execute(
        "insert into fact_source(fact, episode, role, at, recorded_at, span_start, span_end, confidence, extractor) "
        "values (?, null, 'ends', ?, ?, 0, 0, 1, 'person')",
        (fact, at, now),
    )
    _settle(connection, _line_of(row))


def merge(connection: Connection, keep: int, gone: int) -> None:
    """Two entities are one: the second's facts and names become the first's."""
    old, new = (entity_store.rows(connection, [rowid])[rowid] for rowid in (gone, keep))
    facts = connection.execute("select rowid from fact where subject = ?1 or object = ?1", (gone,)).fetchall()
    rowids = [row["rowid"] for row in facts]
    for rowid in rowids:
        connection.execute("update fact set valid_to = valid_from where rowid = ?", (rowid,))
        connection.execute("update fact set subject = ? where rowid = ? and subject = ?", (keep, rowid, gone))
        connection.execute(
            "update fact set object = ?, canonical = ? where rowid = ? and object = ?",
            (keep, new["canonical"], rowid, gone),
        )
    for name in (old["name"], *entity_store.aliases(connection, gone)):
        entity_store.add_alias(connection, new["space"], keep, name)
    connection.execute("delete from entity where rowid = ?", (gone,))
    for line in dict.fromkeys(_line_of(by_row(connection, rowid)) for rowid in rowids):
        _settle(connection, line)
    for rowid in rowids:
        _index(connection, rowid)


# -- forgetting


def facts_of(connection: Connection, episodes: Sequence[int]) -> list[int]:
    """Facts that rest on these episodes alone: they go with them."""
    touched = _touched(connection, episodes)
    gone = set(episodes)
    found: list[int] = []
    for fact in touched:
        rows = connection.execute("select episode from fact_source where fact = ? and episode is not null", (fact,))
        if all(row["episode"] in gone for row in rows):
            found.append(fact)
    return found


def remove_facts(connection: Connection, episodes: Sequence[int]) -> int:
    """Take out what these episodes said, before they are deleted; how many facts went. What they had closed, and
    nothing else closes, is open again: the store is as if they had never been."""
    gone = facts_of(connection, episodes)
    touched = _touched(connection, episodes)
    lines = list(dict.fromkeys(_line_of(by_row(connection, fact)) for fact in touched))
    named = _named_by(connection, touched)
    for part in chunks(list(episodes)):
        connection.execute(f"delete from fact_source where episode in ({marks(part)})", part)
    for fact in gone:
        connection.execute("delete from fact where rowid = ?", (fact,))
    for line in lines:
        _settle(connection, line)
    entity_store.drop_unspoken_of(connection, named)
    return len(gone)


def _touched(connection: Connection, episodes: Sequence[int]) -> list[int]:
    found: dict[int, None] = {}
    for part in chunks(list(episodes)):
        rows = connection.execute(f"select distinct fact from fact_source where episode in ({marks(part)})", part)
        found |= {row["fact"]: None for row in rows}
    return list(found)


def _named_by(connection: Connection, facts: Iterable[int]) -> list[int]:
    rows = [by_row(connection, fact) for fact in facts]
    return [entity for row in rows for entity in (row["subject"], row["object"]) if entity is not None]


# -- reading


def by_row(connection: Connection, fact: int) -> Row:
    """One fact's row."""
    return connection.execute("select rowid, * from fact where rowid = ?", (fact,)).fetchone()


def by_id(connection: Connection, id: str, spaces: Sequence[str]) -> Row | None:
    """One fact of these spaces, by its id."""
    return connection.execute(
        f"select rowid, * from fact where id = ? and space in ({marks(spaces)})", (id, *spaces)
    ).fetchone()


@dataclass(frozen=True, slots=True)
class Held:
    """A fact as it stood for who asks: with the interval known then."""

    fact: int
    start: float
    end: float | None


def held(
    connection: Connection,
    space: str,
    *,
    at: float | None,
    known_at: float | None = None,
    subject: int | None = None,
    predicate: str | None = None,
) -> list[Held]:
    """What held at `at` (None: ever) by what was known at `known_at` (None: now), latest first."""
    wanted, values = _wanted(space, subject, predicate)
    if known_at is None:
        inside = "" if at is None else " and f.valid_from <= ? and (f.valid_to is null or f.valid_to > ?)"
        rows = connection.execute(
            f"select f.rowid, f.valid_from, f.valid_to from fact f where {wanted} and f.retracted_at is null{inside} "
            "order by f.valid_from desc, f.rowid desc",
            (*values, *(() if at is None else (at, at))),
        )
        return [Held(row["rowid"], row["valid_from"], row["valid_to"]) for row in rows]
    lines: dict[_Line, list[Assertion]] = {}
    for line, assertion in _assertions(connection, wanted, values):
        lines.setdefault(line, []).append(assertion)
    segments = [segment for line in lines.values() for segment in timeline(line, known_at)]
    found = [Held(one.by[0].fact, one.start, one.end) for one in segments if at is None or one.holds(at)]
    return sorted(found, key=lambda one: (-one.start, -one.fact))


def shown(connection: Connection, fact: int) -> Row:
    """A fact with the names of what it speaks of, and the id of the one that took its place."""
    return connection.execute(
        "select f.rowid, f.*, s.name as subject_name, s.id as subject_id, s.kind as subject_kind, "
        "coalesce(o.name, f.value) as object_name, o.id as object_id, n.id as superseded_id from fact f "
        "join entity s on s.rowid = f.subject left join entity o on o.rowid = f.object "
        "left join fact n on n.rowid = f.superseded_by where f.rowid = ?",
        (fact,),
    ).fetchone()


def sources(connection: Connection, fact: int) -> list[Row]:
    """Why: the episodes and the places in them, and the ends that a person set by hand, oldest first."""
    return connection.execute(
        "select s.*, e.id as episode_id, e.text, e.speaker, e.source, e.title, e.occurred_at, e.trusted, e.thread_id, "
        "e.space, e.external_id from fact_source s left join episode e on e.rowid = s.episode where s.fact = ? "
        "order by s.at, s.recorded_at, s.rowid",
        (fact,),
    ).fetchall()


def with_terms(connection: Connection, space: str, terms: Sequence[str]) -> dict[int, int]:
    """Facts that share words with the terms, and how many words."""
    looked_for = search_terms(*terms)[:48]
    rows = connection.execute(
        f"select t.fact, count(*) as words from fact_term t join fact f on f.rowid = t.fact "
        f"where t.term in ({marks(looked_for)}) and f.space = ? group by t.fact",
        (*looked_for, space),
    )
    return {row["fact"]: row["words"] for row in rows}


def of_episode(connection: Connection, id: str, spaces: Sequence[str]) -> list[int] | None:
    """The facts that rest on an episode; None when these spaces hold no such episode."""
    row = connection.execute(
        f"select rowid from episode where id = ? and space in ({marks(spaces)})", (id, *spaces)
    ).fetchone()
    return None if row is None else _touched(connection, [row["rowid"]])


def episode_row(connection: Connection, id: str) -> int | None:
    """An episode's row."""
    row = connection.execute("select rowid from episode where id = ?", (id,)).fetchone()
    return None if row is None else row["rowid"]


def is_local_only(connection: Connection, fact: int) -> bool:
    """Whether it rests on an episode that must not leave this machine."""
    row = connection.execute(
        "select 1 from fact_source s join episode e on e.rowid = s.episode where s.fact = ? "
        "and e.sensitivity = 'local only' limit 1",
        (fact,),
    ).fetchone()
    return row is not None


# -- taking out and bringing back, word for word


def claims_of(connection: Connection, episodes: Sequence[int]) -> list[tuple[int, Claim]]:
    """(episode, claim) of everything that these episodes said: each `put` again, the store is as it was."""
    found: list[tuple[int, Claim]] = []
    for part in chunks(list(episodes)):
        rows = connection.execute(
            "select x.*, f.space, f.predicate, f.trusted, s.name as subject, s.kind as subject_kind, "
            "coalesce(o.name, f.value) as value from fact_source x join fact f on f.rowid = x.fact "
            "join entity s on s.rowid = f.subject left join entity o on o.rowid = f.object "
            f"where x.episode in ({marks(part)}) order by x.rowid",
            part,
        )
        found += [(row["episode"], _as_claim(row)) for row in rows]
    return found


def _as_claim(row: Row) -> Claim:
    span = (row["span_start"], row["span_end"])
    return Claim(**{name: row[name] for name in _PLAIN}, span=span, trusted=bool(row["trusted"]))


# -- settling


def _wanted(space: str, subject: int | None, predicate: str | None) -> tuple[str, list[object]]:
    parts, values = ["f.space = ?"], list[object]([space])
    for column, value in (("subject", subject), ("predicate", predicate)):
        if value is not None:
            parts.append(f"f.{column} = ?")
            values.append(value)
    return " and ".join(parts), values


def _assertions(connection: Connection, wanted: str, values: Sequence[object]) -> Iterable[tuple[_Line, Assertion]]:
    rows = connection.execute(
        "select s.rowid, s.fact, s.role, s.at, s.recorded_at, s.retracted_at, f.space, f.subject, f.predicate, "
        f"f.trusted, f.canonical, f.cardinality from fact_source s join fact f on f.rowid = s.fact where {wanted}",
        values,
    )
    for row in rows:
        told = (row["rowid"], row["fact"], row["canonical"], row["role"], row["at"], row["recorded_at"])
        yield _line_of(row), Assertion(*told, row["retracted_at"])


def _line_of(row: Row) -> _Line:
    key = row["canonical"] if row["cardinality"] == "many" else None
    return _Line(row["space"], row["subject"], row["predicate"], row["trusted"], key)


def _in_line(line: _Line) -> tuple[str, list[object]]:
    values = list[object]([line.space, line.subject, line.predicate, line.trusted])
    if line.key is None:
        return _OF_LINE, values
    return f"{_OF_LINE} and f.canonical = ?", [*values, line.key]


def _already(connection: Connection, line: _Line, key: str, claim: Claim) -> int | None:
    if claim.episode is None:
        return None
    wanted, values = _in_line(line)
    row = connection.execute(
        f"select s.fact from fact_source s join fact f on f.rowid = s.fact where {wanted} and f.canonical = ? "
        "and s.episode = ? and s.role = ? and (s.retracted_at is null or ? <> 'person')",  # who adds it means it
        (*values, key, claim.episode, claim.role, claim.extractor),
    ).fetchone()
    return row["fact"] if row else None


def _new_fact(
    connection: Connection, line: _Line, key: str, value: str, target: int | None, one: Cardinality, claim: Claim
) -> int:
    """A row that holds at no time yet: settling gives it its interval."""
    row = connection.execute(
        "insert into fact(id, space, subject, predicate, object, value, canonical, cardinality, trusted, valid_from, "
        "valid_to, recorded_at, confidence, extractor) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "returning rowid",
        (
            *(ids.new("fct"), line.space, line.subject, line.predicate, target, None if target else value, key, one),
            *(line.trusted, claim.at, claim.at, claim.recorded_at, claim.confidence, claim.extractor),
        ),
    ).fetchone()
    _index(connection, row[0])
    return row[0]


def _index(connection: Connection, fact: int) -> None:
    row = shown(connection, fact)
    says = predicate(row["predicate"])
    found = search_terms(row["subject_name"], row["predicate"], says.says, row["object_name"])
    connection.execute("delete from fact_term where fact = ?", (fact,))
    connection.executemany("insert into fact_term(term, fact) values (?, ?)", [(term, fact) for term in found])


def _new_source(connection: Connection, fact: int, claim: Claim) -> int:
    row = connection.execute(
        "insert into fact_source(fact, episode, role, at, recorded_at, retracted_at, span_start, span_end, confidence, "
        "extractor) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning rowid",
        (
            *(fact, claim.episode, claim.role, claim.at, claim.recorded_at, claim.retracted_at, *claim.span),
            *(claim.confidence, claim.extractor),
        ),
    ).fetchone()
    return row[0]


def _name_of(connection: Connection, entity: int) -> str:
    return entity_store.rows(connection, [entity])[entity]["canonical"]


def _settle(connection: Connection, line: _Line) -> list[tuple[int, Segment]]:
    """Give every fact of a line the interval that follows from what is said; (fact, segment) in order."""
    wanted, values = _in_line(line)
    told = [assertion for _, assertion in _assertions(connection, wanted, values)]
    segments = timeline(told)
    owners = _owners(connection, segments)
    live = f"select f.rowid from fact f where {wanted} and f.retracted_at is null"
    rows = [row["rowid"] for row in connection.execute(live, values).fetchall()]
    connection.execute(  # all are closed before any is opened: two open ones cannot be, not even for a moment
        f"update fact set valid_to = valid_from, superseded_by = null where rowid in ({live})", values
    )
    for segment, owner in zip(segments, owners, strict=True):
        for assertion in segment.by:
            if assertion.fact != owner:
                connection.execute("update fact_source set fact = ? where rowid = ?", (owner, assertion.rowid))
    place = {id(segment): owner for segment, owner in zip(segments, owners, strict=True)}
    for fact in set(rows) - set(owners):
        connection.execute("delete from fact where rowid = ?", (fact,))
    for segment, owner in zip(segments, owners, strict=True):
        connection.execute(
            "update fact set valid_from = ?, valid_to = ?, superseded_by = ?, recorded_at = ? where rowid = ?",
            (
                *(segment.start, segment.end, place[id(segment.then)] if segment.then else None),
                *(min(assertion.recorded_at for assertion in segment.by), owner),
            ),
        )
    return list(zip(owners, segments, strict=True))


def _owners(connection: Connection, segments: Sequence[Segment]) -> list[int]:
    """The fact that each segment is: the oldest of those its sources belong to; a part cut off becomes a new one."""
    taken: set[int] = set()
    owners: list[int] = []
    for segment in segments:
        free = [assertion.fact for assertion in segment.by if assertion.fact not in taken]
        owner = min(free) if free else _copy(connection, segment.by[0].fact)
        taken.add(owner)
        owners.append(owner)
    return owners


def _copy(connection: Connection, fact: int) -> int:
    row = connection.execute(
        "insert into fact(id, space, subject, predicate, object, value, canonical, cardinality, trusted, valid_from, "
        "valid_to, recorded_at, confidence, extractor) select ?, space, subject, predicate, object, value, canonical, "
        "cardinality, trusted, valid_from, valid_from, recorded_at, confidence, extractor from fact where rowid = ? "
        "returning rowid",
        (ids.new("fct"), fact),
    ).fetchone()
    _index(connection, row[0])
    return row[0]


def _outcome(settled: Sequence[tuple[int, Segment]], source: int) -> Put:
    place = next(n for n, (_, one) in enumerate(settled) if any(said.rowid == source for said in one.by))
    fact, segment = settled[place]
    if next(one for one in segment.by if one.rowid == source).role == "ends":
        return Put(fact, "ended")
    if sum(one.role == "says" for one in segment.by) > 1:
        return Put(fact, "confirmed")
    if segment.then is not None:
        return Put(fact, "backfilled")
    before = settled[place - 1][1] if place else None
    return Put(fact, "updated" if before is not None and before.then is segment else "added")
