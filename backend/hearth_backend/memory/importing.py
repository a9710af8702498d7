"""Memory from a text that was exported: checked to its end first, then taken whole, or not at all."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Annotated, Any, Final, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from hearth_backend import ids
from hearth_backend.memory import claims, documents, records, store, transfer_store
from hearth_backend.memory.changes import Changes
from hearth_backend.memory.predicates import is_predicate
from hearth_backend.memory.records import Placed
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import Conflict, NotFound, StorageFull, TooLarge
from hearth_shared.protocol.base import Request, Space
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import NewEpisode
from hearth_shared.protocol.transfer import Imported, ImportRequest

_AT_ONCE: Final = 200
_MOST: Final = 1 << 30
_OPEN_S: Final = 600.0
_MOST_OPEN: Final = 2
Emit = Callable[[EventType, Mapping[str, Any]], Awaitable[None]]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Short = Annotated[str, Field(max_length=2048)]


class _Episode(NewEpisode):
    kind: Literal["episode"]
    id: str = Field(pattern=r"^epi_[0-9a-f]{1,64}$")
    space: Space
    thread_id: Short | None
    recorded_at: AwareDatetime
    trusted: StrictBool
    door: Short


class _Claim(Request):
    kind: Literal["claim"]
    space: Space
    episode: Short | None
    subject: Short = Field(min_length=1)
    subject_kind: Short
    predicate: Short
    value: str = Field(min_length=1, max_length=200_000)
    role: Literal["says", "ends"]
    at: Finite
    recorded_at: Finite
    retracted_at: Finite | None
    confidence: Finite
    extractor: Short
    span: tuple[int, int]
    trusted: StrictBool


class _Alias(Request):
    kind: Literal["alias"]
    space: Space
    entity: Short
    entity_kind: Short
    name: Short


class _SummaryLine(Request):
    text: str
    episodes: list[Short] = Field(min_length=1)


class _Summary(Request):
    kind: Literal["summary"]
    id: Short
    space: Space
    level: Literal["session", "week"]
    key: Short
    first_at: Finite
    last_at: Finite
    made_at: Finite
    maker: Short
    lines: list[_SummaryLine] = Field(min_length=1)


class _Version(Request):
    text: str
    token_limit: int
    version: int
    changed_at: Finite
    changed_by: Short


class _Block(_Version):
    kind: Literal["block"]
    space: Space
    label: Short
    history: list[_Version]


class _Header(Request):
    model_config = ConfigDict(extra="ignore", frozen=True)
    kind: Literal["hearth"]
    version: Literal[1]


_Any = _Episode | _Claim | _Alias | _Summary | _Block | _Header
_RECORD: Final = TypeAdapter[_Any](Annotated[_Any, Field(discriminator="kind")])


@dataclass(frozen=True, slots=True)
class Giver:
    """Who imports. What comes from a door of the person's own at which they sit is as it was; what a program or a
    browser brings is not trusted, and pins nothing. `by` names who must bring the further parts."""

    spaces: Collection[str]
    door: str
    whole: bool
    sees_all: bool
    by: str = ""


@dataclass(slots=True)
class _Open:
    """A file that is still coming; it has no name, and is gone when it is closed or this process ends."""

    file: IO[bytes]
    by: str
    at: float
    size: int = 0


@dataclass(slots=True)
class _Taken:
    """What an import came to."""

    new: int = 0
    known: int = 0
    counts: dict[str, int] = field(default_factory=dict[str, int])
    touched: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    stored: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    renamed: dict[str, str] = field(default_factory=dict[str, str])


class Importing:
    """A file may come in parts, since a request has its bound; the last one imports it."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        emit: Emit,
        folder: Path,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._changes = changes
        self._emit = emit
        self._folder = folder
        self._clock = clock
        self._open: dict[str, _Open] = {}

    def close(self) -> None:
        """Let go of what never came to its end."""
        for one in self._open.values():
            one.file.close()
        self._open.clear()

    async def take(self, request: ImportRequest, giver: Giver) -> Imported:
        """One part. Raises BadRequest that names the line which cannot be used; then nothing is imported."""
        id, one = self._found(request, giver)
        try:
            await asyncio.to_thread(_append, one, request.text)
            if not request.last:
                return Imported(import_id=id, done=False)
            return await self._finish(id, one, giver, dry_run=request.dry_run)
        except OSError as error:
            self._end(id)
            raise StorageFull(
                "The disk is full, so nothing was imported.", "Free some space, and import it again."
            ) from error
        except BaseException:
            self._end(id)
            raise

    def _found(self, request: ImportRequest, giver: Giver) -> tuple[str, _Open]:
        now = self._clock()
        for id in [id for id, one in self._open.items() if not 0 <= now - one.at < _OPEN_S]:
            self._end(id)
        if request.import_id is None:
            if len(self._open) >= _MOST_OPEN:
                raise Conflict("Other imports have not come to their end.", "Finish them, or wait ten minutes.")
            id = ids.new("imp")
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (`_end` closes it)
            self._open[id] = _Open(file, giver.by or giver.door, now)
            return id, self._open[id]
        found = self._open.get(request.import_id)
        if found is None or found.by != (giver.by or giver.door):
            raise NotFound(f"There is no import `{request.import_id}`.", "Begin it again; nothing was imported.")
        found.at = now
        return request.import_id, found

    def _end(self, id: str) -> None:
        if one := self._open.pop(id, None):
            with contextlib.suppress(OSError):  # what was not written yet may find no room
                one.file.close()

    async def _finish(self, id: str, one: _Open, giver: Giver, *, dry_run: bool) -> Imported:
        counts = await asyncio.to_thread(lambda: records.whole(_records(one.file), _Checker(giver)))
        done = Imported(import_id=id, done=True, records=sum(counts.values()), dry_run=dry_run)
        taken = _Taken()
        if not dry_run:
            taken = await self._database.write(
                lambda connection: _put(connection, _records(one.file), giver), committed=self._on_stored
            )
        self._end(id)
        await self._tell(taken)
        kinds = ("claim", "summary", "block")
        facts, summaries, blocks = (taken.counts.get(kind, 0) for kind in kinds)
        return done.model_copy(
            update={"new": taken.new, "known": taken.known, "facts": facts, "summaries": summaries, "blocks": blocks}
        )

    async def _tell(self, taken: _Taken) -> None:
        for space, stored in taken.stored.items() if taken.new else ():
            for start in range(0, len(stored), _AT_ONCE):
                part = stored[start : start + _AT_ONCE]
                await self._emit(EventType.MEMORY_STORED, {"space": space, "ids": part, "new": len(part)})

    def _on_stored(self, taken: _Taken) -> None:
        for space, touched in taken.touched.items():
            self._changes.stored(space, touched)


class _Checker:
    """Whether each record can be taken from this giver."""

    def __init__(self, giver: Giver) -> None:
        self._giver = giver

    def __call__(self, placed: Placed) -> None:
        try:
            record = _RECORD.validate_python(placed.record)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            name = ".".join(str(part) for part in first["loc"][1:])
            raise records.damaged(placed.line, f"`{name}`: {first['msg']}" if name else first["msg"]) from error
        if isinstance(record, _Header):
            return
        if record.space == documents.SPACE or not (self._giver.sees_all or record.space in self._giver.spaces):
            raise records.damaged(placed.line, f"there is no space `{record.space}` here")
        if isinstance(record, _Claim) and not is_predicate(record.predicate):
            raise records.damaged(placed.line, f"`{record.predicate}` is no predicate")


def _append(one: _Open, text: str) -> None:
    data = text.encode()
    one.size += len(data)
    if one.size > _MOST:
        raise TooLarge(f"The file is larger than {_MOST >> 20} MiB.", "Import it in parts.")
    one.file.write(data)


def _records(file: IO[bytes]) -> Iterator[Placed]:
    file.seek(0)
    return records.read(_lines(file))


def _lines(file: IO[bytes]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        try:
            yield line.decode().removesuffix("\n")
        except UnicodeDecodeError as error:
            raise records.damaged(number, "it is no UTF-8") from error


# -- in one transaction


def _put(connection: Connection, given: Iterator[Placed], giver: Giver) -> _Taken:
    taken = _Taken()
    for kind, group in groupby((placed.record for placed in given), key=lambda record: record["kind"]):
        while part := list(islice(group, _AT_ONCE)):
            _put_part(connection, kind, part, giver, taken)
    return taken


def _put_part(
    connection: Connection, kind: str, part: Sequence[Mapping[str, Any]], giver: Giver, taken: _Taken
) -> None:
    count = 0
    match kind:
        case "episode":
            _put_episodes(connection, part, giver, taken)
        case "claim":
            count = claims.put(connection, [_claim(record, giver, taken.renamed) for record in part])
        case "alias":
            count = sum(transfer_store.put_alias(connection, record) for record in part)
        case "summary" if giver.whole:
            count = sum(transfer_store.put_summary(connection, _cited(record, taken.renamed)) for record in part)
        case "block" if giver.whole:
            count = sum(transfer_store.put_block(connection, record) for record in part)
        case _:
            return
    taken.counts[kind] = taken.counts.get(kind, 0) + count


def _put_episodes(connection: Connection, part: Sequence[Mapping[str, Any]], giver: Giver, taken: _Taken) -> None:
    for space, group in groupby(part, key=lambda record: record["space"]):
        given = [_kept(record, giver) for record in group]
        added = store.keep(connection, space, given)
        taken.renamed |= {one.id: id for one, id in zip(given, added.ids, strict=True) if one.id != id}
        taken.stored.setdefault(space, []).extend(added.ids)
        taken.new += added.new
        taken.known += len(given) - added.new
        taken.touched.setdefault(space, []).extend(added.touched)


def _kept(record: Mapping[str, Any], giver: Giver) -> store.Kept:
    episode = _Episode.model_validate(record)
    plain = NewEpisode.model_construct(**{name: getattr(episode, name) for name in NewEpisode.model_fields})
    door = episode.door if giver.whole else giver.door
    recorded = episode.recorded_at.timestamp()
    return store.Kept(plain, recorded, episode.thread_id, episode.trusted and giver.whole, door, episode.id)


def _claim(record: Mapping[str, Any], giver: Giver, renamed: Mapping[str, str]) -> dict[str, Any]:
    plain = {name: value for name, value in record.items() if name != "kind"}
    episode = renamed.get(record["episode"], record["episode"])
    return {**plain, "episode": episode, "trusted": record["trusted"] and giver.whole}


def _cited(record: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    lines = [{**line, "episodes": [renamed.get(id, id) for id in line["episodes"]]} for line in record["lines"]]
    return {**record, "lines": lines}
