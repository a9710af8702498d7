"""What was forgotten, for as long as it can be taken back; then it is erased, everywhere."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from hearth_backend.memory import keeping_store, store
from hearth_backend.memory.gone import Gone, own_words
from hearth_backend.memory.keeping_store import Binned
from hearth_backend.memory.ports import Elsewhere
from hearth_backend.memory.text import words
from hearth_backend.storage import scrub
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import HearthError
from hearth_shared.sites import is_page

log = logging.getLogger(__name__)
_AGAIN_S: Final = 30.0
_PATIENCE_S: Final = 10.0
_LONGEST_S: Final = 86_400.0
_MOST_EPISODES: Final = 100_000
_MOST_OWN: Final = 50_000


class Bin:
    """One timer, and none while nothing lies in it. What an earlier run left is erased when its time comes, at the
    latest `window_s` after the start, whatever the clock says.

    What `elsewhere` cannot clean yet (a task that quotes it is at work) is tried again.
    """

    def __init__(
        self, database: Database, elsewhere: Sequence[Elsewhere], *, window_s: float, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._elsewhere = elsewhere
        self._window_s = window_s
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._emptying: asyncio.Task[None] | None = None
        self._again = False

    async def start(self) -> None:
        """Look what an earlier run left."""
        now = self._clock()

        def shorten(connection: Connection) -> None:
            for one in keeping_store.binned(connection):
                if one.expires_at > now + self._window_s:  # the clock was set back, or the window made shorter
                    keeping_store.bin_until(connection, one.id, now + self._window_s)

        if await self.list():
            await self._database.write(shorten)
        await self.look()

    async def close(self) -> None:
        """Stop; what lies here stays until the next start."""
        if self._timer is not None:
            self._timer.cancel()
        if self._emptying is not None:
            self._emptying.cancel()
            await asyncio.gather(self._emptying, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until all that is due now is erased, as far as that can be done now."""
        while self._emptying is not None and not self._emptying.done():
            await asyncio.wait([self._emptying])

    async def is_erased(self, id: str) -> bool:
        """Wait a while for its erasing to end; False when that takes longer, and goes on."""
        if self._emptying is not None:
            await asyncio.wait([self._emptying], timeout=_PATIENCE_S)
        return all(one.id != id for one in await self.list())

    @property
    def waits(self) -> bool:
        """Whether a timer runs."""
        return self._timer is not None

    async def list(self) -> list[Binned]:
        """What lies here, newest first, also what is being erased."""
        return await self._database.read(keeping_store.binned)

    async def spaces(self) -> frozenset[str]:
        """The spaces that what lies here belonged to."""
        return await self._database.read(keeping_store.all_bin_spaces)

    async def look(self) -> None:
        """Erase what is due, and wait for the rest."""
        lying = await self.list()
        now, held = self._clock(), 0
        due: list[str] = []
        for one in lying:
            held += one.episodes
            if one.expires_at <= now or (held > _MOST_EPISODES and one is not lying[0]):
                due.append(one.id)
        if due and (self._emptying is None or self._emptying.done()):
            self._emptying = asyncio.create_task(self._empty(due[::-1]), name="memory-bin")
        elif waiting := [one.expires_at - now for one in lying if one.id not in due]:
            self._plan(min(waiting))

    def _plan(self, wait: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(min(max(wait, 0.0), _LONGEST_S), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._emptying = asyncio.create_task(self._later(self._emptying), name="memory-bin")

    async def _later(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        now = self._clock()
        await self._empty([one.id for one in reversed(await self.list()) if one.expires_at <= now])

    async def _empty(self, due: Sequence[str]) -> None:
        wait = [_AGAIN_S] if not await self._erase_all(due) else []
        now = self._clock()
        wait += [one.expires_at - now for one in await self.list() if one.id not in due]
        if wait:
            self._plan(min(wait))

    async def _erase_all(self, due: Sequence[str]) -> bool:
        """Whether all of it is gone now."""
        done = True
        for id in due:
            try:
                done = await self.erase(id) and done
            except HearthError as error:
                log.warning("what was forgotten could not be erased yet: %s", error)
                done = False
            except Exception:  # the top of a task: the rest must be tried, and this again
                log.exception("erasing what was forgotten failed")
                done = False
        return done

    async def erase(self, id: str) -> bool:
        """Take every trace away; False when that has to be tried again."""
        gone = await self._database.read(lambda connection: _gone(connection, id))
        for place in self._elsewhere:
            if not await place.erase(gone):
                return False
        first = True
        while await self._database.write(lambda connection, first=first: store.merge_words(connection, first)):
            first = False
        await self._database.write(lambda connection: keeping_store.bin_empty(connection, id))
        if not await self._scrub(gone.needles() if gone.texts else None):
            return False
        await self._database.write(lambda connection: keeping_store.bin_drop(connection, id))
        await self._database.alone(scrub.checkpoint)
        log.info("what %s named was erased: %s episodes", id, len(gone.ids))
        return True

    async def _scrub(self, needles: Sequence[bytes] | None) -> bool:
        """Take it out of the write-ahead log, and out of pages that SQLite gave back without clearing them; without
        `needles` to look for, which a crash took along, every page is written anew."""
        if not await self._database.alone(scrub.checkpoint):
            return False
        path = self._database.path
        if needles is None or await asyncio.to_thread(scrub.holds, path, needles):
            await self._database.alone(scrub.rewrite)
            return await self._database.alone(scrub.checkpoint)
        return True


def gone_of(records: Sequence[dict[str, Any]], whole_threads: frozenset[str]) -> Gone:
    """What these episodes may have left elsewhere; their own words are found once they are gone."""
    return Gone(
        ids=frozenset(one["id"] for one in records),
        texts=tuple(dict.fromkeys(one["text"] for one in records)),
        turns=frozenset(one["external_id"] for one in records if one["origin"] == "turn"),
        threads=frozenset(one["thread_id"] for one in records if one["thread_id"]) | whole_threads,
        whole_threads=whole_threads,
        sources=frozenset(one["source"] for one in records if is_page(one["source"])),
    )


def _gone(connection: Connection, id: str) -> Gone:
    records = [one for _, one in keeping_store.bin_records(connection, id, "episode")]
    threads = frozenset(one["id"] for _, one in keeping_store.bin_records(connection, id, "thread"))
    again = keeping_store.stored_again(connection, [one for one in records if one["id"]])
    plain = gone_of([one for one in records if one["id"] not in again], threads)
    names = {word for speaker in keeping_store.speakers(connection) for word in words(speaker)}
    own = frozenset(
        word
        for word in own_words(plain.texts, _MOST_OWN)
        if word not in names and not keeping_store.is_said_elsewhere(connection, word)
    )
    return Gone(plain.ids, plain.texts, plain.turns, plain.threads, plain.whole_threads, plain.sources, own)
