"""Requests for a person's approval, and the person's decisions."""

from pydantic import Field

from hearth_backend.api.endpoint import Endpoint, delete, find, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.errors import Forbidden
from hearth_shared.protocol.approvals import (
    Approval,
    ApprovalList,
    ApprovalRuleList,
    ApprovalStatus,
    DecisionRequest,
    RuleDecision,
)
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.principals import Door, Scope


class ApprovalFilter(Request):
    """Which approvals to list."""

    status: ApprovalStatus | None = Field(default=None)


class Approvals:
    """`/v1/approvals`."""

    def __init__(self, services: Services) -> None:
        self._approvals = services.approvals
        self._rules = services.box.rules
        self._clients = services.clients
        self._metrics = services.metrics

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            find("/v1/approvals", ApprovalFilter, self.list, "Approvals, pending first.", answer=ApprovalList).needing(
                Scope.APPROVALS_READ
            ),
            get(
                "/v1/approvals/rules",
                self.rules,
                "Rules: proposed by equal answers, each with what it would have decided; accepted; of policy.toml.",
                answer=ApprovalRuleList,
            ).needing(Scope.APPROVALS_DECIDE),  # they name the person's own paths: for no program with a token
            post(
                "/v1/approvals/rules/{rule_id}",
                RuleDecision,
                self.decide_rule,
                "Accept a proposed rule, or do not see it again.",
                answer=ApprovalRuleList,
            ).needing(Scope.APPROVALS_DECIDE),
            delete(
                "/v1/approvals/rules/{rule_id}", self.forget_rule, "Forget an accepted rule.", answer=ApprovalRuleList
            ).needing(Scope.APPROVALS_DECIDE),
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
        found = await self._approvals.list(call.requester(), status=chosen.status)
        return found.model_copy(update={"may_decide": self._may_decide(call)})

    async def get(self, call: Call) -> Approval:
        """One of them."""
        return await self._approvals.get(call.requester(), call.params["approval_id"])

    async def decide(self, call: Call, body: DecisionRequest) -> Approval:
        """Only doors that a person sits at hold this scope: the tray, the CLI, which asks for it at a terminal, and the
        editors while they are granted it."""
        decided = await self._approvals.decide(call.requester(), call.params["approval_id"], body)
        self._metrics.approval(body.decision)
        return decided

    async def rules(self, call: Call) -> ApprovalRuleList:
        """What may be done unasked, and what might."""
        _not_for_editors(call)
        return await self._rules.list()

    async def decide_rule(self, call: Call, body: RuleDecision) -> ApprovalRuleList:
        """How things are then."""
        _not_for_editors(call)
        await self._rules.decide(call.requester(), call.params["rule_id"], body.decision)
        return await self._rules.list()

    async def forget_rule(self, call: Call) -> ApprovalRuleList:
        """How things are then."""
        _not_for_editors(call)
        await self._rules.forget(call.params["rule_id"])
        return await self._rules.list()

    def _may_decide(self, call: Call) -> bool:
        if call.principal.door is Door.EDITOR:
            return self._clients.editors_may_decide()
        return Scope.APPROVALS_DECIDE in call.principal.scopes


def _not_for_editors(call: Call) -> None:
    """The editors' grant is for one card at a time."""
    if call.principal.door is Door.EDITOR:
        raise Forbidden("Editors decide approvals, not rules.", "Use the tray or `hearth approvals rules`.")
