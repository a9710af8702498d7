"""All of memory as one text, a piece at a time."""

import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Final

from hearth_backend.memory import documents, records, transfer_store
from hearth_backend.memory.records import Format, Record
from hearth_backend.storage.database import Database
from hearth_shared.errors import NotFound

_PAGED: Final = (transfer_store.episodes, transfer_store.claims)


class Exporting:
    """Episodes, what they say, other names, summaries and pinned blocks, space by space."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def spaces(self) -> frozenset[str]:
        """Every space of the person's that holds anything."""
        return frozenset(await self._database.read(transfer_store.spaces)) - {documents.SPACE}

    async def pieces(
        self, format: Format, spaces: Collection[str], wanted: str | None = None, *, private: bool
    ) -> AsyncGenerator[str]:
        """Of one space, or of all that may be seen. Without `private`, nothing that is to stay on this machine.

        Raises NotFound for a space that may not be seen, before the first piece.
        """
        if wanted is not None and wanted not in spaces:
            raise NotFound(f"There is no space `{wanted}` here.", "Name a space that you may see, such as `main`.")
        stored = await self._database.read(transfer_store.spaces)
        chosen = [space for space in stored if space in spaces and space != documents.SPACE]
        chosen = chosen if wanted is None else [wanted]
        counts: dict[str, int] = {}
        made_at = datetime.fromtimestamp(self._clock(), UTC).isoformat()
        yield records.written(
            {"kind": "hearth", "version": records.VERSION, "spaces": chosen, "made_at": made_at}, format
        )
        for space in chosen:
            async for page in self._pages(space, private=private):
                for record in page:
                    counts[record["kind"]] = counts.get(record["kind"], 0) + 1
                yield "".join(records.written(record, format) for record in page)
        yield records.written({"kind": "end", "counts": counts}, format)

    async def _pages(self, space: str, *, private: bool) -> AsyncGenerator[Iterable[Record]]:
        for paged in _PAGED:
            place = 0
            while True:
                found, place = await self._database.read(
                    lambda connection, paged=paged, place=place: paged(connection, space, place, private=private)
                )
                if not found:
                    break
                yield found
        yield await self._database.read(
            lambda connection: [
                *transfer_store.aliases(connection, space),
                *transfer_store.summaries(connection, space, private=private),
                *transfer_store.blocks(connection, space),
            ]
        )
