"""The journal of tasks and threads, cleaned of what was forgotten: what quotes it is masked, all else stays."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from hearth_backend.memory.gone import FORGOTTEN, Gone, blank
from hearth_backend.orchestrator import redaction_store as store
from hearth_backend.orchestrator.redaction_store import Change, Entry
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.protocol.events import EventType

Mask = Callable[[str], str]
_AT_ONCE: Final = 200
_TEXTS: Final = frozenset(
    {"text", "shown", "quote", "title", "note", "notes", "goal", "detail", "fix", "arguments", "question", "query"}
)
_DELTAS: Final = (EventType.TEXT_DELTA, EventType.REASONING_DELTA)


class Redaction:
    """`memory.ports.Elsewhere` for what the orchestrator keeps.

    A task may quote an episode when the episode was said in it, when it was read for it, or when both belong to one
    thread. Of a page, also the text that was laid beside a question goes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def quoting(self, gone: Gone) -> int:
        """How many tasks may quote it."""
        return len(await self._database.read(lambda connection: store.quoting(connection, gone)))

    async def erase(self, gone: Gone) -> bool:
        """False while one of them is at work: what it still says is cleaned when it has ended."""
        runs = await self._database.read(lambda connection: store.quoting(connection, gone))
        for run in runs:
            changes = await self._database.read(lambda connection, run=run: changes_of(connection, run, gone))
            for start in range(0, len(changes), _AT_ONCE):
                part = changes[start : start + _AT_ONCE]
                await self._database.write(lambda connection, part=part: store.apply(connection, part))
        titles = await self._database.read(lambda connection: [*_titles(connection, gone), *_tasks(connection, gone)])
        await self._database.write(lambda connection: store.apply(connection, titles))
        return not await self._database.read(lambda connection: store.any_at_work(connection, runs))


def changes_of(connection: Connection, run: str, gone: Gone) -> list[Change]:
    """What of one task has to be written anew."""
    entries = store.entries_of(connection, run)
    row = entries[0] if entries else None
    whole = row is not None and row.thread_id in gone.whole_threads
    mask: Mask = blank if whole else gone.mask
    own = whole or run in gone.turns
    plain = [entry for entry in entries if entry.kind not in _DELTAS]
    found = [Change(entry, new) for entry in plain if (new := _cleaned(entry, gone, mask, own=own)) != entry.text]
    return [*found, *_said(entries, mask)]


def _cleaned(entry: Entry, gone: Gone, mask: Mask, *, own: bool) -> str:
    """A column as it may stay; `own`: the words that were forgotten are the task's own goal."""
    if entry.column in ("goal", "question"):
        return FORGOTTEN if own else mask(entry.text)
    if entry.column == "said":
        return mask(entry.text)
    value = json.loads(entry.text)
    if own and entry.kind == EventType.TASK_QUEUED:
        value["goal"] = FORGOTTEN
    new = _walked(value, gone, mask, text=isinstance(value, str))
    return entry.text if new == value and not own else json.dumps(new, ensure_ascii=False, separators=(",", ":"))


def _walked(value: Any, gone: Gone, mask: Mask, *, text: bool = False) -> Any:
    """A JSON value with its texts masked, and what quotes the forgotten itself taken out."""
    if isinstance(value, str):
        return _text(value, mask) if text else value
    if isinstance(value, list):
        return [_walked(one, gone, mask, text=text) for one in _items(value)]
    if not isinstance(value, dict):
        return value
    fields = _fields(value)
    if _is_of(fields, gone):
        return _emptied(fields)
    return {name: _walked(one, gone, mask, text=text or name in _TEXTS) for name, one in fields.items()}


def _text(value: str, mask: Mask) -> str:
    """Arguments of a tool are JSON in JSON; masked as plain text they stay so, for only letters and digits change."""
    return mask(value) if value not in ("true", "false", "null") else value


def _is_of(fields: dict[str, Any], gone: Gone) -> bool:
    """Whether this is a source or a page's text that is to be forgotten itself."""
    if "quote" in fields:
        return fields.get("id") in gone.ids or fields.get("url") in gone.sources
    return "origin" in fields and "text" in fields and fields.get("name") in gone.sources


def _emptied(fields: dict[str, Any]) -> dict[str, Any]:
    gone = {"quote": "", "title": FORGOTTEN, "speaker": "", "url": "", "location": "", "name": FORGOTTEN}
    return {name: "" if name == "text" else gone.get(name, value) for name, value in fields.items()}


def _said(entries: Sequence[Entry], mask: Mask) -> Iterator[Change]:
    """What was sent piece by piece, masked as the whole that it makes; the pieces keep their lengths."""
    parts: dict[tuple[str, int], list[tuple[Entry, dict[str, Any]]]] = {}
    for entry in entries:
        if entry.kind == EventType.TEXT_RESET:
            part = int(json.loads(entry.text).get("part", 0))
            for kind in _DELTAS:
                yield from _pieces(parts.pop((kind, part), []), mask)
        elif entry.kind in _DELTAS:
            data: dict[str, Any] = json.loads(entry.text)
            parts.setdefault((entry.kind, int(data.get("part", 0))), []).append((entry, data))
    for pieces in parts.values():
        yield from _pieces(pieces, mask)


def _pieces(pieces: Iterable[tuple[Entry, dict[str, Any]]], mask: Mask) -> Iterator[Change]:
    given = list(pieces)
    whole = mask("".join(str(data["text"]) for _, data in given))
    start = 0
    for entry, data in given:
        length = len(str(data["text"]))
        text = whole[start : start + length]
        start += length
        if text != data["text"]:
            yield Change(entry, json.dumps({**data, "text": text}, ensure_ascii=False, separators=(",", ":")))


def _titles(connection: Connection, gone: Gone) -> list[Change]:
    """A thread is named after what was said first in it."""
    return [
        Change(entry, FORGOTTEN)
        for entry in store.titles_of(connection, gone.threads)
        if entry.thread_id in gone.whole_threads or entry.kind in gone.turns or gone.mask(entry.text) != entry.text
    ]


def _tasks(connection: Connection, gone: Gone) -> list[Change]:
    """What is worked on goes with its thread, and where it quotes something."""
    masked = [
        (entry, "" if entry.thread_id in gone.whole_threads else gone.mask(entry.text))
        for entry in store.tasks_set(connection)
    ]
    return [Change(entry, text) for entry, text in masked if text != entry.text]


def _items(value: Any) -> list[Any]:
    return value


def _fields(value: Any) -> dict[str, Any]:
    return value
