"""Ways in which a folder of Chroma's can be damaged, and a memory that is asked before and after."""

import os
import random
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory.index import Index
from hearth_backend.memory.index_folder import IndexFolder
from hearth_backend.memory.memory import Memory
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import EpisodeBatch, NewEpisode, SearchRequest
from hearth_shared.settings import Memory as Settings
from support.embedders import WordEmbedder

Damage = Callable[[Path, random.Random], None]
DIM = 64
MAIN = frozenset({"main"})
_NOW = datetime(2025, 5, 1, tzinfo=UTC)


def _one(folder: Path, name: str) -> Path:
    return next(folder.rglob(name))


def _noise(path: Path, chance: random.Random, pieces: int) -> None:
    """Random bytes at random places, past the first page."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(pieces):
            file.seek(chance.randrange(min(4096, size // 2), size))
            file.write(chance.randbytes(512))


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _head(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.write(chance.randbytes(64))


WAYS: Mapping[str, Damage] = {
    "the folder is gone": lambda folder, _: shutil.rmtree(folder),
    "the database is gone": lambda folder, _: _one(folder, "chroma.sqlite3").unlink(),
    "the database is cut in half": lambda folder, _: _cut(_one(folder, "chroma.sqlite3")),
    "noise in the database": lambda folder, chance: _noise(_one(folder, "chroma.sqlite3"), chance, 200),
    "the graph's folder is gone": lambda folder, _: shutil.rmtree(_one(folder, "header.bin").parent),
    "noise in the graph's header": lambda folder, chance: _head(_one(folder, "header.bin"), chance),
    "the vectors are gone": lambda folder, _: _one(folder, "data_level0.bin").unlink(),
    "the vectors are cut in half": lambda folder, _: _cut(_one(folder, "data_level0.bin")),
    "noise in the vectors": lambda folder, chance: _noise(_one(folder, "data_level0.bin"), chance, 400),
    "the names are empty": lambda folder, _: os.truncate(_one(folder, "index_metadata.pickle"), 0),
}


async def unheard(kind: EventType, data: Mapping[str, Any]) -> None:
    """Nobody listens here."""


def episodes(first: int, count: int) -> list[NewEpisode]:
    """Turns of a few words each, told apart by their numbers."""
    return [
        NewEpisode(
            external_id=str(number), occurred_at=_NOW, session=str(number // 10),
            text=f"turn{number} of thing{number % 97} and matter{number % 41} in place{number % 13}",
        )
        for number in range(first, first + count)
    ]  # fmt: skip


def questions(count: int, turns: int, chance: random.Random) -> list[str]:
    """About some of the turns."""
    return [f"thing{number % 97} matter{number % 41}" for number in chance.sample(range(turns), count)]


class DistinctEmbedder(WordEmbedder):
    """As with a real model, no two different texts are equally near to a third: what is nearest is never a matter of
    chance."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = await super().embed(texts)
        own = [np.random.default_rng(list(text.encode())).standard_normal(self.dim) for text in texts]
        rows = rows + 0.05 * np.array(own, np.float32).reshape(len(texts), self.dim)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass
class House:
    """A memory, its index and the database below them."""

    database: Database
    memory: Memory
    index: Index | None
    told: list[str]

    async def store(self, turns: Sequence[NewEpisode]) -> None:
        """All of them, and wait until they are in the index."""
        for start in range(0, len(turns), 250):
            await self.memory.remember(EpisodeBatch(episodes=list(turns[start : start + 250])), spaces=MAIN)
        await self.settled()

    async def settled(self) -> None:
        """Wait until there is nothing to embed, to feed or to make anew."""
        await self.memory.settled()
        if self.index is not None:
            await self.index.settled()

    async def answers(self, asked: Sequence[str]) -> tuple[list[list[str]], set[str]]:
        """The ten best of each question, and which ways answered."""
        found = [await self.memory.search(SearchRequest(query=one, k=10), MAIN) for one in asked]
        return [[hit.id for hit in one.results] for one in found], {one.answered_by for one in found}


@asynccontextmanager
async def house(
    folder: Path, *, with_index: bool = True, embedder: Any = None, exact_below: int = 0, proven: float = 0.0
) -> AsyncGenerator[House]:
    """Opened on a folder, which may hold what an earlier one left."""
    (folder / "no-help").mkdir(parents=True, exist_ok=True)
    database = Database(folder / "hearth.db", MIGRATIONS)
    told: list[str] = []
    index = None
    if with_index:
        index = Index(
            database, IndexFolder(folder / "index"), lambda state, detail, fix: told.append(f"{state}: {detail} {fix}"),
            exact_below=exact_below, idle_s=300.0, retry_s=0.0, proven=proven,
        )  # fmt: skip
    memory = Memory(
        database, embedder or DistinctEmbedder(dim=DIM), Settings(exact_below=exact_below), unheard,
        help=folder / "no-help", index=index,
    )  # fmt: skip
    try:
        await memory.start()
        yield House(database, memory, index, told)
        await memory.close()
    finally:
        await database.close()
