import asyncio
import fcntl
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from hearth_backend.memory import index_child
from hearth_backend.memory.index_child import IndexBroken, IndexChild

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not index_child.is_installed(), reason="needs chromadb"),
]


async def test_what_it_is_told_it_knows_and_what_is_wrong_it_says(tmp_path: Path) -> None:
    """One process for all, because starting it costs more than the rest."""
    rows = np.eye(8, dtype=np.float32)
    keys = [f"{row}-{row:016X}" for row in range(8)]
    child = await IndexChild.start(tmp_path / "mem__x", "mem__x")
    assert await child.nearest(rows[:1], 3) == [[]]
    assert await child.put(keys, rows) == 8
    assert await child.put(keys[:2], rows[:2]) == 8
    assert [found[0] for found in await child.nearest(rows, 1)] == keys
    assert await child.remove([keys[0], "99-0000000000000000"]) == 7
    assert (await child.nearest(rows[:1], 200))[0].count(keys[0]) == 0

    with pytest.raises(IndexBroken, match="dimension"):
        await child.put(["a"], np.ones((1, 3), np.float32))
    assert await child.count() == 7

    # a caller who goes away leaves it in step
    asked = asyncio.create_task(child.nearest(rows, 7))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await child.count() == 7

    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(IndexBroken, match="broke off"):
        await child.count()
    assert await child.end() is False


async def test_a_folder_that_another_holds_is_left_alone(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(IndexBroken, match="Another program") as refused:
            await IndexChild.start(tmp_path / "mem__x", "mem__x")
    assert not refused.value.blames_data
    assert not (tmp_path / "mem__x").exists()


async def test_a_folder_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(IndexBroken):
        await IndexChild.start(tmp_path / "nowhere" / "mem__x", "mem__x")
