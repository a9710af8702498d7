"""What is done now and then: old rows and copies of databases go, unanswered approvals expire, and so do browsers."""

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from hearth_backend.bridge import Bridge
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.observe.metrics import Metrics
from hearth_backend.orchestrator.approvals import Approvals
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.storage import backups
from hearth_backend.tools.undo import UndoLog
from hearth_shared.errors import HearthError
from hearth_shared.settings import Observe

log = logging.getLogger(__name__)
_EVERY_S: Final = 6 * 3600
_AFTER_START_S: Final = 30
_DAY: Final = 86_400
_UNDO_S: Final = 30 * 86_400.0  # what was done longer ago is not taken back any more


class Upkeep:
    """Runs a while after the start, then four times a day: one timer, and nothing in between."""

    def __init__(
        self,
        runs: Runs,
        approvals: Approvals,
        undo: UndoLog,
        usage: UsageLog,
        bridge: Bridge,
        settings: Observe,
        metrics: Metrics,
        databases: Sequence[Path] = (),
    ) -> None:
        self._runs = runs
        self._approvals = approvals
        self._undo = undo
        self._usage = usage
        self._bridge = bridge
        self._metrics = metrics
        self._databases = databases
        self._keep_s = settings.keep_days * _DAY
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._forever(), name="upkeep")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def once(self) -> None:
        """Everything that is due now."""
        for _ in range(await self._approvals.expire_due()):
            self._metrics.approval("expired")
        await self._runs.prune()
        await self._undo.prune(time.time() - _UNDO_S)
        await self._usage.prune(time.time() - self._keep_s)
        await self._bridge.look()
        for database in self._databases:
            await asyncio.to_thread(backups.expire, database, time.time())

    async def _forever(self) -> None:
        pause = _AFTER_START_S
        while True:
            await asyncio.sleep(pause)
            pause = _EVERY_S
            try:
                await self.once()
            except HearthError as error:
                log.warning("upkeep was put off: %s", error)
