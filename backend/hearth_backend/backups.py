"""Backups while Hearth runs: an hour after something changed, or when asked for; old ones go."""

import asyncio
import logging
import time
from functools import partial
from pathlib import Path
from typing import Final, Self

from hearth_backend.observe.health import Health
from hearth_backend.storage import backups
from hearth_backend.storage.manifest import Manifest
from hearth_backend.storage.migrations import hearth, telemetry
from hearth_backend.storage.restoring import Restoring
from hearth_backend.storage.snapshots import Contents, Snapshots
from hearth_shared import __version__
from hearth_shared.errors import HearthError
from hearth_shared.paths import Home
from hearth_shared.protocol.backups import Backup, BackupList

log = logging.getLogger(__name__)
_HOUR: Final = 3600.0
_AFTER_START_S: Final = 300.0


def snapshots(home: Home, folder: Path | None = None) -> Snapshots:
    """Those of a home; `folder` names another place where its backups were copied to."""
    schemas = {home.database: hearth.MIGRATIONS[-1].number, home.telemetry: telemetry.MIGRATIONS[-1].number}
    return Snapshots(folder or home.data / "backups", Contents.of(home, schemas), __version__)


class Backups:
    """One at a time. `every_hours` 0 leaves them to the person."""

    def __init__(self, home: Home, every_hours: float, health: Health) -> None:
        self._home = home
        self._snapshots = snapshots(home)
        self._files = [home.database.with_name(home.database.name + end) for end in ("", "-wal")]
        self._every_s = every_hours * _HOUR
        self._health = health
        self._one = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._every_s:
            self._task = asyncio.create_task(self._forever(), name="backups")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def make(self) -> Backup:
        """One that a person asked for. Raises StorageFull, StorageFault."""
        return _told(await self._made(asked=True))

    async def list(self, folder: Path | None = None) -> BackupList:
        """Newest first; those in `folder`, or Hearth's own."""
        place = snapshots(self._home, folder)
        found, stored = await asyncio.to_thread(lambda: (place.all(), place.stored_bytes()))
        return BackupList(backups=[_told(one) for one in found], folder=str(place.folder), stored_bytes=stored)

    async def verify(self, id: str) -> Backup:
        """Read, open, check and count all of it. Raises NotFound, or the StorageFault of what is wrong."""
        async with self._one:
            return _told(await asyncio.to_thread(self._snapshots.verify, id))

    async def restore(self, id: str, folder: Path | None = None) -> Backup:
        """Lay all of it ready; the next start puts it in place. Raises as `verify` does; then nothing will change."""
        async with self._one:
            place, stamp = snapshots(self._home, folder), time.strftime("%Y%m%d-%H%M%S")
            return _told(await asyncio.to_thread(Restoring(self._home).begin, place, id, stamp))

    async def look(self) -> None:
        """A backup if something changed since the last one."""
        try:
            if not await asyncio.to_thread(self._has_changed):
                return
            await self._made(asked=False)
        except HearthError as error:
            self._health.set("backups", "warn", f"No backup could be made. {error.detail}", error.fix)
            return
        self._health.set("backups", "ok")

    async def _made(self, *, asked: bool) -> Manifest:
        async with self._one:
            made = await asyncio.to_thread(partial(self._snapshots.make, time.time(), asked=asked))
            gone = await asyncio.to_thread(self._snapshots.rotate, time.time(), backups.KEPT_S)
        log.info("a backup was made, %d old ones went", gone)
        return made

    def _has_changed(self) -> bool:
        newest = self._snapshots.all()[:1]
        return not newest or any(path.exists() and path.stat().st_mtime > newest[0].made_at for path in self._files)

    async def _forever(self) -> None:
        pause = min(_AFTER_START_S, self._every_s)
        while True:
            await asyncio.sleep(pause)
            pause = self._every_s
            await self.look()


def _told(one: Manifest) -> Backup:
    return Backup(
        id=one.id,
        made_at=one.made_at,
        until=one.made_at + backups.KEPT_S,
        asked=one.asked,
        version=one.version,
        size_bytes=sum(filed.size for filed in one.files),
        files=[filed.name for filed in one.files],
        rows={name: count for filed in one.files for name, count in filed.rows.items()},
    )
