"""How Hearth is, at a glance and examined."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from hearth_backend.api.endpoint import Endpoint, get
from hearth_backend.api.exchange import Call
from hearth_backend.orchestrator.store import newest_seq
from hearth_backend.services import Services
from hearth_shared.protocol.models import ModelInfo
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.status import Component, Doctor
from hearth_shared.protocol.status import Status as StatusAnswer

_LISTING_S: Final = 3.0
State = Literal["idle", "thinking", "needs you", "paused", "no model", "fault"]


class Status:
    """`/v1/status` and `/v1/doctor`."""

    def __init__(self, services: Services, doors: dict[str, str]) -> None:
        self._services = services
        self._doors = doors

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            get("/v1/status", self.show, "How Hearth is, at a glance.", answer=StatusAnswer).needing(Scope.STATUS),
            get("/v1/doctor", self.examine, "Perform every check now.", answer=Doctor, kind="lasting").needing(
                Scope.STATUS
            ),
        )

    async def show(self, call: Call) -> StatusAnswer:
        """Gathered now."""
        services = self._services
        await services.reports.look()
        seq = await services.database.read(newest_seq)  # before all that events could change
        models, lanes, memory, pending = await asyncio.gather(
            self._models(), services.runs.counts(), services.memory.counts(), services.approvals.pending()
        )
        components = services.health.components()
        return StatusAnswer(
            state=state(components, models, lanes, pending),
            version=services.version,
            home=str(services.home.root),
            uptime_s=max(0.0, time.time() - services.started_at),
            models=models,
            lanes=lanes,
            memory=memory | {"to_read": await services.knowledge.extraction.waiting()},
            approvals_pending=pending,
            doors=self._doors | self._bridge(),
            components=components,
            seq=seq,
        )

    def _bridge(self) -> dict[str, str]:
        port = self._services.bridge.port
        return {} if port is None else {"browser": f"ws://127.0.0.1:{port}"}

    async def examine(self, call: Call) -> Doctor:
        """Each check is performed, none remembered."""
        return await self._services.doctor.run()

    async def _models(self) -> list[ModelInfo]:
        """A server that does not answer must not hold up the status."""
        try:
            async with asyncio.timeout(_LISTING_S):
                return list(await self._services.models.models())
        except TimeoutError:
            return []


def state(
    components: Sequence[Component], models: Sequence[ModelInfo], lanes: Mapping[str, int], pending: int
) -> State:
    """The most pressing of what there is to say."""
    if any(component.state == "fault" for component in components):
        return "fault"
    if pending:
        return "needs you"
    if any(lanes.values()):
        return "thinking"
    return "idle" if any("chat" in model.roles for model in models) else "no model"
