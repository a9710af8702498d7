"""What models were asked, and what it cost."""

from pydantic import Field

from hearth_backend.api.endpoint import Endpoint, find
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.protocol.base import Identifier, Request
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.status import Usage as UsageAnswer
from hearth_shared.protocol.status import UsageBy


class UsageFilter(Request):
    """Which calls to list."""

    limit: int = Field(default=100, ge=1, le=1000)
    run_id: Identifier | None = None
    by: UsageBy = "model"


class Usage:
    """`/v1/usage`."""

    def __init__(self, services: Services) -> None:
        self._usage = services.usage

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            find(
                "/v1/usage", UsageFilter, self.list, "Model calls, newest first, with totals.", answer=UsageAnswer
            ).needing(Scope.USAGE),
        )

    async def list(self, call: Call, chosen: UsageFilter) -> UsageAnswer:
        """All calls, or one run's."""
        return await self._usage.list(limit=chosen.limit, run_id=chosen.run_id, by=chosen.by)
