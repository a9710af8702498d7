"""A row for every attempt at a model call, also for those that failed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from hearth_backend.gateway import store
from hearth_backend.observe.metrics import Metrics
from hearth_backend.resilience import retried
from hearth_backend.storage.database import Database
from hearth_shared.errors import HearthError
from hearth_shared.protocol.status import Usage, UsageBy, UsageRow

log = logging.getLogger(__name__)
_WAITING = 10_000
Watch = Callable[[Sequence[UsageRow]], Awaitable[None]]


class UsageLog:
    """Rows wait in memory and are stored together; a person's answer never waits for them."""

    def __init__(self, telemetry: Database, metrics: Metrics) -> None:
        self._database = telemetry
        self._metrics = metrics
        self._watch: Watch | None = None
        self._waiting: list[UsageRow] = []
        self._flush: asyncio.Task[None] | None = None

    def record(self, row: UsageRow) -> None:
        """Count it now, store it soon."""
        self._metrics.model_call(
            row.role,
            row.provider,
            row.model,
            ok=row.ok,
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            cost=row.cost,
            first_seconds=None if row.first_ms is None else row.first_ms / 1000,
        )
        if len(self._waiting) >= _WAITING:
            log.warning("usage rows cannot be stored as fast as they come; one is dropped")
            return
        self._waiting.append(row)
        if self._flush is None or self._flush.done():
            self._flush = asyncio.get_running_loop().create_task(self._store())

    async def list(self, *, limit: int = 100, run_id: str | None = None, by: UsageBy = "model") -> Usage:
        """The newest calls (of one run, if named), and the totals of all that are kept."""
        await self.flushed()
        return await store.usage(self._database, limit, run_id, by)

    async def spent(self, since: float, *, stored: bool = False) -> Sequence[tuple[str, str, float]]:
        """(day, agent, US dollars) from a time on, as far as costs are known; with `stored`, of what is stored now."""
        if not stored:
            await self.flushed()
        return await store.spent(self._database, since)

    def watched(self, watch: Watch) -> None:
        """Call this with rows once they are stored."""
        self._watch = watch

    async def prune(self, before: float) -> None:
        """Forget the calls before a time (seconds since 1970)."""
        await store.forget_usage(self._database, before)

    async def flushed(self) -> None:
        """Returns once everything recorded so far is stored."""
        if self._flush is not None:
            await self._flush

    async def close(self) -> None:
        """Store what waits."""
        await self.flushed()

    async def _store(self) -> None:
        while self._waiting:
            rows, self._waiting = self._waiting, []
            try:
                await retried(lambda rows=rows: store.add_usage(self._database, rows), on=HearthError)
            except HearthError as error:
                log.warning("%d usage rows are lost: %s", len(rows), error)
                continue
            await self._show(rows)

    async def _show(self, rows: Sequence[UsageRow]) -> None:
        if self._watch is None:
            return
        try:
            await self._watch(rows)
        except HearthError as error:
            log.warning("nobody could be told of what models cost: %s", error)
