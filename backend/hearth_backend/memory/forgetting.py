"""Forgetting: by item, thread, source, site, project or time; looked at first, taken back within a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from hearth_backend import ids
from hearth_backend.memory import claims, facts_store, keeping_store, store
from hearth_backend.memory.bin import Bin, gone_of
from hearth_backend.memory.changes import Changes
from hearth_backend.memory.gone import Gone
from hearth_backend.memory.keeping_store import Binned, Selection
from hearth_backend.memory.ports import Elsewhere
from hearth_backend.storage import backups
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import BadRequest, NotFound
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import ForgetRequest, Forgotten, Restored, RestoreRequest, Undo, UndoList

Emit = Callable[[EventType, Mapping[str, Any]], Awaitable[None]]
_AT_ONCE: Final = 200
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a request means, and which whole threads go with it."""

    selection: Selection
    rowids: Sequence[int]
    threads: frozenset[str]
    records: Sequence[dict[str, Any]]

    def gone(self) -> Gone:
        """As others are asked to forget it."""
        return gone_of(self.records, self.threads)


class Forgetting:
    """What is forgotten goes from memory at once, and lies in a bin until the window for taking it back is over."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        elsewhere: Sequence[Elsewhere],
        emit: Emit,
        *,
        window_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._changes = changes
        self._elsewhere = elsewhere
        self._emit = emit
        self._window_s = window_s
        self._clock = clock
        self.bin = Bin(database, elsewhere, window_s=window_s, clock=clock)

    async def would(self, request: ForgetRequest, spaces: Collection[str]) -> Forgotten:
        """What `forget` would do."""
        chosen = await self._database.read(lambda connection: _chosen(connection, request, spaces))
        gone = chosen.gone()
        quotes = sum([await place.quoting(gone) for place in self._elsewhere])
        vectors, facts, summaries, shown = await self._database.read(
            lambda connection: _counted(connection, chosen.rowids, _shown(request))
        )
        copies = await asyncio.to_thread(backups.copies, self._database.path)
        return Forgotten(
            episodes=[store.episode(row) for row in shown],
            count=len(chosen.rowids),
            vectors=vectors,
            facts=facts,
            summaries=summaries,
            quotes=quotes,
            backups=copies.count,
            backups_until=copies.until,
            dry_run=True,
        )

    async def forget(self, request: ForgetRequest, spaces: Collection[str]) -> Forgotten:
        """All that is meant, or none when an id is not to be seen."""
        chosen = await self._database.read(lambda connection: _chosen(connection, request, spaces))
        shown = await self._database.read(
            lambda connection: keeping_store.rows_of(connection, chosen.rowids[: _shown(request)])
        )
        told = Forgotten(episodes=[store.episode(row) for row in shown], vectors=0, dry_run=False)
        if not chosen.rowids and not chosen.threads:
            return told
        window_s = 0.0 if request.for_good else self._window_s
        undo, removed = await self.remove(chosen.rowids, chosen.threads, window_s)
        until = undo.expires_at if window_s > 0 else None
        copies = await asyncio.to_thread(backups.copies, self._database.path)
        return told.model_copy(
            update={
                **{"count": len(removed.ids), "vectors": removed.vectors, "facts": removed.facts},
                **{"summaries": removed.summaries, "backups": copies.count, "backups_until": copies.until},
                **({"undo_id": undo.id, "undo_until": until} if until is not None else {}),
                "erased": until is None and await self.bin.is_erased(undo.id),
            }
        )

    async def remove(
        self, rowids: Sequence[int], threads: Collection[str], window_s: float | None, *, reason: str = ""
    ) -> "tuple[Binned, _Removed]":
        """Take rows out of memory, and into the bin for so long; None: as long as what a person forgets."""
        now = self._clock()
        undo = Binned(ids.new("undo"), now, now + (self._window_s if window_s is None else window_s), 0)
        why = {"reason": reason} if reason else {}
        removed = _Removed()
        for part in _parts(sorted(rowids)) if rowids else ((),):  # they come back in the order they came in
            found = await self._database.write(
                lambda connection, part=part: _into_bin(connection, undo, part, threads),
                committed=lambda found: self._changes.removed(found[0], found[1].touched),
            )
            removed.add(*found)
            if found[0]:
                await self._emit(EventType.MEMORY_FORGOTTEN, {"ids": [row["id"] for row in found[0]], **why})
        await self.bin.look()
        return undo, removed

    async def restore(self, request: RestoreRequest, spaces: Collection[str]) -> Restored:
        """Bring back what was forgotten last, or by its id. Raises NotFound once it is gone."""
        id = await self._restorable(request.undo_id, spaces)
        now = self._clock()
        if not await self._database.write(lambda connection: keeping_store.bin_hold(connection, id, now)):
            raise _nothing(self._window_s, request.undo_id)
        stored, already, place = list[str](), 0, 0
        while True:
            added = await self._database.write(
                lambda connection, place=place: _out_of_bin(connection, id, place),
                committed=self._on_stored,
            )
            if not added.spaces:
                break
            place = added.place
            for one in added.spaces:
                stored += one.ids
                already += len(one.ids) - one.new
                await self._emit(EventType.MEMORY_STORED, {"space": one.space, "ids": one.ids, "new": one.new})
        facts = await self._database.write(lambda connection: _claims_out_of_bin(connection, id))
        return Restored(undo_id=id, ids=stored, facts=facts, already=already)

    def _on_stored(self, added: "_Step") -> None:
        for one in added.spaces:
            self._changes.stored(one.space, one.touched)

    async def list(self, spaces: Collection[str]) -> UndoList:
        """What can be brought back."""
        now, seen = self._clock(), set(spaces)

        def read(connection: Connection) -> list[Binned]:
            lying = [one for one in keeping_store.binned(connection) if one.expires_at > now]
            return [one for one in lying if keeping_store.bin_spaces(connection, one.id) <= seen]

        found = await self._database.read(read)
        undo = [Undo(undo_id=one.id, at=one.at, until=one.expires_at, episodes=one.episodes) for one in found]
        return UndoList(forgotten=undo)

    async def _restorable(self, wanted: str | None, spaces: Collection[str]) -> str:
        lying = (await self.list(spaces)).forgotten
        for one in lying:
            if wanted in (None, one.undo_id):
                return one.undo_id
        raise _nothing(self._window_s, wanted)


class _Removed:
    """What several steps took out."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.vectors = self.facts = self.summaries = 0

    def add(self, rows: Sequence[Row], removed: store.Removed, summaries: int) -> None:
        self.ids += [row["id"] for row in rows]
        self.vectors += removed.vectors
        self.facts += removed.facts
        self.summaries += summaries


@dataclass(frozen=True, slots=True)
class _Stored:
    space: str
    ids: list[str]
    new: int
    touched: list[int]


@dataclass(frozen=True, slots=True)
class _Step:
    spaces: list[_Stored]
    place: int


def _nothing(window_s: float, wanted: str | None) -> NotFound:
    what = "nothing" if wanted is None else f"nothing under `{wanted}`"
    return NotFound(
        f"There is {what} to bring back.",
        f"What is forgotten can be brought back for {window_s / 60:g} minutes, then it is gone.",
    )


def _shown(request: ForgetRequest) -> int:
    return len(request.ids) or _SHOWN


def _parts(rowids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (rowids[start : start + _AT_ONCE] for start in range(0, len(rowids), _AT_ONCE))


def _chosen(connection: Connection, request: ForgetRequest, spaces: Collection[str]) -> Chosen:
    selection = _selection(request, spaces)
    rowids = keeping_store.rowids(connection, selection)
    records = [keeping_store.record(row) for row in keeping_store.rows_of(connection, rowids)]
    if missing := set(request.ids) - {one["id"] for one in records}:
        raise NotFound(
            f"There is no memory `{min(missing)}`; nothing was forgotten.", "`hearth memory search` shows ids."
        )
    whole = request.thread_id if _is_whole_thread(request) else None
    if whole is not None and not keeping_store.thread_exists(connection, whole) and not records:
        raise NotFound(f"There is no thread `{whole}`; nothing was forgotten.", "`hearth chat` and the tray show them.")
    if request.ids:
        order = {id: place for place, id in enumerate(request.ids)}
        records.sort(key=lambda one: order[one["id"]])
        rowids = [row["rowid"] for row in store.by_ids(connection, request.ids, selection.spaces)]
    return Chosen(selection, rowids, frozenset() if whole is None else frozenset({whole}), records)


def _is_whole_thread(request: ForgetRequest) -> bool:
    """Whether nothing narrows it, so that answers go too."""
    narrower = (request.ids, request.source, request.site, request.project, request.after, request.before)
    return request.thread_id is not None and not any(narrower)


def _selection(request: ForgetRequest, spaces: Collection[str]) -> Selection:
    names = ("thread_id", "source", "site", "project", "after", "before")
    wanted = {name: value for name in names if (value := getattr(request, name)) is not None}
    if not request.ids and not wanted:
        raise BadRequest(
            "Nothing was named, so nothing was forgotten.",
            "Name ids, a thread, a source, a site, a project or a time.",
        )
    if request.space is not None and request.space not in spaces:
        raise NotFound(f"There is no space `{request.space}` here.", "Name a space that you may see, such as `main`.")
    seen = sorted(spaces) if request.space is None else [request.space]
    return Selection(seen, ids=request.ids or None, **wanted)


def _counted(connection: Connection, rowids: Sequence[int], shown: int) -> tuple[int, int, int, Sequence[Row]]:
    vectors = sum(store.vectors_of(connection, part) for part in _parts(rowids))
    facts = len(facts_store.facts_of(connection, rowids))
    return vectors, facts, _summaries(connection, rowids), keeping_store.rows_of(connection, rowids[:shown])


def _into_bin(
    connection: Connection, undo: Binned, rowids: Sequence[int], threads: Collection[str]
) -> tuple[Sequence[Row], store.Removed, int]:
    rows = keeping_store.rows_of(connection, rowids)
    summaries = _summaries(connection, rowids)
    keeping_store.bin_open(connection, Binned(undo.id, undo.at, undo.expires_at, len(rows)))
    keeping_store.bin_put(connection, undo.id, "episode", [(row["space"], keeping_store.record(row)) for row in rows])
    keeping_store.bin_threads(connection, undo.id, threads)
    names = {row["rowid"]: row["id"] for row in rows}
    said = [(claim.space, claims.record(claim, names)) for _, claim in facts_store.claims_of(connection, rowids)]
    keeping_store.bin_put(connection, undo.id, "claim", said)
    return rows, store.remove(connection, rows), summaries


def _summaries(connection: Connection, rowids: Sequence[int]) -> int:
    """Lines of summaries that cite one of these."""
    return sum(keeping_store.lines_citing(connection, part) for part in _parts(rowids))


def _out_of_bin(connection: Connection, id: str, place: int) -> _Step:
    found = keeping_store.bin_records(connection, id, "episode", place, _AT_ONCE)
    stored: list[_Stored] = []
    for space, records in groupby((one for _, one in found), key=lambda one: one["space"]):
        kept = [keeping_store.kept(record) for record in records]
        added = store.keep(connection, space, kept)
        stored.append(_Stored(space, added.ids, added.new, added.touched))
    return _Step(stored, found[-1][0] if found else place)


def _claims_out_of_bin(connection: Connection, id: str) -> int:
    records = [record for _, record in keeping_store.bin_records(connection, id, "claim")]
    facts = claims.put(connection, records)
    keeping_store.bin_drop(connection, id)
    return facts
