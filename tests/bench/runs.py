"""What durable runs cost, beside DBOS on a tuned SQLite in the same run.

PYTHONPATH=tests python -P -m bench.runs [--rounds N]

Figures are processor time of the whole process, all its threads, with every commit on disk (synchronous=FULL), on the
loop and with the garbage collector's settings of the backend; the median of some rounds. Steps are counted once the
write-ahead log has its full length, which it keeps from then on: to the file system it is cheaper to write over a file
than to lengthen it. HEARTH_BENCH_CACHE names a folder in which DBOS gets an environment of its own, made at the first
run; without it nothing is compared.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from bench.verdict import Verdict
from hearth_backend.api.server import settle
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.journal import RunJournal
from hearth_backend.orchestrator.requester import PERSON, Requester
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import Lane, TaskRequest
from hearth_shared.settings import Runs as Settings

DBOS = "3.4.0"
ME = Requester(PERSON, Door.CLI, "cli", frozenset({"main"}), "bench")
ENQUEUED, STEPS, EVENTS, FOLLOWERS = 2000, 300, 500, 10
CHECKPOINT = 1000  # pages after which SQLite begins the log again from its start


class Bench:
    """A queue on a new database."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "hearth.db", hearth.MIGRATIONS)
        self.events = EventLog(self.database)
        self.runs = Runs(self.database, self.events, Settings(), ["assistant"])

    async def enqueue(self) -> float:
        """Microseconds for each of many that arrive together."""
        request = TaskRequest(goal="do this")

        async def all_together() -> None:
            await asyncio.gather(*(self.runs.submit(ME, "assistant", request) for _ in range(ENQUEUED)))

        return await _cpu_us(all_together, ENQUEUED)

    async def step(self) -> float:
        """Microseconds for a step: begun and done, each on disk before the next."""
        await self.runs.submit(ME, "assistant", TaskRequest(goal="steps", priority=0))
        claim = await self.runs.store.claim(Lane.INDEXING, 600)
        assert claim is not None
        journal = RunJournal(self.runs.store, claim)

        async def body() -> int:
            return 1

        async def one_after_the_other(numbers: range) -> None:
            for number in numbers:
                await journal.step("work", str(number), body)

        await one_after_the_other(range(CHECKPOINT // 2))  # each writes some pages
        spent = await _cpu_us(lambda: one_after_the_other(range(STEPS)), STEPS)
        await self.runs.store.release(claim)
        return spent

    async def follow(self) -> float:
        """Microseconds for an event and follower: told, and read by all of them."""
        ready = asyncio.Barrier(FOLLOWERS + 1)
        first = (await self.events.record(EventType.TOOL_CALLED, data={})).seq

        async def listen() -> None:
            async for event in self.events.follow(PERSON, after_seq=first):
                if event.seq == first + 1:
                    await ready.wait()
                if event.seq == first + 1 + EVENTS:
                    return

        listening = [asyncio.create_task(listen()) for _ in range(FOLLOWERS)]
        await self.events.record(EventType.TOOL_CALLED, data={})
        await ready.wait()
        event = await self.events.record(EventType.TOOL_FINISHED, data={"name": "clock"})
        more = [event.model_copy(update={"seq": event.seq + number}) for number in range(1, EVENTS)]

        async def tell() -> None:
            for one in more:
                self.events.publish([one])
            await asyncio.gather(*listening)

        return await _cpu_us(tell, EVENTS * FOLLOWERS)

    async def close(self) -> None:
        self.events.close()
        await self.database.close()


async def _cpu_us(work: Callable[[], Awaitable[None]], times: int) -> float:
    began = time.process_time()
    await work()
    return (time.process_time() - began) / times * 1e6


async def measure(rounds: int) -> dict[str, float]:
    """The median of each figure, in microseconds."""
    found: dict[str, list[float]] = {"enqueue": [], "step": [], "event": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder))
            found["step"].append(await bench.step())
            found["event"].append(await bench.follow())
            found["enqueue"].append(await bench.enqueue())
            await bench.close()
    return {name: statistics.median(values) for name, values in found.items()}


def dbos(cache: str) -> dict[str, float]:
    """DBOS' figures, from a process in an environment of its own; microseconds."""
    environment = Path(cache).expanduser() / f"dbos-{DBOS}"
    python = environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", f"dbos=={DBOS}"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(__file__).with_name("dbos_runs.py")
        ran = subprocess.run(
            [str(python), "-P", str(script), folder, str(STEPS)],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    return json.loads(ran.stdout.splitlines()[-1])


def main() -> int:
    """The exit status says whether every bar holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    settle()
    ours = uvloop.run(measure(options.rounds))
    verdict = Verdict("runs")
    verdict.note("load", load, "")
    verdict.bar("enqueue, in batches", ours["enqueue"], 50, "µs")
    verdict.bar("step, FULL", ours["step"] / 1000, 0.3, "ms")
    verdict.bar("event and follower", ours["event"], 10, "µs")
    if cache := os.environ.get("HEARTH_BENCH_CACHE"):
        theirs = dbos(cache)
        verdict.note("DBOS: enqueue", theirs["enqueue"], "µs")
        verdict.note("DBOS: step, WAL and NORMAL", theirs["step"] / 1000, "ms")
        verdict.bar("enqueue beside DBOS", ours["enqueue"] / theirs["enqueue"], 1.0, "times")
        verdict.bar("step beside DBOS", ours["step"] / theirs["step"], 1.0, "times")
    return verdict.close()


if __name__ == "__main__":
    sys.exit(main())
