"""Keeps how to take back what tools did, and takes it back: byte for byte, or not at all."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_backend.tools import store
from hearth_backend.tools.beneath import Beneath, State
from hearth_backend.tools.changes import Change, Standing, put_back
from hearth_shared.display import display
from hearth_shared.errors import Conflict, NotFound

_SHOWN: Final = 5
_LEFT: Final = "Nothing was undone. Compare by hand, or put the files back as the task left them and try again."


class Undone(NamedTuple):
    """Which paths are as they were, and which calls were taken back."""

    paths: Sequence[str]
    tools: Sequence[str]


class Record(NamedTuple):
    """What one call changed, and where."""

    key: str
    tool: str
    root: str
    state: str
    changes: Sequence[Change]


class UndoLog:
    """`closed` are folders no tool gets into."""

    def __init__(
        self, database: Database, *, closed: Sequence[str] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._closed = tuple(closed)
        self._clock = clock

    async def prepare(self, key: str, run_id: str, tool: str, root: str, changes: Sequence[Change]) -> None:
        """Keep what stands there; on disk before it is changed."""
        at = self._clock()

        def work(connection: Connection) -> None:
            number = store.add_reverse(connection, (key, run_id, tool, root, at))
            for position, change in enumerate(changes):
                store.add_entry(connection, (number, position, *_values(change)))

        await self._database.write(work)

    async def done(self, key: str) -> None:
        """It was changed."""
        await self._database.write(lambda connection: store.set_reverse(connection, key, "done"))

    async def look_back(self, key: str) -> Literal["done", "not done", "unknown"]:
        """Whether a call that was interrupted came to its end, as the files tell."""
        record = await self._database.read(
            lambda connection: _record(connection, store.reverse_of_key(connection, key))
        )
        if record is None:
            return "not done"  # nothing is changed before its record is on disk
        if record.state == "done":
            return "done"
        return await asyncio.to_thread(self._compare, record)

    async def undo(self, run_id: str) -> Undone:
        """Take back all that a run did. Raises Conflict when something changed since, and NotFound when there is
        nothing to take back; then all is left as it is."""
        records = await self._database.read(
            lambda connection: [_record(connection, row) for row in store.reverses_of_run(connection, run_id)]
        )
        open_ = [record for record in records if record is not None and record.state != "undone"]
        if not open_:
            raise NotFound(
                "There is nothing to undo: the task changed no file, or it was undone already.",
                f"`hearth tasks show {run_id}` tells what it did.",
            )
        paths = await asyncio.to_thread(self._take_back, open_)
        for record in open_:
            await self._database.write(lambda connection, key=record.key: store.set_reverse(connection, key, "undone"))
        return Undone(paths, [record.tool for record in open_])

    async def prune(self, before: float) -> int:
        """Forget what is too old to be undone; how many calls."""
        return await self._database.write(lambda connection: store.prune_reverses(connection, before))

    def _compare(self, record: Record) -> Literal["done", "not done", "unknown"]:
        with Beneath(record.root, closed=self._closed) as folder:
            now = [(change, folder.state(change.path)) for change in record.changes]
        if all(_is(state, change.after) for change, state in now):
            return "done"
        return "not done" if all(change.before.same(state) for change, state in now) else "unknown"

    def _take_back(self, records: Sequence[Record]) -> Sequence[str]:
        folders = {root: Beneath(root, closed=self._closed) for root in {record.root for record in records}}
        try:
            wanted = _wanted(folders, records)
            for (root, path), before in sorted(wanted.items(), key=_removals_first):
                put_back(folders[root], path, before)
            return [path for _, path in sorted(wanted)]
        finally:
            for folder in folders.values():
                folder.close()


def _wanted(folders: dict[str, Beneath], records: Sequence[Record]) -> dict[tuple[str, str], Standing]:
    """What each path shall be again, the last call first; every path must be as its call left it."""
    wanted: dict[tuple[str, str], Standing] = {}
    changed: list[str] = []
    for record in records:
        for change in record.changes:
            place = (record.root, change.path)
            now = folders[record.root].state(change.path)
            was = wanted.get(place)
            fits = was.same(change.after) if was is not None else _is(now, change.after)
            if not fits and not (record.state == "prepared" and was is None and change.before.same(now)):
                changed.append(change.path)
            wanted[place] = change.before
    if changed:
        named = ", ".join(display(path, keep="") for path in changed[:_SHOWN])
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise Conflict(f"Changed since the task left it: {named}{more}.", _LEFT, changed=changed)
    return wanted


def _removals_first(item: tuple[tuple[str, str], Standing]) -> tuple[int, int, str]:
    """What came goes first, the deepest first; then folders, the outermost first; then what stands in them."""
    (_, path), before = item
    if before.kind == "nothing":
        return 0, -path.count("/"), path
    return (1 if before.kind == "folder" else 2), path.count("/"), path


def _is(now: State, after: State) -> bool:
    same_mode = after.kind not in ("file", "folder") or after.mode in (0, now.mode)
    return (now.kind, now.sha256) == (after.kind, after.sha256) and same_mode


def _values(change: Change) -> tuple[object, ...]:
    before, after = change.before, change.after
    return (
        *(change.path, before.kind, before.mode, before.content, before.mtime_ns),
        *(after.kind, after.mode, after.sha256),
    )


def _record(connection: Connection, row: Row | None) -> Record | None:
    if row is None:
        return None
    changes = [_change(entry) for entry in store.entries_of(connection, row["id"])]
    return Record(row["key"], row["tool"], row["root"], row["state"], changes)


def _change(row: Row) -> Change:
    before = Standing(row["before_kind"], row["before_mode"], bytes(row["before_bytes"]), row["before_mtime"])
    after = State(row["after_kind"], mode=row["after_mode"], sha256=row["after_sha256"])
    return Change(row["path"], before, after)
