"""What damage to the index and kill -9 cost: no answer, no acknowledged memory, and how fast it is made anew.

HEARTH_DAMAGE_N: rounds of all ways of damage, and ten times as many kills; 1 without it, 10 are a hundred of each.
`python -P -m bench.memory_damage` prints one line of JSON.
"""

import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.processes import cpu_s
from hearth_backend.memory import index_child
from hearth_backend.memory.index_child import IndexChild
from hearth_backend.memory.vector_store import key
from support import memory_trials
from support.damages import WAYS

ROUNDS = int(os.environ.get("HEARTH_DAMAGE_N", "1"))
TURNS, REBUILT, DIM, BULK, RATE_BAR = 1200, 10_000, 384, 500, 1500.0


def measure() -> dict[str, float | bool]:
    """Figures by name; a truth value is a bar."""
    if not index_child.is_installed():
        return {}
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as scratch:
        folder = Path(scratch)
        return _damage(folder / "damage") | _kills(folder / "kills") | asyncio.run(_rate(folder / "rate"))


def _damage(folder: Path) -> dict[str, float | bool]:
    """Every way, in turns after an orderly end and as after a kill."""
    outcomes = [
        outcome
        for number in range(ROUNDS)
        for outcome in asyncio.run(
            memory_trials.damaged(memory_trials.anew(folder), sorted(WAYS), TURNS, number, sealed=number % 2 == 0)
        )
    ]
    same = sum(one.at_once and one.afterwards and one.by_index for one in outcomes)
    return {
        "damage: times": len(outcomes),
        "damage: identical top 10 at once and once it is made anew": same,
        "damage: all identical": same == len(outcomes),
    }


def _kills(folder: Path) -> dict[str, float | bool]:
    kills = 10 * ROUNDS
    acknowledged = memory_trials.killed(memory_trials.anew(folder), kills, 1)
    lost = memory_trials.lost(folder, acknowledged)
    same = asyncio.run(memory_trials.after_kills(folder, 10 * len(acknowledged), 2))
    return {
        "kills while storing: times": kills,
        "kills: acknowledged turns": 10 * len(acknowledged),
        "kills: acknowledged turns lost": lost,
        "kills: none lost": lost == 0,
        "kills: identical top 10 before and after": all(same),
    }


async def _rate(folder: Path) -> dict[str, float | bool]:
    """Rows the child takes a second of its processor time, in the batches of a rebuild."""
    memory_trials.anew(folder)
    chance = np.random.default_rng(0)
    rows = (
        chance.standard_normal((REBUILT, DIM))
        + 0.6 * chance.standard_normal((200, DIM))[chance.integers(0, 200, REBUILT)]
    )
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    child = await IndexChild.start(folder / "mem__rate", "mem__rate")
    before, own = cpu_s(child.pid), time.process_time()
    for first in range(0, REBUILT, BULK):
        some = rows[first : first + BULK]
        await child.put([key(first + place, row.tobytes()) for place, row in enumerate(some)], some)
    rate = REBUILT / (cpu_s(child.pid) - before + time.process_time() - own)
    await child.end()
    return {
        "rebuild: rows a CPU second": round(rate, 1),
        f"rebuild: at least {RATE_BAR:g} rows a CPU second": rate >= RATE_BAR,
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
