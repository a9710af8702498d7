"""A memory on a database of its own, and short ways to fill it."""

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from hearth_backend.memory.memory import Memory
from hearth_backend.memory.ports import Embedder
from hearth_backend.orchestrator.redaction import Redaction
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import EpisodeBatch, Hit, NewEpisode, SearchRequest
from hearth_shared.settings import Memory as Settings

START = datetime(2025, 5, 1, 12, tzinfo=UTC)
MAIN = frozenset({"main"})


@dataclass
class Heard:
    """Events, as somebody who listens hears them."""

    events: list[tuple[EventType, Mapping[str, Any]]] = field(default_factory=list[tuple[EventType, Mapping[str, Any]]])

    async def __call__(self, kind: EventType, data: Mapping[str, Any]) -> None:
        self.events.append((kind, data))


@dataclass
class Room:
    """A memory, its database and what it announced."""

    memory: Memory
    database: Database
    heard: Heard

    async def keep(self, *texts: str, space: str = "main", **more: Any) -> list[str]:
        """Remember texts, a minute apart, and wait until they are embedded."""
        batch = EpisodeBatch(space=space, episodes=turns(*texts, **more))
        stored = await self.memory.remember(batch, spaces={space})
        await self.memory.settled()
        return stored.ids

    async def find(self, query: str, space: str = "main", **more: Any) -> Sequence[Hit]:
        return (await self.memory.search(SearchRequest(space=space, query=query, **more), {space})).results

    async def texts(self, query: str, space: str = "main", **more: Any) -> list[str]:
        return [hit.text for hit in await self.find(query, space, **more)]


def turns(*texts: str, start: datetime = START, prefix: str = "", **more: Any) -> list[NewEpisode]:
    """Episodes a minute apart; the same text has the same external id."""

    def turn(place: int, text: str) -> NewEpisode:
        plain = {"external_id": f"{prefix}{text[:200]}", "occurred_at": start + timedelta(minutes=place), "text": text}
        return NewEpisode.model_validate(plain | more)

    return [turn(place, text) for place, text in enumerate(texts)]


@asynccontextmanager
async def room(
    folder: Path,
    embedder: Embedder | None = None,
    *,
    help: Traversable | None = None,
    clock: Callable[[], float] = time.time,
    **settings: Any,
) -> AsyncGenerator[Room]:
    """A started memory in `folder`; without `help` it has no pages."""
    empty = folder / "no-help"
    empty.mkdir(exist_ok=True)
    database, heard = Database(folder / "hearth.db", MIGRATIONS), Heard()
    memory = Memory(
        database,
        embedder,
        Settings(**settings),
        heard,
        elsewhere=[Redaction(database)],
        help=help or empty,
        clock=clock,
    )
    try:
        await memory.start()
        await memory.settled()
        yield Room(memory, database, heard)
        await memory.close()
    finally:
        await database.close()
