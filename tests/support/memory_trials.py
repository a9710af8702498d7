"""What a memory has to survive: damage to its index, and kill -9 while it stores. For the tests and the bench."""

import itertools
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hearth_backend.memory.index_folder import IndexFolder
from hearth_backend.storage import driver
from support.damages import WAYS, House, episodes, house, questions

_ROOT = Path(__file__).parents[1] / "crash" / "memory_root.py"
_LONGEST_LIFE_S, _MODEL, _TOGETHER, _ASKED = 3.0, "words.1", 10, 10
Answers = list[list[str]]


@dataclass(frozen=True, slots=True)
class Damaged:
    """What came of one way of damage: whether answers stayed the same at once and once it was made anew."""

    way: str
    at_once: bool
    afterwards: bool
    by_index: bool


async def damaged(folder: Path, ways: Sequence[str], turns: int, seed: int, *, sealed: bool) -> list[Damaged]:
    """Fill a memory, then damage its index's folder while nobody runs, in each way, and ask.

    Not `sealed`, the folder is as after a kill: nothing says how its files were left.
    """
    chance = random.Random(seed)
    asked = questions(_ASKED, turns, chance)
    async with house(folder) as one:
        await one.store(episodes(0, turns))
    expected = await exact(folder, asked)
    return [await _one(folder, way, asked, expected, chance, sealed=sealed) for way in ways]


async def _one(
    folder: Path, way: str, asked: Sequence[str], expected: Answers, chance: random.Random, *, sealed: bool
) -> Damaged:
    where = IndexFolder(folder / "index")
    if not sealed:
        where.unseal(_MODEL)
    WAYS[way](where.of(_MODEL), chance)
    async with house(folder) as one:
        at_once, _ = await one.answers(asked)
        await one.settled()
        afterwards, ways = await one.answers(asked)
    return Damaged(way, at_once == expected, afterwards == expected, ways == {"index"})


async def exact(folder: Path, asked: Sequence[str]) -> Answers:
    """What is found without any index."""
    async with house(folder, with_index=False) as one:
        return (await one.answers(asked))[0]


def killed(folder: Path, kills: int, seed: int) -> set[int]:
    """Kill a process at random moments while it stores and feeds the index; the numbers it had acknowledged."""
    chance, numbers = random.Random(seed), itertools.count()
    acknowledged: set[int] = set()
    for _ in range(kills):
        acknowledged |= _killed_once(folder, chance.uniform(0, _LONGEST_LIFE_S), numbers)
    return acknowledged


def _killed_once(folder: Path, life_s: float, numbers: Iterator[int]) -> set[int]:
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": ""}
    process = subprocess.Popen(
        [sys.executable, str(_ROOT), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    until = time.monotonic() + life_s
    heard = b""
    while time.monotonic() < until:
        process.stdin.write(b"%d\n" % next(numbers))
        heard += process.stdout.readline()
    process.kill()
    heard += process.stdout.read()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    return {int(line) for line in heard.splitlines() if line.isdigit()}


def lost(folder: Path, acknowledged: set[int]) -> int:
    """How many turns were acknowledged and are not there; the database is whole."""
    with driver.errors("read"):
        connection = driver.connect(folder / "hearth.db")
        assert connection.execute("pragma quick_check").fetchone()[0] == "ok"
        there = {int(row["external_id"]) for row in connection.execute("select external_id from episode")}
        connection.close()
    wanted = {number * _TOGETHER + place for number in acknowledged for place in range(_TOGETHER)}
    return len(wanted - there)


async def after_kills(folder: Path, turns: int, seed: int) -> tuple[bool, bool]:
    """(the first answers are those of exact search, so are those by the index once it is ready)."""
    asked = questions(_ASKED, turns, random.Random(seed))
    async with house(folder) as one:
        await one.memory.settled()
        first, _ = await one.answers(asked)
        await one.settled()
        then, ways = await _by_index(one, asked)
    expected = await exact(folder, asked)
    return first == expected, then == expected and ways == {"index"}


async def _by_index(one: House, asked: Sequence[str]) -> tuple[Answers, set[str]]:
    """Asked once more, it is there."""
    await one.answers(asked[:1])
    await one.settled()
    return await one.answers(asked)


def anew(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
