"""Finished spans on their way to telemetry.db and to the person's collector, in batches.

Written by hand because OpenTelemetry's BatchSpanProcessor wakes a thread every few seconds for good; here a timer
exists only while a span is waiting.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from hearth_backend.observe import store
from hearth_backend.observe.spans import Span
from hearth_backend.observe.store import Writable
from hearth_shared.errors import HearthError

log = logging.getLogger(__name__)
_WAIT_S = 1.0
_MOST = 8192
_PRUNE_EVERY_S = 6 * 3600


class Collector(Protocol):
    """Another place that wants a copy; called in a thread."""

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether it was taken."""
        ...

    def close(self) -> None: ...


class SpanLog:
    """Collects for a second, writes once. A full disk or an absent collector costs spans, never a request."""

    def __init__(
        self,
        database: Writable | None,
        collector: Collector | None = None,
        *,
        keep_days: float = 14,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._collector = collector
        self._keep_s = keep_days * 86_400
        self._clock = clock
        self._pruned_at = 0.0
        self._pending: list[Span] = []
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._troubled: set[str] = set()

    def add(self, span: Span) -> None:
        """Take a finished span; beyond a bound the newest are dropped."""
        if len(self._pending) < _MOST and (self._database or self._collector):
            self._pending.append(span)
            if self._timer is None:
                self._arm()

    async def flush(self) -> None:
        """Write what waits, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            await self._task
        await self._write()

    async def close(self) -> None:
        """Write what waits and let the collector go."""
        await self.flush()
        if self._collector is not None:
            await asyncio.to_thread(self._collector.close)

    def _arm(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # ended in a thread: the next span on the loop takes it along
            return
        self._timer = loop.call_later(_WAIT_S, self._due)

    def _due(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._batch(), name="spans")

    async def _batch(self) -> None:
        await self._write()
        self._timer = self._task = None
        if self._pending:
            self._arm()

    async def _write(self) -> None:
        spans, self._pending = self._pending, []
        if not spans:
            return
        if self._database is not None:
            await self._keep(self._database, spans)
        if self._collector is not None:
            taken = await asyncio.to_thread(self._collector.export, spans)
            self._say("the trace collector", "" if taken else "does not take our spans; they are kept here only")

    async def _keep(self, database: Writable, spans: Sequence[Span]) -> None:
        now = self._clock()
        try:
            await store.add_spans(database, spans)
            if now - self._pruned_at > _PRUNE_EVERY_S:
                await store.forget_spans(database, now - self._keep_s)
                self._pruned_at = now
        except HearthError as error:
            self._say("the span table", str(error))
        else:
            self._say("the span table", "")

    def _say(self, what: str, trouble: str) -> None:
        """Once when it fails, once when it works again."""
        if trouble and what not in self._troubled:
            self._troubled.add(what)
            log.warning("%s: %s", what, trouble)
        elif not trouble and what in self._troubled:
            self._troubled.discard(what)
            log.info("%s works again", what)
