"""Reading what was remembered, in the background: facts by rules, by a local model where one may, then summaries."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Final, Protocol

from hearth_backend.memory import entity_store, facts_store, reading_store, summaries
from hearth_backend.memory.facts_store import Claim
from hearth_backend.memory.predicates import ME
from hearth_backend.memory.reading_store import Line
from hearth_backend.memory.statement import Statement
from hearth_backend.memory.summaries import Told
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import HearthError

log = logging.getLogger(__name__)
_BATCH: Final = 16
_Alias = tuple[str, str, str]
_SPOKEN: Final = ("turn", "note")
_OWN: Final = ("", "me", "person", "user")
_ASSISTANT: Final = ("assistant", "hearth", "system", "tool", "model")


@dataclass(frozen=True, slots=True)
class _Found:
    """What a batch says: facts, and names that are one (space, name, other)."""

    claims: Sequence[Claim]
    aliases: Sequence[_Alias]


class ModelReader(Protocol):
    """Reads a batch of turns with a model of this machine; one call for all of them."""

    async def read(self, turns: Sequence[Row]) -> Mapping[int, Sequence[Statement]]:
        """What each row says. Raises HearthError when there is no model to ask now."""
        ...


class Extraction:
    """Woken by what is stored, silent otherwise; what waits is a table, so it survives a restart.

    Only what a person said or noted is read: not pages, files or events, and never the assistant's own words.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float], model: ModelReader | None = None) -> None:
        self._database = database
        self._clock = clock
        self._model = model
        self._wanted = asyncio.Event()
        self._go_on = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._task: asyncio.Task[None] | None = None
        self._go_on.set()

    async def start(self) -> None:
        """Go on with what an earlier run left."""
        self._task = asyncio.create_task(self._run(), name="memory-extraction")
        if await self.waiting():
            self.wake()

    async def close(self) -> None:
        """Stop; what waits stays in its table."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def read_with(self, model: ModelReader) -> None:
        """Let a model read too, from the next batch on."""
        self._model = model

    def wake(self) -> None:
        """Something was stored."""
        self._settled.clear()
        self._wanted.set()

    def pause(self) -> None:
        """Read nothing until `resume`; the batch at hand is finished."""
        self._go_on.clear()

    def resume(self) -> None:
        """Go on."""
        self._go_on.set()

    def give_way(self, is_busy: bool) -> None:
        """Pause while somebody waits for the machine."""
        if is_busy:
            self.pause()
        else:
            self.resume()

    @property
    def is_paused(self) -> bool:
        """Whether it was told to pause."""
        return not self._go_on.is_set()

    async def waiting(self) -> int:
        """Episodes that wait to be read."""
        return await self._database.read(reading_store.count_waiting)

    async def settled(self) -> None:
        """Wait until all that was stored so far is read, as far as that can be done now."""
        await self._settled.wait()

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._drain()
            except HearthError as error:
                log.warning("memories wait to be read for facts: %s", error)
            except Exception:  # the top of the task: it must go on with the next wake
                log.exception("reading memories for facts failed")
            if not self._wanted.is_set():
                self._settled.set()

    async def _drain(self) -> None:
        sessions: dict[tuple[str, str], None] = {}
        await self._go_on.wait()
        while batch := await self._database.read(lambda connection: reading_store.waiting(connection, _BATCH)):
            found = await self._read(batch)
            await self._database.write(lambda connection, found=found, batch=batch: _keep(connection, found, batch))
            sessions |= {(row["space"], row["session"]): None for row in batch if row["session"]}
            await self._go_on.wait()
        for space, session in sessions:
            await self._go_on.wait()
            now = self._clock()
            await self._database.write(
                lambda connection, space=space, session=session, now=now: _summarise(connection, space, session, now)
            )

    async def _read(self, batch: Sequence[Row]) -> _Found:
        spoken = [row for row in batch if is_read(row)]
        if not spoken:
            return _Found((), ())
        await asyncio.to_thread(import_module, "hearth_backend.memory.rules")  # half a second's work, off the loop
        now = self._clock()
        by_rules, names = await asyncio.to_thread(_by_rules, spoken)
        by_model = await self._by_model(spoken)
        told = ((row, (*by_rules[row["rowid"]], *by_model.get(row["rowid"], ()))) for row in spoken)
        return _Found([as_claim(row, statement, now) for row, said in told for statement in said], names)

    async def _by_model(self, spoken: Sequence[Row]) -> Mapping[int, Sequence[Statement]]:
        if self._model is None:
            return {}
        try:
            return await self._model.read(spoken)
        except HearthError as error:
            log.info("no model read %s memories: %s", len(spoken), error.code)
            return {}


def is_read(row: Row) -> bool:
    """Whether an episode is somebody's own words, told by the person."""
    return bool(row["trusted"]) and row["origin"] in _SPOKEN and row["speaker"].strip().lower() not in _ASSISTANT


def as_claim(row: Row, statement: Statement, now: float) -> Claim:
    """A statement as what its episode says."""
    return Claim(
        space=row["space"],
        subject=statement.subject,
        predicate=statement.predicate,
        value=statement.value,
        at=statement.at,
        recorded_at=now,
        episode=row["rowid"],
        span=statement.span,
        role=statement.role,
        confidence=statement.confidence,
        extractor=statement.extractor,
        subject_kind=statement.subject_kind,
    )


def _by_rules(spoken: Sequence[Row]) -> tuple[dict[int, list[Statement]], list[_Alias]]:
    from hearth_backend.memory.rules import aliases, extract

    said = {row["rowid"]: extract(row["text"], said_at(row), whose(row)) for row in spoken}
    return said, [(row["space"], *pair) for row in spoken for pair in aliases(row["text"])]


def said_at(row: Row) -> datetime:
    """When it was said."""
    return datetime.fromtimestamp(row["occurred_at"], UTC)


def whose(row: Row) -> str:
    """Whom "I" means in it."""
    speaker = row["speaker"].strip()
    return ME if speaker.lower() in _OWN else speaker


def _keep(connection: Connection, found: _Found, batch: Sequence[Row]) -> None:
    there = reading_store.still_there(connection, [row["rowid"] for row in batch])
    for claim in found.claims:
        if claim.episode in there:
            facts_store.put(connection, claim)
    for space, name, other in found.aliases:
        _join(connection, space, name, other)
    reading_store.done(connection, [row["rowid"] for row in batch])


def _join(connection: Connection, space: str, name: str, other: str) -> None:
    """It was said in so many words that two names are one; names of which nothing is known need no joining."""
    one, two = (entity_store.find(connection, space, each, "person") for each in (name, other))
    if one is not None and two is not None and one != two:
        facts_store.merge(connection, two, one)
    elif (known := one if one is not None else two) is not None:
        entity_store.add_alias(connection, space, known, other if known == one else name)


def _summarise(connection: Connection, space: str, session: str, now: float) -> None:
    """The session's summary anew, and that of the week in which it ends."""
    turns = [row for row in reading_store.session(connection, space, session) if row["trusted"]]
    if not turns:
        return
    lines = summaries.session_lines([Told(row["rowid"], row["speaker"], row["text"]) for row in turns])
    first, last = turns[0]["occurred_at"], turns[-1]["occurred_at"]
    reading_store.put_summary(connection, (space, "session", session), lines, (first, last), now, summaries.MAKER)
    week, begins, ends = summaries.week_of(last)
    told = reading_store.week_lines(connection, space, begins, ends)
    if told:
        kept: Sequence[Line] = summaries.week_lines([of_session for _, of_session in told])
        span = (min(row["first_at"] for row, _ in told), max(row["last_at"] for row, _ in told))
        reading_store.put_summary(connection, (space, "week", week), kept, span, now, summaries.MAKER)
