"""Working memory: what a thread has at hand for an hour. Turns, tool results and the task that is being done are read
from its journal, so that a crash loses nothing of them and forgetting cleans them; only the task that a door sets is
kept beside it."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hearth_backend.memory import at_hand_store as store
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import Conflict, HearthError, NotFound
from hearth_shared.protocol.tasks import FINAL, Answer, Failure, RunStatus, Source
from hearth_shared.protocol.threads import (
    WorkingMemory,
    WorkingRequest,
    WorkingResult,
    WorkingRun,
    WorkingTask,
    WorkingTurn,
)

log = logging.getLogger(__name__)
TTL_S: Final = 3600.0
_TURNS: Final = 12
_RESULTS: Final = 12
_SHOWN: Final = 2000
_GOAL: Final = 400
_MOST_CHARACTERS: Final = 400_000
_LONGEST_WAIT_S: Final = 3600.0
_TOOL: Final = "tool."


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave, whole. `handle` names it; `sources` are what it showed."""

    handle: str
    run_id: str
    tool: str
    text: str
    at: float
    trusted: bool = True
    private: bool = False
    local_only: bool = False
    sources: Sequence[Source] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """What a run finds of its thread: the task set, how the run before it broke off, results (newest first), and the
    runs whose words are being forgotten."""

    task: str = ""
    broken_off: str = ""
    results: Sequence[Result] = ()
    forgotten: frozenset[str] = frozenset()
    all_forgotten: bool = False


class AtHand:
    """One timer, and none while no task is set."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time, ttl_s: float = TTL_S) -> None:
        self._database = database
        self._clock = clock
        self._ttl_s = ttl_s
        self._timer: asyncio.TimerHandle | None = None
        self._clearing: asyncio.Task[None] | None = None
        self._rests = asyncio.Event()
        self._rests.set()

    async def start(self) -> None:
        """Take out what expired while nothing ran."""
        now = self._clock()
        if await self._database.read(store.oldest) is not None:
            await self._database.write(lambda connection: store.settle(connection, now))
            await self._clear()

    async def close(self) -> None:
        """Stop; the tasks stay until their time is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._clearing is not None:
            self._clearing.cancel()
            await asyncio.gather(self._clearing, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until no task is kept any more."""
        await self._rests.wait()

    @property
    def waits(self) -> bool:
        """Whether a timer runs."""
        return self._timer is not None

    async def get(self, owner: str, thread_id: str, *, outside: bool = False) -> WorkingMemory:
        """As a person sees it. Raises NotFound for a thread that is somebody else's, or nobody's. `outside` is set for
        who must not be told what has to stay on this machine."""
        now = self._clock()
        return await self._database.read(lambda c: _shown(c, owner, thread_id, now, self._ttl_s, outside=outside))

    async def put(self, owner: str, thread_id: str, request: WorkingRequest, door: str) -> WorkingMemory:
        """Set the task, if the thread has not gone on since the door read it. Raises Conflict with both versions."""
        now = self._clock()

        def work(connection: Connection) -> None:
            version = store.version(connection, owner, thread_id)
            if version is None:
                raise _no_thread(thread_id)
            if not store.step_on(connection, thread_id, request.version, now):
                raise Conflict(
                    f"The thread has gone on since: you saw version {request.version}, it is at {version}.",
                    "Read it again, then set the task.",
                    version=version,
                    seen_version=request.version,
                )
            store.set_task(connection, thread_id, request.task.strip(), door, now)

        await self._database.write(work)
        await self._plan()
        return await self.get(owner, thread_id)

    async def held(self, run_id: str, thread_id: str | None) -> Held:
        """What a run of the thread may read; a task that is used is kept for another hour."""
        if thread_id is None:
            return Held()
        now = self._clock()
        found = await self._database.read(lambda c: _held(c, run_id, thread_id, now - self._ttl_s))
        if found.task:
            await self._database.write(lambda c: store.renew(c, thread_id, now))
        return found

    # -- tasks expire

    async def _plan(self) -> None:
        """Wait for the task whose time is over first."""
        oldest = await self._database.read(store.oldest)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if oldest is None:
            self._rests.set()
        else:
            self._rests.clear()
            wait = min(max(0.0, oldest + self._ttl_s - self._clock()), _LONGEST_WAIT_S)
            self._timer = asyncio.get_running_loop().call_later(wait, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._clearing is None or self._clearing.done():  # else it plans anew when it ends
            self._clearing = asyncio.create_task(self._clear(), name="working-memory")

    async def _clear(self) -> None:
        before = self._clock() - self._ttl_s
        try:
            await self._database.write(lambda connection: store.expire(connection, before))
        except HearthError as error:  # nobody is shown them any more; the next start takes them out
            log.info("expired tasks of threads could not be taken out: %s", error.code)
        else:
            await self._plan()


def _shown(
    connection: Connection, owner: str, thread_id: str, now: float, ttl_s: float, *, outside: bool
) -> WorkingMemory:
    version = store.version(connection, owner, thread_id)
    if version is None:
        raise _no_thread(thread_id)
    since = now - ttl_s
    found = _held(connection, "", thread_id, since)
    if found.all_forgotten:
        return WorkingMemory(thread_id=thread_id, version=version)
    row = store.task(connection, thread_id, since)
    task = (
        None
        if row is None
        else WorkingTask(text=row["task"], door=row["door"], at=row["changed_at"], expires_at=row["changed_at"] + ttl_s)
    )
    return WorkingMemory(
        thread_id=thread_id,
        version=version,
        task=task,
        run=_run(store.last_run(connection, thread_id), since, found.forgotten),
        turns=[
            _turn(row)
            for row in store.turns(connection, thread_id, since, _TURNS)
            if row["run_id"] not in found.forgotten
        ],
        results=[_result(result) for result in found.results if not (outside and result.local_only)],
    )


def _held(connection: Connection, run_id: str, thread_id: str, since: float) -> Held:
    forgotten, whole = _forgotten(connection, thread_id)
    if whole:
        return Held(forgotten=forgotten, all_forgotten=True)
    task = store.task(connection, thread_id, since)
    last = _run(store.last_run(connection, thread_id, run_id or None), since, forgotten)
    broken = "" if last is None or last.status not in FINAL else last.problem or last.status.value
    return Held(
        task="" if task is None else task["task"],
        broken_off=broken,
        results=_results(connection, run_id, thread_id, since, forgotten),
        forgotten=forgotten,
    )


def _forgotten(connection: Connection, thread_id: str) -> tuple[frozenset[str], bool]:
    """(runs whose words lie in the bin, whether all of the thread does)."""
    records = [(kind, json.loads(text)) for kind, text in store.binned(connection, thread_id)]
    whole = any(kind == "thread" and record["id"] == thread_id for kind, record in records)
    said = (record for kind, record in records if kind == "episode" and record["thread_id"] == thread_id)
    return frozenset(record["external_id"] for record in said if record["origin"] == "turn"), whole


def _run(row: Row | None, since: float, forgotten: frozenset[str]) -> WorkingRun | None:
    """The thread's newest run while it is open, and for a while when it came to no end."""
    if row is None or row["id"] in forgotten or row["status"] == RunStatus.FINISHED:
        return None
    at = row["finished_at"] or row["created_at"]
    if row["status"] in FINAL and at <= since:
        return None
    problem = Failure.model_validate_json(row["failure"]).detail if row["failure"] else ""
    return WorkingRun(
        run_id=row["id"], goal=row["goal"][:_GOAL], status=RunStatus(row["status"]), problem=problem, at=at
    )


def _results(
    connection: Connection, run_id: str, thread_id: str, since: float, forgotten: frozenset[str]
) -> list[Result]:
    rows = store.results(connection, thread_id, since, _RESULTS)
    found = [read for row in rows if row["run_id"] not in {run_id, *forgotten} and (read := _read(row)) is not None]
    cited = {source.id for result in found for source in result.sources if source.kind == "memory"}
    there = store.still_there(connection, cited) if cited else frozenset[str]()
    kept: list[Result] = []
    left = _MOST_CHARACTERS
    for result in found:
        left -= len(result.text)
        if left >= 0 and all(source.kind != "memory" or source.id in there for source in result.sources):
            kept.append(result)
    return kept


def _read(row: Row) -> Result | None:
    """A step's output as the result it is; None for what gave none."""
    output: Mapping[str, Any] = json.loads(row["output"])
    if not output.get("text") or output.get("mistake"):
        return None
    sources = [Source.model_validate(source) for source in output.get("sources", ())]
    answer = Answer.model_validate_json(row["answer"]) if row["answer"] else None
    stays = bool(row["local_only"]) or (answer is not None and answer.local_only)
    return Result(
        handle=f"{row['run_id'].removeprefix('run_')}.{row['seq']}",
        run_id=row["run_id"],
        tool=row["name"].removeprefix(_TOOL),
        text="\n".join([output["text"], *_quotes(sources)]),
        at=row["at"],
        trusted=bool(output.get("trusted", False)) and all(source.trusted for source in sources),
        private=bool(output.get("private", True)) or any(source.kind in ("memory", "file") for source in sources),
        local_only=stays or any(source.local_only for source in sources),
        sources=sources,
    )


def _quotes(sources: Iterable[Source]) -> list[str]:
    return [f"- {' '.join(source.quote.split())}" for source in sources]


def _turn(row: Row) -> WorkingTurn:
    text = row["text"][:_SHOWN]
    return WorkingTurn(id=row["id"], role=row["role"], text=text, run_id=row["run_id"], at=row["created_at"])


def _result(result: Result) -> WorkingResult:
    return WorkingResult(
        id=result.handle,
        run_id=result.run_id,
        tool=result.tool,
        text=_shortened(result.text),
        characters=len(result.text),
        trusted=result.trusted,
        local_only=result.local_only,
        at=result.at,
    )


def _shortened(text: str) -> str:
    if len(text) <= _SHOWN:
        return text
    return f"{text[: _SHOWN * 2 // 3]}\n…\n{text[-_SHOWN // 3 :]}"


def _no_thread(thread_id: str) -> NotFound:
    return NotFound(f"There is no thread {thread_id}.", "Check its id: `hearth chat` says it when it ends.")
