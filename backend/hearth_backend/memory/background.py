"""What earlier conversations came to, from their summaries: read before a question whatever it asks."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from hearth_backend.memory import reading_store
from hearth_backend.memory.consent import LOCAL_ONLY
from hearth_backend.memory.summaries import week_of
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.protocol.tasks import Source

_WEEKS_S: Final = 28 * 86_400.0
_OF_WEEK, _OF_SESSIONS, _OF_OWN = 4, 6, 6
_OF_ONE_SESSION: Final = 2


class Background:
    """The week before this one in short, then this week's other conversations, then the older turns of the thread
    itself that its prompt no longer holds. Each line is the words of one memory, and says which."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def lines(
        self, spaces: Collection[str], thread_id: str | None, held_since: float | None = None
    ) -> Sequence[Source]:
        """What changes least first. `held_since`: the thread's turns from then on stand in the prompt already."""
        now = self._clock()

        def work(connection: Connection) -> list[Source]:
            return _lines(connection, sorted(spaces), thread_id or "", held_since, now)

        return await self._database.read(work)


def _lines(
    connection: Connection, spaces: Sequence[str], thread: str, held_since: float | None, now: float
) -> list[Source]:
    _, begins, _ = week_of(now)
    week = reading_store.lines_between(connection, spaces, "week", (begins - _WEEKS_S, begins))
    newest = max((row["key"] for row in week), default="")
    talks = reading_store.lines_between(connection, spaces, "session", (begins, float("inf")), but=thread)
    own = reading_store.own_lines(connection, spaces, thread, held_since) if held_since is not None else []
    told = [
        *[row for row in week if row["key"] == newest][:_OF_WEEK],
        *_first_of_each(talks)[:_OF_SESSIONS],
        *own[:_OF_OWN],
    ]
    return list({row["id"]: _source(row) for row in told}.values())


def _first_of_each(rows: Sequence[Row]) -> list[Row]:
    """The first lines of each conversation, the newest conversation first."""
    taken: dict[str, int] = {}
    kept: list[Row] = []
    for row in rows:
        taken[row["key"]] = taken.get(row["key"], 0) + 1
        if taken[row["key"]] <= _OF_ONE_SESSION:
            kept.append(row)
    return kept


def _source(row: Row) -> Source:
    return Source(
        n=0,
        kind="memory",
        id=row["id"],
        title=row["key"] if row["level"] == "week" else row["title"] or row["speaker"] or row["source"],
        quote=row["line"],
        speaker=row["speaker"],
        occurred_at=row["occurred_at"],
        location=f"{row['space']}/{row['external_id']}",
        thread_id=row["thread_id"] or "",
        trusted=bool(row["trusted"]),
        local_only=row["sensitivity"] == LOCAL_ONLY,
    )
