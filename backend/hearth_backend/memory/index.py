"""The index over the vectors that are searched: fed from SQLite, examined, thrown away and made anew.

SQLite is the truth. The index names candidates in spaces of `memory.exact_below` vectors or more, and only while its
last examination was good; at any other time, and whenever it does not answer at once, search is exact.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory import canaries, index_child, vector_store
from hearth_backend.memory.dense import Named
from hearth_backend.memory.index_child import IndexBroken, IndexChild
from hearth_backend.memory.index_folder import IndexFolder, collection_name
from hearth_backend.memory.vector_store import Keyed
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import HearthError
from hearth_shared.protocol.status import CheckState

log = logging.getLogger(__name__)
Told = Callable[[CheckState, str, str], None]
State = Literal["resting", "examining", "ready", "building", "unwell", "absent"]

OVERFETCH: Final = 200  # keys named for a question: filters and other spaces leave enough of them
LEAST_AGREEMENT: Final = 0.95
_LEAST_FOUND = 0.995  # of stored vectors that name themselves, after an end that was not an orderly one
_PROVEN = 1 / 32  # of the answers, checked behind them: seldom felt, and damage shows within some dozen questions
_NEAR: Final = 0.75  # of `exact_below`: from here on it is made, so that it is there when it is needed
_BULK, _BATCH = 500, 50  # vectors at once, while it is made and while it is fed; a question waits for one batch
_MANY = 200  # entries that are worth starting the process for
_BUDGET_S = 0.5  # what a question waits before it is answered exactly
_MOST_DOUBLINGS = 6  # of the pause after a failure: from a minute to an hour
REINDEX: Final = "`hearth memory reindex` makes it anew."
ROOM: Final = "Free some space; it goes on by itself at the next question."
INSTALL: Final = "Run `make run` in Hearth's checkout, which installs it."


@dataclass(frozen=True, slots=True)
class Progress:
    """How the index is. While it is made, `done` of `total` vectors are in it."""

    state: State
    detail: str
    fix: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Need:
    """What the database says about it."""

    is_whole: bool
    waiting: int
    gone: int
    largest: int
    there: int


class Index:
    """The one index. All its work is done by one task, woken by writes and questions; silent otherwise.

    `told` hears how it is, whenever that changes. Between `start` and `close`.
    """

    def __init__(
        self,
        database: Database,
        folder: IndexFolder,
        told: Told,
        *,
        exact_below: int,
        idle_s: float,
        retry_s: float = 60.0,
        proven: float = _PROVEN,
    ) -> None:
        self._database = database
        self._folder = folder
        self._told = told
        self._exact_below = exact_below
        self._idle_s = idle_s
        self._retry_s = retry_s
        self._proven = proven
        self._chance = random.Random()
        self._model = self._open_model = ""
        self._child: IndexChild | None = None
        self._state: State = "resting"
        self._detail = self._fix = ""
        self._done = self._total = 0
        self._failures = 0
        self._retry_at = self._used = float("-inf")
        self._asked = self._doubted = self._rebuild = self._rest = self._was_used = self._no_room = False
        self._wanted, self._settled = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- from outside

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._child.pid if self._child else None

    @property
    def progress(self) -> Progress:
        """How it is now."""
        return Progress(self._state, self._detail, self._fix, self._done, self._total)

    def start(self, model: str) -> None:
        """Begin with the model whose vectors are searched; nothing is started before there is something to do."""
        self._model = model
        self._settled.set()
        self._say("resting", f"Search is exact; an index is used from {self._exact_below} memories on.")
        self._task = asyncio.create_task(self._run(), name="memory-index")
        self.wake()

    async def close(self) -> None:
        """Stop, and end the child."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._end_child()

    def search_with(self, model: str) -> None:
        """Another model's vectors are searched now; the old one's collection goes."""
        self._model = model
        self._doubted, self._failures, self._retry_at = True, 0, float("-inf")
        self.wake()

    def wake(self) -> None:
        """Vectors came or went."""
        self._settled.clear()
        self._wanted.set()

    def rebuild(self) -> Progress:
        """Throw it away and make it anew, unless that is being done, or there is nothing to make it with."""
        if not self._model:
            self._say("resting", "There is no embedding model, so there is nothing to index; search is by words.")
        elif self._is_installed() and self._state != "building":
            self._rebuild, self._failures, self._retry_at = True, 0, float("-inf")
            self._say("building", "The index is about to be made anew; search is exact meanwhile.")
            self.wake()
        return self.progress

    async def settled(self) -> None:
        """Wait until all is done that can be done now."""
        await self._settled.wait()

    async def ask(self, size: int, vector: NDArray[np.float32]) -> Named | None:
        """Candidates for a question to a space of `size` turns; None when it is to be answered exactly."""
        if size < max(1, self._exact_below) or self._state == "absent":
            return None
        self._touch()
        child, model = self._child, self._model
        if self._state != "ready" or child is None:
            self._asked = True
            if self._state != "building" and self._may_try():
                self.wake()
            return None
        self._was_used = True
        try:
            async with asyncio.timeout(_BUDGET_S):
                return Named.of(model, (await child.nearest(vector[np.newaxis], OVERFETCH))[0])
        except TimeoutError:  # it is being fed: that is no illness
            return None
        except IndexBroken as error:
            self._doubt(f"it broke off: {error}")
            return None

    def wants_proof(self) -> bool:
        """Whether this answer is one of those to compare with exact search."""
        return self._chance.random() < self._proven

    def prove(self, agreement: float) -> None:
        """What came of that: below what is good it is examined, and not asked before it has passed."""
        if agreement < LEAST_AGREEMENT and self._state == "ready":
            self._doubt(f"it named {agreement:.0%} of the nearest")

    async def examine(self) -> tuple[int, float] | None:
        """(vectors, agreement with exact search) as they are now; None while it does not run. Raises IndexBroken."""
        child, model = self._child, self._model
        if child is None or self._state != "ready":
            return None
        return await child.count(), await canaries.agreement(self._database, child, model, self._chance)

    # -- the task

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._work(self._model)
            except IndexBroken as error:
                await self._fail(str(error))
            except HearthError as error:
                await self._fail(error.detail)
            except OSError as error:
                await self._fail(f"Its folder cannot be used: {error.strerror}.")
            except Exception:  # the top of the task: it must go on with the next wake
                log.exception("the index's task failed")
                await self._fail("Something unforeseen happened; the log says what.")
            if not self._wanted.is_set():
                self._settled.set()

    async def _work(self, model: str) -> None:
        if not model or not self._is_installed() or not self._may_try():
            return
        if self._no_room and self._folder.is_full():
            return
        self._no_room = False
        if self._doubted:
            await self._end_child()
            self._doubted, self._asked = False, True
        need = await self._database.read(lambda connection: self._look(connection, model))
        self._folder.discard_others(model)
        if self._rebuild:
            await self._build(model, need)
        elif not need.is_whole or not self._folder.is_there(model):
            await self._first(model, need)
        elif self._rest:
            await self._go_to_rest(model)
        elif self._child is not None:
            await self._drain(model, self._child)
        elif self._asked or need.gone or need.waiting >= _MANY:
            await self._open(model, need)

    def _look(self, connection: Connection, model: str) -> _Need:
        waiting, gone = vector_store.feed_size(connection, model)
        return _Need(
            is_whole=vector_store.index_is_whole(connection, model),
            waiting=waiting,
            gone=gone,
            largest=vector_store.largest_space(connection),
            there=vector_store.vectors_there(connection, model),
        )

    async def _first(self, model: str, need: _Need) -> None:
        """There is none, or only the beginning of one."""
        if need.there and need.largest >= self._exact_below * _NEAR:
            await self._build(model, need)
        elif self._folder.is_there(model):
            await self._end_child()
            self._folder.discard(model)

    async def _open(self, model: str, need: _Need) -> None:
        """Start the child, and trust the collection once it was fed and examined."""
        self._say("examining", "The index is being examined; search is exact meanwhile.")
        try:
            fault = await self._opened(model)
        except IndexBroken as error:
            if not error.blames_data:
                raise
            fault = str(error)
        if fault is None:
            await self._trust()
            return
        log.warning("the index is damaged and is made anew: %s", fault)
        await self._end_child()
        self._folder.set_aside(model)
        await self._build(model, need, why=f"The index was damaged ({fault}) and is being made anew from the memories")

    async def _opened(self, model: str) -> str | None:
        """What is wrong with a collection that was left, if anything. It is told what it was not told first."""
        seal = await asyncio.to_thread(self._folder.look_at_seal, model)
        if seal == "broken":
            return "its files are not as they were left"
        child = await self._start_child(model)
        await self._drain(model, child)
        fault = await self._fault(model, child)
        if fault is None and seal == "none":
            found = await canaries.found_again(self._database, child, model, self._chance)
            if found < _LEAST_FOUND:
                return f"it finds {found:.1%} of its own vectors"
        return fault

    async def _build(self, model: str, need: _Need, *, why: str = "The index is being made") -> None:
        self._done, self._total = 0, need.there
        self._say("building", f"{why}; search is exact meanwhile.", "warn" if need.is_whole else "ok")
        await self._end_child()
        self._folder.discard(model)
        await self._database.write(lambda connection: vector_store.begin_index(connection, model))
        child = await self._start_child(model)
        after = 0
        while rows := await self._stored(model, after):
            await _put(child, [(vector_store.key(rowid, vector), vector) for rowid, vector in rows])
            self._done, after = self._done + len(rows), rows[-1][0]
        await self._drain(model, child)
        await self._database.write(lambda connection: vector_store.finish_index(connection, model))
        if (fault := await self._fault(model, child)) is not None:
            raise IndexBroken(f"The index that was just made is not right: {fault}.")
        self._folder.forget_damaged()
        self._rebuild = False
        await self._trust()

    async def _stored(self, model: str, after: int) -> list[tuple[int, bytes]]:
        return await self._database.read(lambda connection: vector_store.vectors_after(connection, model, after, _BULK))

    async def _drain(self, model: str, child: IndexChild) -> None:
        """Tell it what it was not told. An entry goes once the child has it: told twice is as good as once."""
        while feed := await self._database.read(lambda connection: vector_store.feed(connection, model, _BATCH)):
            up_to = feed.up_to
            await child.remove(feed.remove)
            await _put(child, feed.put)
            await self._database.write(lambda connection, up_to=up_to: vector_store.feed_told(connection, model, up_to))

    async def _fault(self, model: str, child: IndexChild) -> str | None:
        """What is wrong with it, if anything."""
        there, waiting = await self._database.read(
            lambda connection: (
                vector_store.vectors_there(connection, model),
                vector_store.feed_size(connection, model)[0],
            )
        )
        count = await child.count()
        if not waiting and count != there:
            return f"it holds {count} vectors of {there}"
        agreement = await canaries.agreement(self._database, child, model, self._chance)
        if agreement < LEAST_AGREEMENT:
            return f"it names {agreement:.0%} of the nearest"
        self._done = self._total = count
        return None

    async def _trust(self) -> None:
        self._asked, self._failures = False, 0
        self._say("ready", f"{self._done} vectors in Chroma, as many as there are; it names what exact search finds.")
        self._touch()

    async def _go_to_rest(self, model: str) -> None:
        """Examined once more after use, then unloaded."""
        self._rest = False
        child = self._child
        if child is not None and self._was_used:
            self._was_used = False
            await self._drain(model, child)
            if (fault := await self._fault(model, child)) is not None:
                self._doubt(fault)
                return
        await self._end_child()
        self._say("resting", "Unloaded: it was not used for a while.")

    # -- its states

    def _say(self, state: State, detail: str, how: CheckState = "ok", fix: str = "") -> None:
        self._state, self._detail, self._fix = state, detail, fix
        self._told(how, detail, fix)

    def _is_installed(self) -> bool:
        if index_child.is_installed():
            return True
        if self._state != "absent":
            self._say(
                "absent",
                "Chroma is not installed: search is exact, which is slower among many memories.",
                "ok",
                INSTALL,
            )
        return False

    def _may_try(self) -> bool:
        return asyncio.get_running_loop().time() >= self._retry_at

    def _doubt(self, why: str) -> None:
        log.info("the index is doubted: %s", why)
        self._doubted = True
        self._say("examining", "The index is being examined; search is exact meanwhile.")
        self.wake()

    async def _fail(self, detail: str) -> None:
        """It cannot be used now. The first time it is tried again at once, then when it is wanted after longer and
        longer pauses."""
        await self._end_child()
        if self._folder.is_full():
            self._no_room, self._asked = True, True
            self._say("unwell", "There is no room on the disk for the index. Search is exact meanwhile.", "warn", ROOM)
            return
        self._failures += 1
        pause = 0.0 if self._failures == 1 else self._retry_s * 2 ** min(self._failures - 2, _MOST_DOUBLINGS)
        self._retry_at = asyncio.get_running_loop().time() + pause
        self._say("unwell", f"{detail} Search is exact meanwhile.", "warn", REINDEX)
        if self._failures == 1:
            self._asked = True
            self.wake()

    def _touch(self) -> None:
        """The child goes after a while without a question; one timer, and none while it does not run."""
        loop = asyncio.get_running_loop()
        self._used = loop.time()
        if self._timer is None and self._child is not None:
            self._timer = loop.call_later(self._idle_s, self._maybe_rest)

    def _maybe_rest(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        left = self._used + self._idle_s - loop.time()
        if self._child is None:
            return
        if left > 0:
            self._timer = loop.call_later(left, self._maybe_rest)
            return
        self._rest = True
        self.wake()

    async def _start_child(self, model: str) -> IndexChild:
        self._folder.make()
        await self._end_child()
        self._folder.unseal(model)
        self._open_model = model
        self._child = await IndexChild.start(self._folder.of(model), collection_name(model))
        self._touch()
        return self._child

    async def _end_child(self) -> None:
        """It is sealed when it went in order while it was trusted."""
        child, self._child = self._child, None
        trusted, model = self._state == "ready", self._open_model
        if child is not None and await child.end() and trusted:
            await asyncio.to_thread(self._folder.seal, model)


async def _put(child: IndexChild, keyed: list[Keyed]) -> None:
    if keyed:
        rows = np.frombuffer(b"".join(vector for _, vector in keyed), np.float32).reshape(len(keyed), -1)
        await child.put([key for key, _ in keyed], rows)
