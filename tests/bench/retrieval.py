"""`make bench-retrieval`: does memory find the evidence, and how fast; through remember and search alone.

HEARTH_BENCH_DATA names the folder of the evaluation data; without data only speed is measured, on made-up turns.
Both states are measured: with the embedding model and without. Weights were tuned on this same split, so the last
digits flatter; other conversations are held out.
"""

import asyncio
import math
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.conversations import Collection, Question, cranfield, folder, locomo
from bench.verdict import Verdict
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.memory.memory import Memory
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import EpisodeBatch, NewEpisode, SearchRequest
from hearth_shared.settings import Memory as Settings

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open", 4: "single-hop"}
FULL_BAR, WORDS_BAR, CRANFIELD_BAR, P99_BAR_MS = 0.80, 0.755, 0.42, 15.0
DEPTH, BATCH, MANY = 200, 200, 6000
BUDGETS = (500, 1000, 2000)


def main() -> int:
    """The exit code."""
    verdict = Verdict("retrieval")
    data = folder()
    if data is None:
        print("  no evaluation data (HEARTH_BENCH_DATA): quality is not measured")
    asyncio.run(_measure(verdict, data))
    return verdict.close()


async def _measure(verdict: Verdict, data: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as scratch:
        embedder = MiniLMEmbedder(Path(scratch) / "minilm")
        try:
            if data is not None:
                await _quality(verdict, "words only", locomo(data), None, WORDS_BAR)
                await _quality(verdict, "full", locomo(data), embedder, FULL_BAR)
                await _documents(verdict, cranfield(data), embedder)
            await _speed(verdict, locomo(data) if data else [], embedder)
        finally:
            await embedder.close()


async def _quality(
    verdict: Verdict, name: str, talks: Sequence[Collection], embedder: MiniLMEmbedder | None, bar: float
) -> None:
    async with _memory(embedder) as memory:
        started = time.perf_counter()
        for talk in talks:
            await _remember(memory, talk)
        await memory.settled()
        took = time.perf_counter() - started
        verdict.note(f"{name}: turns stored a second", sum(len(talk.episodes) for talk in talks) / took, "/s")
        scored = {
            talk.name: [(question, await _ask(memory, talk, question)) for question in talk.questions] for talk in talks
        }
        answered = [pair for pairs in scored.values() for pair in pairs if pair[0].category in CATEGORIES]
        _report(verdict, name, answered)
        verdict.must(f"{name}: R@10 >= {bar}", verdict.figures[f"{name}: R@10"] >= bar)
        await _coverage(verdict, name, memory, talks)


async def _coverage(verdict: Verdict, name: str, memory: Memory, talks: Sequence[Collection]) -> None:
    """Share of the evidence inside a token budget."""
    for budget in BUDGETS:
        shares: list[float] = []
        for talk in talks:
            for question in talk.questions:
                if question.category in CATEGORIES:
                    shares.append(_share(await _ask(memory, talk, question, budget), question))
        verdict.note(f"{name}: evidence in {budget} tokens", _mean(shares), "")


async def _documents(verdict: Verdict, documents: Collection, embedder: MiniLMEmbedder) -> None:
    async with _memory(embedder) as memory:
        await _remember(memory, documents)
        await memory.settled()
        scored = [(question, await _ask(memory, documents, question)) for question in documents.questions]
        _report(verdict, "cranfield", scored)
        verdict.must(f"cranfield: nDCG@10 >= {CRANFIELD_BAR}", verdict.figures["cranfield: nDCG@10"] >= CRANFIELD_BAR)


async def _speed(verdict: Verdict, talks: Sequence[Collection], embedder: MiniLMEmbedder) -> None:
    """Search with the query's embedding in a space of 6000 turns."""
    turns = [episode.text for talk in talks for episode in talk.episodes] or _made_up()
    asked = [question.text for talk in talks for question in talk.questions] or [
        " ".join(text.split()[:6]) for text in turns
    ]
    chance = random.Random(1)
    at = datetime(2024, 1, 1, tzinfo=UTC)
    episodes = [
        NewEpisode(
            external_id=str(place),
            session=str(place // 20),
            speaker=("Ana", "Bo")[place % 2],
            occurred_at=at + timedelta(minutes=place),
            text=f"{chance.choice(turns)} {chance.choice(turns)[:20]}",
        )
        for place in range(MANY)
    ]
    async with _memory(embedder) as memory:
        many = Collection("many", episodes, [Question(text, frozenset()) for text in chance.sample(asked, 300)])
        await _remember(memory, many)
        await memory.settled()
        await _ask(memory, many, many.questions[0])
        times: list[float] = []
        for question in many.questions:
            started = time.perf_counter()
            await _ask(memory, many, question, depth=10)
            times.append((time.perf_counter() - started) * 1000)
    times.sort()
    verdict.note("search of 6000 turns, p50", times[len(times) // 2], "ms")
    verdict.bar("search of 6000 turns, p99", times[int(len(times) * 0.99)], P99_BAR_MS, "ms")


def _made_up() -> list[str]:
    words = [
        f"{a}{b}{c}" for a in ("ka", "lo", "mi", "ru", "te") for b in ("na", "po", "si", "du") for c in ("r", "n", "l")
    ]
    chance = random.Random(2)
    return [" ".join(chance.choices(words, k=20)) for _ in range(1000)]


@asynccontextmanager
async def _memory(embedder: MiniLMEmbedder | None) -> AsyncGenerator[Memory]:
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as scratch:
        database = Database(Path(scratch) / "hearth.db", MIGRATIONS)
        memory = Memory(database, embedder, Settings(), _unheard)
        try:
            await memory.start()
            yield memory
            await memory.close()
        finally:
            await database.close()


async def _unheard(kind: EventType, data: Mapping[str, Any]) -> None:
    """Nobody listens to a bench."""


async def _remember(memory: Memory, collection: Collection) -> None:
    for start in range(0, len(collection.episodes), BATCH):
        batch = EpisodeBatch(space=collection.name, episodes=collection.episodes[start : start + BATCH])
        await memory.remember(batch, spaces={collection.name})


async def _ask(
    memory: Memory, collection: Collection, question: Question, budget: int | None = None, depth: int = DEPTH
) -> list[str]:
    """The external ids found, best first."""
    request = SearchRequest(space=collection.name, query=question.text, k=depth, token_budget=budget)
    return [hit.external_id for hit in (await memory.search(request, {collection.name})).results]


def _report(verdict: Verdict, name: str, scored: Sequence[tuple[Question, list[str]]]) -> None:
    for k in (5, 10, 20):
        verdict.note(f"{name}: R@{k}", _mean([_share(found[:k], question) for question, found in scored]), "")
    verdict.note(f"{name}: MRR", _mean([_reciprocal(found, question) for question, found in scored]), "")
    verdict.note(f"{name}: nDCG@10", _mean([_gain(found[:10], question) for question, found in scored]), "")
    kinds: dict[int, list[float]] = defaultdict(list)
    for question, found in scored:
        kinds[question.category].append(_share(found[:10], question))
    for category, shares in sorted(kinds.items()):
        if category in CATEGORIES:
            verdict.note(f"{name}: R@10 {CATEGORIES[category]}", _mean(shares), "")


def _share(found: Sequence[str], question: Question) -> float:
    return len(question.gold & set(found)) / len(question.gold)


def _reciprocal(found: Sequence[str], question: Question) -> float:
    return next((1 / rank for rank, one in enumerate(found, 1) if one in question.gold), 0.0)


def _gain(found: Sequence[str], question: Question) -> float:
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(question.gold)) + 1))
    return sum(1 / math.log2(rank + 1) for rank, one in enumerate(found, 1) if one in question.gold) / ideal


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


if __name__ == "__main__":
    sys.exit(main())
