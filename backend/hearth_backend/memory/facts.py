"""What is known, asked by both clocks: facts listed, added, ended, taken back, and explained."""

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Protocol

from hearth_backend.memory import asking, entity_store, facts_store
from hearth_backend.memory.asking import Asked
from hearth_backend.memory.facts_store import Claim, Held, Put
from hearth_backend.memory.predicates import ME, is_predicate, sentence
from hearth_backend.memory.store import moment
from hearth_backend.memory.timeline import Role
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import BadRequest, NotFound
from hearth_shared.protocol.facts import Evidence, Fact, FactList, NewFact, StoredFact, Why
from hearth_shared.protocol.memory import EpisodeBatch, NewEpisode, StoredEpisodes
from hearth_shared.protocol.tasks import Source
from hearth_shared.sites import site_of

_MOST_DIRECT: Final = 6
_QUOTED: Final = 480
_AROUND: Final = 120


class Remember(Protocol):
    """Memory's door for new episodes."""

    def __call__(
        self, batch: EpisodeBatch, *, spaces: Collection[str], trusted: bool = True, door: str = ""
    ) -> Awaitable[StoredEpisodes]: ...


class Facts:
    """`spaces` in every call are those the asker may see; another one is NotFound. `outside` is set for who must not
    be told what has to stay on this machine."""

    def __init__(self, database: Database, remember: Remember, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._remember = remember
        self._clock = clock

    async def list(
        self,
        space: str,
        spaces: Collection[str],
        *,
        subject: str | None = None,
        predicate: str | None = None,
        query: str | None = None,
        at: float | None = None,
        known_at: float | None = None,
        history: bool = False,
        limit: int = 50,
        outside: bool = False,
    ) -> FactList:
        """What holds at `at` (now) by what was known at `known_at` (now); with `history`, what ever held."""
        check_space(space, spaces)
        when = None if history else self._clock() if at is None else at

        def work(connection: Connection) -> FactList:
            found = _held(connection, space, subject, predicate, when, known_at)
            if query is not None:
                wanted = facts_store.with_terms(connection, space, [query])
                found = sorted((one for one in found if one.fact in wanted), key=lambda one: -wanted[one.fact])
            facts = [fact for one in found if not hidden(fact := fact_of(connection, one.fact, one), outside=outside)]
            return FactList(facts=facts[:limit], more=len(facts) > limit)

        return await self._database.read(work)

    async def add(self, new: NewFact, spaces: Collection[str], *, trusted: bool, door: str = "") -> StoredFact:
        """A fact in the person's own words; stored with the episode it rests on."""
        check_space(new.space, spaces)
        if not is_predicate(new.predicate):
            raise BadRequest(f"`{new.predicate}` is no predicate.", "Write it like `works_at` or `favourite:editor`.")
        now = self._clock()
        at = now if new.valid_from is None else new.valid_from.timestamp()
        text = new.text.strip() or _own_words(new)
        span = _span(text, new.value)
        key = "\n".join((new.subject, new.predicate, new.value, text, repr(new.valid_from), str(new.ends)))
        stored = await self._remember(_episode(new, text, now, key), spaces=spaces, trusted=trusted, door=door)
        role: Role = "ends" if new.ends else "says"
        claim = Claim(new.space, new.subject, new.predicate, new.value, at, now, None, span, role, trusted)
        put = await self._database.write(lambda connection: _put(connection, claim, stored.ids[0]))
        fact = await self._database.read(lambda connection: fact_of(connection, put.fact))
        return StoredFact(fact=fact, outcome=put.outcome, episode_id=stored.ids[0])

    async def end(self, id: str, at: float | None, spaces: Collection[str]) -> Fact:
        """It is true no longer."""
        now = self._clock()
        when = now if at is None else at

        def work(connection: Connection) -> Fact:
            row = wanted_fact(connection, id, spaces)
            if row["retracted_at"] is not None or row["valid_to"] is not None:
                raise BadRequest("This fact has ended already.", "`hearth memory facts --history` shows when.")
            if when < row["valid_from"]:
                raise BadRequest("A fact cannot end before it began.", "Give a later `at`, or retract it.")
            facts_store.end(connection, row["rowid"], when, now)
            return fact_of(connection, row["rowid"])

        return await self._database.write(work)

    async def retract(self, id: str, spaces: Collection[str]) -> Fact:
        """It was never true."""
        now = self._clock()

        def work(connection: Connection) -> Fact:
            row = wanted_fact(connection, id, spaces)
            if row["retracted_at"] is None:
                facts_store.retract(connection, row["rowid"], now)
            return fact_of(connection, row["rowid"])

        return await self._database.write(work)

    async def why(self, id: str, spaces: Collection[str], *, outside: bool = False) -> Why:
        """Of a fact, the memories it rests on and what they say; of a memory, the facts that rest on it."""

        def work(connection: Connection) -> Why:
            if id.startswith("epi_"):
                return _why_memory(connection, id, spaces, outside=outside)
            row = wanted_fact(connection, id, spaces)
            fact = fact_of(connection, row["rowid"])
            if hidden(fact, outside=outside):
                raise NotFound(f"There is no fact `{id}` here.", "`hearth memory facts` shows ids.")
            return Why(facts=[fact], evidence=_evidence(connection, row["rowid"]))

        return await self._database.read(work)

    async def answering(self, question: str, spaces: Collection[str]) -> Sequence[Source]:
        """What is true now and answers the question by itself, each with the memory it rests on; mostly nothing."""
        wanted = asking.asked(question)
        if wanted is None:
            return []
        now = self._clock()

        def work(connection: Connection) -> list[Source]:
            found = [fact for space in sorted(spaces) for fact in _answering(connection, space, wanted, now)]
            return [as_source(connection, fact) for fact in found[:_MOST_DIRECT]] if len(found) <= 12 else []

        return await self._database.read(work)


# -- seen by the other doors of this room


def check_space(space: str, spaces: Collection[str]) -> None:
    """Raises NotFound for a space that is not to be seen."""
    if space not in spaces:
        raise NotFound(f"There is no space `{space}` here.", "Name a space that you may see, such as `main`.")


def wanted_fact(connection: Connection, id: str, spaces: Collection[str]) -> Row:
    """A fact by id. Raises NotFound."""
    row = facts_store.by_id(connection, id, sorted(spaces))
    if row is None:
        raise NotFound(f"There is no fact `{id}` here.", "`hearth memory facts` shows ids.")
    return row


def fact_of(connection: Connection, fact: int, held: Held | None = None) -> Fact:
    """A fact as it goes over the wire; `held` is its interval as it was known at another time."""
    row = facts_store.shown(connection, fact)
    start, end = (row["valid_from"], row["valid_to"]) if held is None else (held.start, held.end)
    plain = ("id", "space", "predicate", "confidence", "extractor")
    return Fact(
        **{name: row[name] for name in plain},
        subject=row["subject_name"],
        subject_id=row["subject_id"],
        value=row["object_name"],
        object_id=row["object_id"],
        text=sentence(row["subject_name"], row["predicate"], row["object_name"], past=end is not None),
        valid_from=moment(start),
        valid_to=None if end is None else moment(end),
        recorded_at=moment(row["recorded_at"]),
        retracted_at=None if row["retracted_at"] is None else moment(row["retracted_at"]),
        superseded_by=row["superseded_id"],
        trusted=bool(row["trusted"]),
        local_only=facts_store.is_local_only(connection, fact),
    )


def hidden(fact: Fact, *, outside: bool) -> bool:
    """Whether this asker must not be told of it."""
    return outside and fact.local_only


def as_source(connection: Connection, fact: Fact) -> Source:
    """A fact with the newest memory it rests on."""
    row = facts_store.by_id(connection, fact.id, [fact.space])
    told = [one for one in facts_store.sources(connection, row["rowid"]) if one["episode_id"]] if row else []
    newest = told[-1]
    site = site_of(newest["source"])
    return Source(
        n=0,
        kind="memory",
        id=newest["episode_id"],
        title=newest["title"] or newest["speaker"] or site or newest["source"],
        quote=newest["text"] if len(newest["text"]) <= _QUOTED else _quote(newest),
        speaker=newest["speaker"],
        occurred_at=newest["occurred_at"],
        location=f"{newest['space']}/{newest['external_id']}",
        url=newest["source"] if site else "",
        thread_id=newest["thread_id"] or "",
        trusted=bool(newest["trusted"]),
        fact=_since(fact),
        local_only=fact.local_only,
    )


# -- inside


def _held(
    connection: Connection,
    space: str,
    subject: str | None,
    predicate: str | None,
    at: float | None,
    known: float | None,
) -> list[Held]:
    found = None if subject is None else entity_store.find(connection, space, subject)
    if subject is not None and found is None:
        return []
    return facts_store.held(connection, space, at=at, known_at=known, subject=found, predicate=predicate)


def _own_words(new: NewFact) -> str:
    """The statement as the person would say it."""
    over = "No longer so: " if new.ends else ""
    if new.subject.casefold() != ME:
        return f"{over}{sentence(new.subject, new.predicate, new.value)}."
    return f"{over or 'Known of me: '}{new.predicate.replace('_', ' ')}: {new.value}."


def _episode(new: NewFact, text: str, now: float, key: str) -> EpisodeBatch:
    episode = NewEpisode(
        external_id=f"fact-{sha256(key.encode()).hexdigest()[:32]}",
        source="person",
        speaker="me",
        occurred_at=datetime.fromtimestamp(now, UTC),
        text=text,
        origin="note",
    )
    return EpisodeBatch(space=new.space, episodes=[episode])


def _span(text: str, value: str) -> tuple[int, int]:
    place = text.casefold().find(value.casefold())
    return (place, place + len(value)) if place >= 0 and len(text) == len(text.casefold()) else (0, len(text))


def _put(connection: Connection, claim: Claim, episode: str) -> Put:
    rowid = facts_store.episode_row(connection, episode)
    if rowid is None:
        raise NotFound("What this fact rests on was forgotten meanwhile.", "Add it once more.")
    return facts_store.put(connection, replace(claim, episode=rowid))


def _why_memory(connection: Connection, id: str, spaces: Collection[str], *, outside: bool) -> Why:
    found = facts_store.of_episode(connection, id, sorted(spaces))
    if found is None:
        raise NotFound(f"There is no memory `{id}` here.", "`hearth memory search` shows ids.")
    facts = [fact for rowid in found if not hidden(fact := fact_of(connection, rowid), outside=outside)]
    evidence = [one for rowid in found for one in _evidence(connection, rowid) if one.episode_id == id]
    return Why(facts=facts, evidence=evidence if facts else [])


def _evidence(connection: Connection, fact: int) -> list[Evidence]:
    return [
        Evidence(
            role=row["role"],
            quote=_quote(row) if row["episode_id"] else "Ended by the person.",
            episode_id=row["episode_id"],
            span_start=row["span_start"],
            span_end=row["span_end"],
            speaker=row["speaker"] or "",
            source=row["source"] or "",
            occurred_at=moment(row["occurred_at"] if row["episode_id"] else row["recorded_at"]),
            at=moment(row["at"]),
            recorded_at=moment(row["recorded_at"]),
            extractor=row["extractor"],
            trusted=bool(row["trusted"]) if row["episode_id"] else True,
        )
        for row in facts_store.sources(connection, fact)
    ]


def _quote(row: Row) -> str:
    """The words that say so; a very short span with what stands around it."""
    start, end = row["span_start"], row["span_end"]
    if end - start < _AROUND // 4:
        start, end = max(0, start - _AROUND), end + _AROUND
    return row["text"][start:end].strip()[:_QUOTED]


def _answering(connection: Connection, space: str, wanted: Asked, now: float) -> list[Fact]:
    subjects = [row["rowid"] for row in entity_store.named(connection, space, wanted.subjects)]
    for relation in wanted.through:
        held = [
            one
            for each in subjects
            for one in facts_store.held(connection, space, at=now, subject=each, predicate=relation)
        ]
        subjects = [row["object"] for one in held if (row := facts_store.by_row(connection, one.fact))["object"]]
    found = [one for each in subjects for one in facts_store.held(connection, space, at=now, subject=each)]
    facts = (fact_of(connection, one.fact) for one in found)
    return [
        fact
        for fact in facts
        if fact.predicate.partition(":")[0] in wanted.predicates
        and asking.is_met(fact.predicate, wanted.terms)
        and fact.trusted
    ]


def _since(fact: Fact) -> str:
    day = fact.valid_from.astimezone()
    return f"{fact.text} (since {day.day} {day:%B %Y})"
