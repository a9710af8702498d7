"""Storage, runs and a door of one pipe: the smallest process that acknowledges tasks and does them.

A line on stdin is a key; the task made for it is answered on stdout, "KEY TASK_ID", when it is on disk. Each step's
body adds "TASK_ID STEP" to the file of effects. End of input: wait until everything is done, then stop.
"""

import asyncio
import os
import sys
from pathlib import Path

from hearth_backend.agent.journal import Journal
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.requester import PERSON, Requester
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.orchestrator.worker import Worker
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import Answer, RunStatus, TaskRequest
from hearth_shared.settings import Runs as Settings

ME = Requester(PERSON, Door.CLI, "cli", frozenset({"main"}), "request")
STEPS = 3


class Clerk:
    """An executor whose steps leave a trace outside the database."""

    def __init__(self, effects: Path) -> None:
        self._effects = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def __call__(self, journal: Journal) -> Answer:
        said: list[str] = []
        for number in range(STEPS):
            said.append(await self._step(journal, number))
            await journal.text(0, "🔥 ")
        return Answer(text="🔥 ".join([*said, ""]))

    async def _step(self, journal: Journal, number: int) -> str:
        async def body() -> str:
            os.write(self._effects, f"{journal.run.id} {number}\n".encode())
            for word in ("one", "two"):
                await journal.text(0, f"{word} {number} ")
                await asyncio.sleep(0.001)  # the model thinks
            return f"one {number} two {number} "

        return await journal.step("say", str(number), body)


async def serve(folder: Path) -> None:
    """Until the input ends."""
    database = Database(folder / "hearth.db", hearth.MIGRATIONS)
    events = EventLog(database)
    settings = Settings(attempts=20)
    runs = Runs(database, events, settings, ["assistant"])
    worker = Worker(runs, Clerk(folder / "effects"), settings, Tracer(), Metrics())
    worker.start()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("ready", flush=True)
    async with asyncio.TaskGroup() as tasks:
        while line := await lines.readline():
            tasks.create_task(accept(runs, line.decode().strip()))
    for status in (RunStatus.QUEUED, RunStatus.RUNNING):
        for task in (await runs.list(ME, status=status, limit=100_000)).tasks:
            async for _ in events.follow(PERSON, after_seq=None, run_id=task.id):
                pass
    await worker.stop()
    await database.close()


async def accept(runs: Runs, key: str) -> None:
    """One task, acknowledged."""
    accepted = await runs.submit(ME, "assistant", TaskRequest(goal=f"do {key}"), idempotency_key=key)
    os.write(sys.stdout.fileno(), f"{key} {accepted.task_id}\n".encode())


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
