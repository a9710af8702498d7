"""kill -9 while memories are stored and told to the index, and damage to the index's files.

HEARTH_CRASH_N says how often; without it a few ways of damage and a few kills are tried, chosen anew each time.
"""

import os
import random
from pathlib import Path

import pytest

from hearth_backend.memory import index_child
from support import memory_trials
from support.damages import WAYS

N = int(os.environ.get("HEARTH_CRASH_N", "0"))
KILLS, DAMAGES = (N, len(WAYS)) if N else (2, 1)
pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(1200),
    pytest.mark.logs("hearth_backend.memory.index"),
    pytest.mark.skipif(not index_child.is_installed(), reason="needs chromadb"),
]


def _ways(seed: int) -> list[str]:
    return random.Random(seed).sample(sorted(WAYS), DAMAGES)


async def test_a_damaged_index_changes_no_answer(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    sealed = bool(seed % 2)  # left in order, or by a kill
    for outcome in await memory_trials.damaged(tmp_path, _ways(seed), 1200, seed, sealed=sealed):
        assert outcome.at_once, (outcome, seed)
        assert outcome.afterwards, (outcome, seed)
        assert outcome.by_index, (outcome, seed)


async def test_kills_while_it_stores_lose_nothing_and_change_no_answer(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    acknowledged = memory_trials.killed(tmp_path, KILLS, seed)
    assert memory_trials.lost(tmp_path, acknowledged) == 0
    assert acknowledged
    assert await memory_trials.after_kills(tmp_path, len(acknowledged) * 10, seed) == (True, True), seed
