import random
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from hearth_backend.memory import canaries, vector_store
from hearth_backend.memory.index_child import IndexChild
from support.damages import DIM, House, episodes, house

pytestmark = pytest.mark.integration
MODEL = "words.1"


class ExactChild:
    """Names what is nearest, but for what it has lost."""

    def __init__(self, stored: Sequence[tuple[int, bytes]], lost: float = 0.0, stale: bool = False) -> None:
        kept = [pair for place, pair in enumerate(stored) if place >= lost * len(stored)]
        self._keys = [vector_store.key(rowid, b"\0" * 8 if stale else vector) for rowid, vector in kept]
        self._rows = np.frombuffer(b"".join(vector for _, vector in kept), np.float32).reshape(-1, DIM)

    async def nearest(self, rows: NDArray[np.float32], most: int) -> Sequence[Sequence[str]]:
        order: list[list[int]] = np.argsort(-(rows @ self._rows.T), axis=1)[:, :most].tolist()
        return [[self._keys[place] for place in one] for one in order]


@pytest_asyncio.fixture
async def filled(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, with_index=False) as one:
        await one.store(episodes(0, 200))
        yield one


async def examined(filled: House, **more: float | bool) -> tuple[float, float]:
    database = filled.database
    stored = await database.read(lambda connection: vector_store.vectors_after(connection, MODEL, 0, 1000))
    child = cast("IndexChild", ExactChild(stored, float(more.get("lost", 0.0)), bool(more.get("stale"))))
    return (
        await canaries.agreement(database, child, MODEL, random.Random(1)),
        await canaries.found_again(database, child, MODEL, random.Random(1)),
    )


async def test_one_that_lost_nothing_agrees(filled: House) -> None:
    assert await examined(filled) == (1.0, 1.0)


async def test_one_that_lost_a_fifth_is_seen(filled: House) -> None:
    agreement, found = await examined(filled, lost=0.2)
    assert agreement < 0.95
    assert found == 0.8


async def test_vectors_of_another_version_do_not_count(filled: House) -> None:
    assert (await examined(filled, stale=True))[0] == 0.0


async def test_where_nothing_is_stored_nothing_is_missing(filled: House) -> None:
    database = filled.database
    child = cast("IndexChild", ExactChild([]))
    assert await canaries.agreement(database, child, "another", random.Random(1)) == 1.0
    assert await canaries.found_again(database, child, "another", random.Random(1)) == 1.0
