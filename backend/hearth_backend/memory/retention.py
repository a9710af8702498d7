"""How long memories are kept, by what they are and where they came from; what is over its time is forgotten."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from hearth_backend.memory import documents, keeping_store, transfer_store
from hearth_backend.memory.forgetting import Forgetting
from hearth_backend.memory.keeping_store import Selection
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import HearthError
from hearth_shared.protocol.memory import Kept, Origin, RetentionReport, Went

log = logging.getLogger(__name__)
_DAY: Final = 86_400.0
_LONGEST_S: Final = 86_400.0
_AGAIN_S: Final = 600.0
_REPORTED: Final = 20
_ORIGINS: Final = frozenset[str](get_args(Origin))


@dataclass(frozen=True, slots=True)
class Rule:
    """Memories of one kind, site or source stay for so long after they were stored."""

    name: str
    days: float

    def selection(self, spaces: list[str], now: float | None = None) -> Selection:
        """What it speaks of; with `now`, what is over its time then."""
        before = None if now is None else now - self.days * _DAY
        if self.name in _ORIGINS:
            return Selection(spaces, origin=self.name, recorded_before=before)
        if "." in self.name and "/" not in self.name:
            return Selection(spaces, site=self.name, recorded_before=before)
        return Selection(spaces, source=self.name, recorded_before=before)


class Retention:
    """Without rules it does nothing and reads nothing. With them it looks at the start, and when the next memory's time
    is over: one timer, and none while nothing waits. What goes can be brought back as long as what a person forgets."""

    def __init__(
        self, database: Database, forgetting: Forgetting, days: Mapping[str, float], *, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._forgetting = forgetting
        self._rules = tuple(Rule(name, kept) for name, kept in days.items())
        self._clock = clock
        self._went: deque[Went] = deque(maxlen=_REPORTED)
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look what is over its time."""
        self.wake(anew=True)

    async def close(self) -> None:
        """Stop."""
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until what was over its time when this was called is gone."""
        while self._looking is not None and not self._looking.done():
            await asyncio.wait([self._looking])

    @property
    def waits(self) -> bool:
        """Whether a timer runs."""
        return self._timer is not None

    def wake(self, *, anew: bool = False) -> None:
        """Something was stored: just now, so that a timer that runs is early enough; `anew` when it may be old."""
        if self._rules and (anew or self._timer is None):
            self._looking = asyncio.create_task(self._look(self._looking), name="memory-retention")

    async def report(self) -> RetentionReport:
        """What stays how long, and what went lately."""
        kept = await self._database.read(self._kept) if self._rules else []
        return RetentionReport(rules=kept, went=list(reversed(self._went)))

    async def _look(self, before: Awaitable[None] | None) -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        try:
            await self._apply()
            self._plan(await self._database.read(self._next))
        except HearthError as error:
            log.warning("memories that are over their time wait: %s", error)
            self._plan(self._clock() + _AGAIN_S)

    async def _apply(self) -> None:
        now = self._clock()
        for rule in self._rules:
            rowids = await self._database.read(
                lambda connection, rule=rule: keeping_store.rowids(connection, rule.selection(_spaces(connection), now))
            )
            if rowids:
                await self._forgetting.remove(rowids, (), None, reason=f"kept for {rule.days:g} days: {rule.name}")
                self._went.append(Went(rule=rule.name, at=now, episodes=len(rowids)))
                log.info("%s memories were kept for %g days (%s) and went", len(rowids), rule.days, rule.name)

    def _next(self, connection: Connection) -> float | None:
        """When the next memory's time is over."""
        spaces = _spaces(connection)
        ends = [
            oldest + rule.days * _DAY
            for rule in self._rules
            if (oldest := keeping_store.oldest(connection, rule.selection(spaces))) is not None
        ]
        return min(ends, default=None)

    def _kept(self, connection: Connection) -> list[Kept]:
        spaces = _spaces(connection)
        return [
            Kept(
                rule=rule.name,
                days=rule.days,
                episodes=len(keeping_store.rowids(connection, rule.selection(spaces))),
                next_at=None if oldest is None else oldest + rule.days * _DAY,
            )
            for rule in self._rules
            for oldest in [keeping_store.oldest(connection, rule.selection(spaces))]
        ]

    def _plan(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            wait = min(max(at - self._clock(), 0.01), _LONGEST_S)
            self._timer = asyncio.get_running_loop().call_later(wait, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.wake()


def _spaces(connection: Connection) -> list[str]:
    return [space for space in transfer_store.spaces(connection) if space != documents.SPACE]
