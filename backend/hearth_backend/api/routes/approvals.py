"""Requests for a person's approval, and the person's decisions."""

from pydantic import Field

from hearth_backend.api.endpoint import Endpoint, find, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.protocol.approvals import Approval, ApprovalList, ApprovalStatus, DecisionRequest
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.principals import Scope


class ApprovalFilter(Request):
    """Which approvals to list."""

    status: ApprovalStatus | None = Field(default=None)


class Approvals:
    """`/v1/approvals`."""

    def __init__(self, services: Services) -> None:
        self._approvals = services.approvals
        self._metrics = services.metrics

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            find("/v1/approvals", ApprovalFilter, self.list, "Approvals, pending first.", answer=ApprovalList).needing(
                Scope.APPROVALS_READ
            ),
            get("/v1/approvals/{approval_id}", self.get, "One approval.", answer=Approval).needing(
                Scope.APPROVALS_READ
            ),
            post(
                "/v1/approvals/{approval_id}",
                DecisionRequest,
                self.decide,
                "Decide: accept, edit, respond or ignore. A second answer is a conflict that names the winner.",
                answer=Approval,
            ).needing(Scope.APPROVALS_DECIDE),
        )

    async def list(self, call: Call, chosen: ApprovalFilter) -> ApprovalList:
        """What waits, and what was decided."""
        return await self._approvals.list(call.requester(), status=chosen.status)

    async def get(self, call: Call) -> Approval:
        """One of them."""
        return await self._approvals.get(call.requester(), call.params["approval_id"])

    async def decide(self, call: Call, body: DecisionRequest) -> Approval:
        """Only doors that a person sits at hold this scope: the tray, and the CLI, which asks for it at a terminal."""
        decided = await self._approvals.decide(call.requester(), call.params["approval_id"], body)
        self._metrics.approval(body.decision)
        return decided
