"""Everything this room derives from what is remembered, as one value: facts, graph, blocks, summaries, the reading."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from hearth_backend.memory import reading_store
from hearth_backend.memory.blocks import Blocks
from hearth_backend.memory.extraction import Extraction
from hearth_backend.memory.facts import Facts, Remember, check_space
from hearth_backend.memory.filling import Filling
from hearth_backend.memory.graph import Network
from hearth_backend.memory.store import moment
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.protocol.facts import Summary, SummaryLine, SummaryList


class Summaries:
    """What sessions and weeks came to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, space: str, spaces: Collection[str], *, level: str | None = None, key: str | None = None, limit: int = 20
    ) -> SummaryList:
        """The newest first; `key` is a session's name or a week such as 2026-W48."""
        check_space(space, spaces)

        def work(connection: Connection) -> SummaryList:
            rows = reading_store.summaries(connection, space, level, limit, key)
            return SummaryList(summaries=[_summary(connection, row) for row in rows])

        return await self._database.read(work)


def _summary(connection: Connection, row: Row) -> Summary:
    told = reading_store.lines_of(connection, row["rowid"])
    return Summary(
        **{name: row[name] for name in ("id", "space", "level", "key", "maker")},
        first_at=moment(row["first_at"]),
        last_at=moment(row["last_at"]),
        made_at=moment(row["made_at"]),
        lines=[SummaryLine(text=text, episodes=episodes) for text, episodes in told],
    )


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The parts, each whole by itself."""

    facts: Facts
    network: Network
    blocks: Blocks
    summaries: Summaries
    filling: Filling
    extraction: Extraction


def knowledge(
    database: Database, remember: Remember, extraction: Extraction, *, clock: Callable[[], float]
) -> Knowledge:
    """All of it over one database; `extraction` is made before memory is, to be told what is stored."""
    return Knowledge(
        facts=Facts(database, remember, clock=clock),
        network=Network(database, clock=clock),
        blocks=Blocks(database, clock=clock),
        summaries=Summaries(database),
        filling=Filling(database, remember, clock=clock),
        extraction=extraction,
    )
