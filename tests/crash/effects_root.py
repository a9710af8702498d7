"""Runs whose effects go to a sink, and a person who decides over each: a process that lives many short lives.

A line on stdin begins a life, a fork of this process that has everything imported; its pid is answered on stdout. A
life takes up what the last one left, makes some tasks ("KEY TASK_ID" is added to the file `acknowledged` when one is on
disk), and decides whatever is asked. "finish N" on stdin: a life that ends by itself once N tasks have ended.
"""

import asyncio
import contextlib
import os
import random
import sys
import traceback
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hearth_backend.agent.guard import Go
from hearth_backend.agent.journal import Journal
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.approvals import Approvals
from hearth_backend.orchestrator.asking import Asking
from hearth_backend.orchestrator.events import ENDS_RUN, EventLog
from hearth_backend.orchestrator.requester import PERSON, Requester
from hearth_backend.orchestrator.rules import Rules
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.orchestrator.worker import Worker
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_backend.tools.policy import Policy
from hearth_backend.tools.registry import Registry
from hearth_shared.protocol.approvals import DecisionRequest
from hearth_shared.protocol.events import Event, EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import Answer, TaskRequest
from hearth_shared.settings import Runs as Settings
from support.tools_of_tests import Marker

ME = Requester(PERSON, Door.TRAY, "tray", frozenset({"main"}), "request")
EFFECTS = 2
TASKS = 3


class Clerk:
    """An executor that sends so many effects to the sink, each one asked for; one that may be repeated comes last."""

    def __init__(self, guard: Asking, sink: int) -> None:
        self._guard = guard
        self._sink = sink

    async def __call__(self, journal: Journal) -> Answer:
        said: list[str] = []
        for number in range(EFFECTS + 1):
            args = {"number": number, "run": journal.run.id}
            repeatable = number == EFFECTS
            done = await journal.effect("write", str(number), args, self._guard, self._send, repeatable=repeatable)
            said.append(str(done))
        return Answer(text=" ".join(said))

    async def _send(self, go: Go, key: str) -> str:
        await asyncio.to_thread(ask_sink, self._sink, "POST", key, str(go.args["number"]))
        return "sent"


class Decider:
    """The person: allows what is asked for, and where nobody knows whether it was done, looks."""

    def __init__(self, approvals: Approvals, events: EventLog, sink: int) -> None:
        self._approvals = approvals
        self._events = events
        self._sink = sink

    async def decide(self) -> None:
        """Everything that is asked, in the order it was asked."""
        async for event in self._events.follow(PERSON, after_seq=0):
            if isinstance(event, Event) and event.type is EventType.APPROVAL_REQUESTED:
                approval = await self._approvals.get(ME, event.data["id"])
                if approval.status == "pending":
                    await asyncio.sleep(random.uniform(0, 0.01))  # a person thinks
                    await self._approvals.decide(ME, approval.id, await self._decision(approval))

    async def _decision(self, approval: Any) -> DecisionRequest:
        if approval.kind == "unknown":
            key = f"{approval.args['run']}:{approval.args['number']}"
            if await asyncio.to_thread(ask_sink, self._sink, "GET", key, ""):
                return DecisionRequest(decision="respond", text="it was done")
        return DecisionRequest(decision="accept")


def ask_sink(port: int, method: str, key: str, body: str) -> bool:
    """Send an effect (POST), or look whether it has come (GET)."""
    data = body.encode() if method == "POST" else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{key}", data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read() == b"yes"


async def live(folder: Path, sink: int, life: int, finish: int) -> None:
    """Until killed, or until so many tasks have ended."""
    database = Database(folder / "hearth.db", hearth.MIGRATIONS)
    events = EventLog(database)
    settings = Settings(workers=3).model_copy(update={"attempts": 10_000})  # what is killed says nothing against a run
    runs = Runs(database, events, settings, ["assistant"])
    approvals = Approvals(database, events, settings, resumed=runs.wake)
    policy = Policy()
    rules = Rules(database, lambda: policy)
    guard = Asking(approvals, rules, lambda: policy, Registry([Marker()]))
    approvals.rebind = guard.rebound
    worker = Worker(runs, Clerk(guard, sink), settings, Tracer(), Metrics())
    worker.start()
    deciding = asyncio.create_task(Decider(approvals, events, sink).decide())
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in range(0 if finish else TASKS):
        key = f"{life}-{number}"
        made = await runs.submit(ME, "assistant", TaskRequest(goal=key), idempotency_key=key)
        os.write(acknowledged, f"{key} {made.task_id}\n".encode())
    ended = 0
    async with contextlib.aclosing(events.follow(PERSON, after_seq=0)) as following:
        while not finish or ended < finish:
            event = await anext(following)
            ended += isinstance(event, Event) and event.type in ENDS_RUN
    deciding.cancel()
    await asyncio.gather(deciding, return_exceptions=True)
    await worker.stop()
    events.close()
    await database.close()


def live_and_exit(folder: Path, sink: int, life: int, words: Sequence[str]) -> None:
    """What a fork does; it never goes back to where it was forked."""
    status = 1
    try:
        asyncio.run(live(folder, sink, life, int(words[1]) if words[0] == "finish" else 0))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def main(folder: Path, sink: int) -> None:
    """A life for each line."""
    for life, line in enumerate(sys.stdin):
        pid = os.fork()
        if pid == 0:
            live_and_exit(folder, sink, life, line.split())
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
