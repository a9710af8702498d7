"""Whether the index finds what exact search finds: stored vectors are asked for their neighbours."""

import asyncio
import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory import vector_store
from hearth_backend.memory.dense import Named
from hearth_backend.memory.index_child import IndexChild
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection

QUERIES, NEAREST = 50, 10
THOROUGH = 400  # vectors looked for after an end that was not an orderly one: a torn file may hide a few of many
# Compared with so many stored vectors: of more, a stretch chosen at random. Damage that hides one in twenty is seen.
_COMPARED = 20_000
_SAME = 1e-5
Rows = NDArray[np.float32]


async def agreement(database: Database, child: IndexChild, model: str, chance: random.Random) -> float:
    """The mean share of the ten nearest that the index names, over 50 stored vectors; 1.0 when there is none.

    Raises IndexBroken.
    """
    stored = await database.read(lambda connection: _stretch(connection, model, chance))
    if not stored:
        return 1.0
    known = _matrix([vector for _, vector in stored])
    asked = known[chance.sample(range(len(stored)), min(QUERIES, len(stored)))]
    named = [Named.of(model, keys) for keys in await child.nearest(asked, NEAREST)]
    rowids = sorted({int(rowid) for one in named for rowid in one.rowids})
    truth = await database.read(lambda connection: vector_store.vectors_at(connection, model, rowids))
    return await asyncio.to_thread(_mean, known, asked, named, truth)


async def found_again(database: Database, child: IndexChild, model: str, chance: random.Random) -> float:
    """The share of stored vectors, chosen at random, that the index names when it is asked with them."""
    stored = await database.read(lambda connection: _stretch(connection, model, chance))
    chosen = chance.sample(stored, min(THOROUGH, len(stored)))
    if not chosen:
        return 1.0
    vectors = {rowid: vector for rowid, vector in stored}
    named = await child.nearest(_matrix([vector for _, vector in chosen]), NEAREST)
    same = [
        any(vectors.get(int(key.partition("-")[0])) == vector for key in keys)
        for (_, vector), keys in zip(chosen, named, strict=True)
    ]
    return sum(same) / len(same)


def _stretch(connection: Connection, model: str, chance: random.Random) -> list[tuple[int, bytes]]:
    last = vector_store.last_row(connection)
    first = chance.randrange(last) if last > _COMPARED else 0
    found = vector_store.vectors_after(connection, model, first, _COMPARED)
    return found or vector_store.vectors_after(connection, model, 0, _COMPARED)


def _matrix(vectors: Sequence[bytes]) -> Rows:
    return np.frombuffer(b"".join(vectors), np.float32).reshape(len(vectors), -1)


def _mean(known: Rows, asked: Rows, named: Sequence[Named], truth: dict[int, bytes]) -> float:
    return sum(_share(known, query, one, truth) for query, one in zip(asked, named, strict=True)) / len(asked)


def _share(known: Rows, query: NDArray[np.float32], named: Named, truth: dict[int, bytes]) -> float:
    """Of the nearest among all that is known and named, the share that is named, by cosine: equal texts are equal."""
    there = [
        truth[rowid]
        for rowid, version in zip(named.rowids.tolist(), named.versions.tolist(), strict=True)
        if rowid in truth and int.from_bytes(truth[rowid][:8]) == version
    ]
    exact = np.vecdot(known, query)  # row by row: OpenBLAS would wake its spinning threads
    found = np.vecdot(_matrix(there), query) if there else np.zeros(0, np.float32)
    count = min(NEAREST, len(known))
    least = np.partition(exact, -count)[-count]
    return min(1.0, int(np.count_nonzero(found >= least - _SAME)) / count)
