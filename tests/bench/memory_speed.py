"""What a search costs, and how fast texts are embedded: seconds of processor time of all processes that take part.

`python -P -m bench.memory_speed` prints one line of JSON. `measure` starts that as a process of its own, in which BLAS
has one thread from the start. Texts are of the evaluation data, or made up where there is none. The stored vectors are
made up: embedding 100,000 turns would take minutes, and what a search costs does not depend on it.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from bench import conversations
from bench.numpy_minilm import NumpyMiniLM
from bench.processes import cpu_s
from hearth_backend.engine import minilm_weights
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.engine.minilm_model import MiniLM
from hearth_backend.memory import index_child, store, vector_store
from hearth_backend.memory.index import Index
from hearth_backend.memory.index_folder import IndexFolder
from hearth_backend.memory.memory import Memory
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_backend.storage.migrations.hearth import MIGRATIONS
from hearth_shared.protocol.memory import NewEpisode, SearchRequest
from hearth_shared.protocol.status import CheckState
from hearth_shared.settings import Memory as Settings
from support.damages import unheard

SMALL, LARGE = 6_000, int(os.environ.get("HEARTH_BENCH_MANY", "100000"))
BARS = {SMALL: 10.0, LARGE: 60.0}
RATIO_BAR = 3.0
_SEARCHES, _EMBEDDED, _ROUND, _BATCH = 200, 300, 50, 500
_MAIN = frozenset({"main"})
Measured = dict[str, float | bool]


def measure() -> Measured:
    """Figures by name; a truth value is a bar."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = (sys.executable, "-P", "-m", "bench.memory_speed")
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Everything, as one line of JSON."""
    measured = _throughput()
    for count, bar in BARS.items():
        measured |= asyncio.run(_searches(count, bar))
    print(json.dumps(measured))


# -- embedding


def _throughput() -> Measured:
    """Texts a second, ours on the threads it has in use beside float32 numpy with BLAS on one, in turns; the best
    round of each counts, so that others on the machine hurt both alike. For a second of processor time besides."""
    folder = minilm_weights.installed()
    if folder is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as scratch:
        ours = MiniLM(minilm_weights.place(Path(scratch), "fp32"), min(4, os.cpu_count() or 1))
        plain = NumpyMiniLM(folder)
        texts = _turns(_EMBEDDED, random.Random(1))
        if float((ours.embed(texts[:50]) * plain.embed(texts[:50])).sum(1).min()) < 0.9999:
            raise SystemExit("The two do not agree on what the texts mean.")
        rates, cpu_rates = [0.0, 0.0], [0.0, 0.0]
        for start in range(0, _EMBEDDED, _ROUND):
            for place, model in enumerate((ours, plain)):
                wall, cpu = time.perf_counter(), time.process_time()
                model.embed(texts[start : start + _ROUND])
                rates[place] = max(rates[place], _ROUND / (time.perf_counter() - wall))
                cpu_rates[place] = max(cpu_rates[place], _ROUND / (time.process_time() - cpu))
    return {
        "embedding: texts a second": round(rates[0], 1),
        "embedding: texts a second, numpy float32": round(rates[1], 1),
        "embedding: times numpy": round(rates[0] / rates[1], 2),
        "embedding: times numpy, for the same processor time": round(cpu_rates[0] / cpu_rates[1], 2),
        f"embedding: at least {RATIO_BAR:g} times numpy": rates[0] / rates[1] >= RATIO_BAR,
    }


# -- searching


async def _searches(count: int, bar: float) -> Measured:
    """The mean processor time of a search with its question's embedding, exactly and by the index."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as scratch:
        folder = Path(scratch)
        (folder / "no-help").mkdir()
        exact, question, _ = await _cost(folder, count, with_index=False)
        name = f"search: CPU ms among {count} turns"
        measured: Measured = {name: round(exact, 2), f"{name}, the question's embedding alone": round(question, 2)}
        measured |= {f"{name} <= {bar:g}": exact <= bar}
        if index_child.is_installed():
            by_index, _, rate = await _cost(folder, count, with_index=True)
            measured[f"{name}, through Chroma"] = round(by_index, 2)
            measured[f"index of {count}: rows made a CPU second"] = round(rate, 1)
        return measured


async def _cost(folder: Path, count: int, *, with_index: bool) -> tuple[float, float, float]:
    """(CPU ms a search, those of its question's embedding, rows a CPU second while the index is made)."""
    async with AsyncExitStack() as stack:
        database = Database(folder / "hearth.db", MIGRATIONS)
        stack.push_async_callback(database.close)
        embedder = MiniLMEmbedder(folder / "minilm", idle_s=3600)
        stack.push_async_callback(embedder.close)
        if not with_index:
            await _fill(database, embedder, count)
        index = None
        if with_index:
            where = IndexFolder(folder / "index")
            index = Index(database, where, _unsaid, exact_below=2000, idle_s=3600.0, proven=0.0)
        memory = Memory(database, embedder, Settings(), unheard, help=folder / "no-help", index=index)
        await memory.start()
        stack.push_async_callback(memory.close)
        rate = await _made(index, count) if index else 0.0
        asked = [" ".join(text.split()[:7]) + "?" for text in _turns(_SEARCHES, random.Random(5))]
        return *await _asked(memory, embedder, index, asked), rate


def _unsaid(state: CheckState, detail: str, fix: str) -> None:
    """Nobody asks how the index is."""


async def _made(index: Index, count: int) -> float:
    before = time.process_time()
    await index.settled()
    if index.progress.state != "ready" or index.pid is None:
        raise SystemExit(f"The index was not made: {index.progress}")
    return count / (time.process_time() - before + cpu_s(index.pid))


async def _asked(
    memory: Memory, embedder: MiniLMEmbedder, index: Index | None, asked: Sequence[str]
) -> tuple[float, float]:
    for one in asked[:3]:
        await memory.search(SearchRequest(query=one), _MAIN)
    if embedder.pid is None:
        raise SystemExit("The embedder does not run.")
    others = [pid for pid in (embedder.pid, index.pid if index else None) if pid is not None]
    question = cpu_s(embedder.pid)
    before = time.process_time() + sum(map(cpu_s, others))
    ways = {(await memory.search(SearchRequest(query=one), _MAIN)).answered_by for one in asked}
    spent = time.process_time() + sum(map(cpu_s, others)) - before
    if ways != {"exact" if index is None else "index"}:
        raise SystemExit(f"Answered by {ways}.")
    return spent / len(asked) * 1000, (cpu_s(embedder.pid) - question) / len(asked) * 1000


async def _fill(database: Database, embedder: MiniLMEmbedder, count: int) -> None:
    """Turns of two speakers in sessions of twenty."""
    chance = random.Random(2)
    vectors = np.random.default_rng(3)
    centres = vectors.standard_normal((200, embedder.dim)) * 0.6
    at = datetime(2024, 1, 1, tzinfo=UTC)
    for first in range(0, count, _BATCH):
        episodes = [
            NewEpisode(
                external_id=str(place), session=str(place // 20), speaker=("Ana", "Bo")[place % 2],
                occurred_at=at + timedelta(minutes=place), text=text,
            )
            for place, text in enumerate(_turns(min(_BATCH, count - first), chance), first)
        ]  # fmt: skip
        rows = (
            vectors.standard_normal((2 * len(episodes), embedder.dim))
            + centres[vectors.integers(0, 200, 2 * len(episodes))]
        )
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

        def put(connection: Connection, episodes: list[NewEpisode] = episodes, rows: np.ndarray = rows) -> None:
            touched = store.add(connection, "main", episodes, None, True, 0.0).touched
            made = [
                (rowid, part, rows[(2 * place + of) % len(rows)].tobytes())
                for place, rowid in enumerate(touched)
                for of, part in enumerate(("text", "window"))
            ]
            vector_store.put_vectors(connection, embedder.id, embedder.dim, made, 1 << 60)

        await database.write(put)


@cache
def _spoken() -> list[str]:
    data = conversations.folder()
    return [episode.text for talk in conversations.locomo(data) for episode in talk.episodes] if data else []


def _turns(count: int, chance: random.Random) -> list[str]:
    """Turns of the evaluation data, mixed; without it, sentences of a vocabulary as uneven as a language's."""
    if spoken := _spoken():
        return [f"{chance.choice(spoken)} {chance.choice(spoken)[:20]}" for _ in range(count)]
    syllables = ("ka", "lo", "mi", "ru", "te", "na", "po", "si", "du", "ve")
    words = [f"{a}{b}{c}" for a in syllables for b in syllables for c in syllables]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    small = ("the", "to", "and", "a", "of", "in", "was", "with", "for", "we")
    return [
        " ".join(
            word
            for pair in zip(chance.choices(words, weights, k=9), chance.choices(small, k=9), strict=True)
            for word in pair
        )
        for _ in range(count)
    ]


if __name__ == "__main__":
    main()
