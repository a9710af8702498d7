import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_backend.memory import documents
from hearth_backend.memory.memory import Memory
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.errors import ModelUnavailable
from hearth_shared.protocol.memory import EpisodeBatch, SearchRequest
from hearth_shared.settings import Memory as Settings
from support.embedders import WordEmbedder
from support.rooms_of_memory import MAIN, Heard, room, turns

pytestmark = pytest.mark.integration


async def test_what_is_stored_is_embedded_with_its_window(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    async with room(tmp_path, embedder) as one:
        await one.keep("I bake.", "Rye bread?", session="s", speaker="Ana")
        assert set(embedder.asked) == {"I bake.", "Rye bread?", "Ana: I bake. Ana: Rye bread?"}
        assert (await one.memory.counts())["waiting"] == 0


async def test_a_text_without_neighbours_is_embedded_once(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    async with room(tmp_path, embedder) as one:
        await one.keep("Alone.")
        assert embedder.asked == ["Alone."]


async def test_what_an_earlier_run_left_is_embedded_at_the_next_start(tmp_path: Path) -> None:
    async with room(tmp_path) as one:
        await one.keep("Left behind.")
        assert (await one.memory.counts())["waiting"] == 1
    async with room(tmp_path, WordEmbedder()) as one:
        assert (await one.memory.counts())["waiting"] == 0


async def test_another_model_embeds_everything_anew(tmp_path: Path) -> None:
    async with room(tmp_path, WordEmbedder(id="first")) as one:
        await one.keep("Kept.")
    second = WordEmbedder(id="second")
    async with room(tmp_path, second) as one:
        assert second.asked == ["Kept."]
        models = await one.database.fetch("select distinct model_id from embedding")
        assert [row["model_id"] for row in models] == ["second"]


async def test_new_help_alone_does_not_load_the_model(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    async with room(tmp_path, embedder, help=documents.shipped()) as one:
        assert embedder.asked == []
        await one.memory.recall("what can you do?", MAIN)
        await one.memory.settled()
        assert len(embedder.asked) > 30
        assert (await one.memory.counts())["waiting"] == 0


async def test_without_weights_memories_wait_until_they_come(tmp_path: Path) -> None:
    embedder = WordEmbedder(there=False)
    async with room(tmp_path, embedder) as one:
        await one.keep("First.")
        assert (await one.memory.counts())["waiting"] == 1
        embedder.there = True
        await one.keep("Second.")
        assert (await one.memory.counts())["waiting"] == 0


@pytest.mark.logs("hearth_backend.memory.outbox")
async def test_an_embedder_that_fails_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    embedder = WordEmbedder(failure=ModelUnavailable("It broke off.", "Ask again."))
    async with room(tmp_path, embedder) as one:
        await one.keep("First.")
        assert "It broke off." in caplog.text
        embedder.failure = None
        await one.keep("Second.")
        assert (await one.memory.counts())["waiting"] == 0


async def test_nothing_is_done_while_nothing_is_stored(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    async with room(tmp_path, embedder) as one:
        await one.keep("Kept.")
        asked = len(embedder.asked)
        await one.keep("Kept.")
        await one.memory.list("main", MAIN)
        assert len(embedder.asked) == asked


async def test_a_turn_forgotten_while_it_is_embedded_leaves_no_vector(tmp_path: Path) -> None:
    embedder = SlowEmbedder()
    async with room(tmp_path, embedder) as one:
        stored = await one.memory.remember(EpisodeBatch(episodes=turns("Secret.")), spaces=MAIN)
        await embedder.asked_for.wait()
        await one.database.execute("delete from episode where id = ?", stored.ids)
        embedder.go_on.set()
        await one.memory.settled()
        assert (await one.database.fetch("select count(*) from embedding"))[0][0] == 0


async def test_while_another_model_takes_over_the_old_ones_vectors_are_searched(tmp_path: Path) -> None:
    old, new = WordEmbedder(id="old", dim=64), SlowEmbedder()
    new.id = "new"
    async with room(tmp_path, old) as one:
        await one.keep("A heron in the garden.", "Tea is at four.")
    database = Database(tmp_path / "hearth.db", MIGRATIONS)
    memory = Memory(database, new, Settings(), Heard(), help=tmp_path / "no-help", former={"old": old}.get)
    await memory.start()
    await new.asked_for.wait()
    found = await memory.search(SearchRequest(query="heron"), MAIN)
    assert (found.degraded, found.results[0].text) == ([], "A heron in the garden.")
    assert found.results[0].signals.dense > 0
    assert (old.asked[-1], new.asked) == ("heron", [])
    new.go_on.set()
    await memory.settled()
    again = await memory.search(SearchRequest(query="heron"), MAIN)
    assert (again.results[0].text, new.asked[-1]) == ("A heron in the garden.", "heron")
    rows = await database.fetch("select distinct model_id from embedding")
    assert [row["model_id"] for row in rows] == ["new"]
    await memory.close()
    await database.close()


@pytest.mark.logs("hearth_backend.memory.outbox")
async def test_vectors_of_a_wrong_size_are_refused_and_none_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with room(tmp_path, Narrow()) as one:
        await one.keep("First.")
        assert "not 1 vectors of 512 numbers; none were kept" in caplog.text
        assert (await one.memory.counts())["waiting"] == 1
        assert (await one.database.fetch("select count(*) from embedding"))[0][0] == 0
        found = await one.memory.search(SearchRequest(query="first"), MAIN)
        assert (found.answered_by, len(found.results)) == ("words only", 1)


class Narrow(WordEmbedder):
    """Gives fewer numbers than it promises."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return (await super().embed(texts))[:, :7]


class SlowEmbedder(WordEmbedder):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for, self.go_on = asyncio.Event(), asyncio.Event()

    async def embed(self, texts: object):
        self.asked_for.set()
        await self.go_on.wait()
        return await super().embed(texts)  # pyright: ignore[reportArgumentType]
