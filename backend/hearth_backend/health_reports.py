"""Tells the doors when a part of the backend changes its state."""

import asyncio
import logging
from typing import Final, Self

from hearth_backend.engine.client import Engine
from hearth_backend.engine.embedding_record import TextEmbedder
from hearth_backend.observe.health import Health
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.storage import driver
from hearth_shared.engine_build import read_engine_build
from hearth_shared.errors import HearthError
from hearth_shared.paths import Home
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.status import Component

log = logging.getLogger(__name__)
_NO_ENGINE: Final = "llama.cpp is not installed, so no model file can be loaded."
_INSTALL: Final = "Run `make run` in Hearth's checkout, which builds it."


class HealthReports:
    """Each change becomes an event."""

    def __init__(self, home: Home, health: Health, events: EventLog, embedder: TextEmbedder) -> None:
        self._home = home
        self._health = health
        self._events = events
        self._embedder = embedder
        self._unsubscribe = lambda: None
        self._sending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._unsubscribe = self._health.on_change(self._changed)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._unsubscribe()
        await asyncio.gather(*self._sending)

    async def look(self) -> None:
        """How things are now: at the start, and whenever somebody asks."""
        version = ".".join(map(str, driver.SQLITE_VERSION))
        self._health.set("storage", "ok", f"SQLite {version} by {driver.DRIVER}")
        self._look_at_engine()
        if await self._embedder.available():
            self._health.set("embedder", "ok", self._embedder.id)
        else:
            self._health.set("embedder", "warn", "Memory is searched by words alone.", self._embedder.fix)

    def _look_at_engine(self) -> None:
        if Engine.available():
            self._health.set("engine", "ok", "llama.cpp is installed")
        elif (build := read_engine_build(self._home)) is not None and build.state != "ready":
            self._health.set("engine", "warn", build.words(), build.fix)
        else:
            self._health.set("engine", "warn", _NO_ENGINE, _INSTALL)

    def _changed(self, component: Component) -> None:
        task = asyncio.get_running_loop().create_task(self._send(component))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, component: Component) -> None:
        try:
            await self._events.record(EventType.HEALTH_CHANGED, door=Door.INTERNAL, data=component.model_dump())
        except HearthError as error:
            log.info("a change of health could not be told: %s", error)
