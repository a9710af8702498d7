"""Whether the backend is there, ready, and what it counts."""

from typing import Final

from hearth_backend.api.endpoint import Endpoint, get
from hearth_backend.api.exchange import Call, Reply
from hearth_backend.observe.metrics import CONTENT_TYPE
from hearth_backend.services import Services
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.status import Ready

_OK: Final = b'{"ok":true}'


class Health:
    """`/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            get("/healthz", self.alive, "Whether anybody is there; nothing more is told.").open(),
            get(
                "/readyz", self.ready, "Readiness by component; 503 while a needed one is at fault.", answer=Ready
            ).needing(Scope.STATUS),
            get("/metrics", self.metrics, "Prometheus metrics as text.").needing(Scope.STATUS),
        )

    async def alive(self, call: Call) -> Reply:
        """Somebody is there."""
        return Reply(_OK)

    async def ready(self, call: Call) -> Reply:
        """Component by component."""
        await self._services.reports.look()
        health = self._services.health
        answer = Ready(ready=health.ready(), components=health.components())
        return Reply(answer.model_dump_json().encode(), 200 if answer.ready else 503)

    async def metrics(self, call: Call) -> Reply:
        """All metrics; how many tasks wait is counted now."""
        metrics = self._services.metrics
        for lane, count in (await self._services.runs.waiting()).items():
            metrics.lane_waiting(lane, count)
        return Reply(metrics.render(), media=CONTENT_TYPE.encode())
