"""Facts from a file of people, dates or rows: each entry is kept as a memory, and each fact cites its place there."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Final

from hearth_backend.memory import facts_store, structured
from hearth_backend.memory.facts import Remember, check_space
from hearth_backend.memory.facts_store import Claim
from hearth_backend.memory.predicates import is_predicate
from hearth_backend.memory.structured import Entry
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.facts import Filled, StructuredFile
from hearth_shared.protocol.memory import EpisodeBatch, NewEpisode

_BATCH: Final = 64
_TOLD: Final = 5


class Filling:
    """Takes what a file says; the same file once more adds nothing."""

    def __init__(self, database: Database, remember: Remember, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._remember = remember
        self._clock = clock

    async def fill(self, file: StructuredFile, spaces: Collection[str], *, trusted: bool, door: str = "") -> Filled:
        """Keep the entries and their facts. A file that cannot be read adds nothing at all."""
        check_space(file.space, spaces)
        kind = file.kind or structured.kind_of(file.name)
        read = list(islice(structured.entries(file.text, kind), structured.MOST + 1))
        if len(read) > structured.MOST:
            raise BadRequest(f"The file has more than {structured.MOST} entries.", "Give it in parts.")
        good = [entry for entry in read if entry.name and entry.said]
        if not good:
            raise BadRequest(f"{file.name} holds nothing that says something.", "Look at its names and columns.")
        facts = 0
        for start in range(0, len(good), _BATCH):
            facts += await self._keep(file, good[start : start + _BATCH], spaces, trusted, door)
        skipped = [f"entry {place}: {_lack(entry)}" for place, entry in enumerate(read, 1) if entry not in good]
        return Filled(entries=len(good), facts=facts, skipped=skipped[:_TOLD])

    async def _keep(
        self, file: StructuredFile, entries: Sequence[Entry], spaces: Collection[str], trusted: bool, door: str
    ) -> int:
        now = self._clock()
        batch = EpisodeBatch(space=file.space, episodes=[_episode(file, entry, now) for entry in entries])
        stored = await self._remember(batch, spaces=spaces, trusted=trusted, door=door)

        def work(connection: Connection) -> int:
            return sum(
                _put(connection, file.space, entry, id, now, trusted)
                for entry, id in zip(entries, stored.ids, strict=True)
            )

        return await self._database.write(work)


def _episode(file: StructuredFile, entry: Entry, now: float) -> NewEpisode:
    key = sha256(f"{file.name}\n{entry.text}".encode()).hexdigest()[:40]
    return NewEpisode(
        external_id=key,
        source=f"file:{file.name}",
        title=file.name,
        occurred_at=datetime.fromtimestamp(now, UTC),
        text=entry.text,
        origin="file",
    )


def _put(connection: Connection, space: str, entry: Entry, episode: str, now: float, trusted: bool) -> int:
    """How many facts are new."""
    rowid = facts_store.episode_row(connection, episode)
    if rowid is None:
        return 0
    new = 0
    for said in entry.said:
        if is_predicate(said.predicate):
            claim = Claim(
                *(space, entry.name, said.predicate, said.value, now, now, rowid, said.span),
                trusted=trusted,
                extractor="file",
                subject_kind=entry.kind,
            )
            new += facts_store.put(connection, claim).outcome in ("added", "updated", "backfilled")
    return new


def _lack(entry: Entry) -> str:
    return "it has no name" if not entry.name else f"{entry.name[:60]!r} says nothing"
