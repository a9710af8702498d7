"""The guard that asks the person about every effect."""

from collections.abc import Mapping
from typing import Any, Literal

from hearth_backend.agent.guard import Effect, Go, Refused, Suspended, Verdict
from hearth_backend.agent.run_view import RunView
from hearth_backend.orchestrator.approvals import Approvals
from hearth_shared.protocol.approvals import Approval

_STOPPED = "Hearth stopped while this was being done, and cannot tell whether it was. Accept: do it again."


class Asking:
    """`agent.guard.Guard` on the inbox: one question for each effect, found again by the effect's key."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    def watches(self, run: RunView, tool: str, args: Mapping[str, Any]) -> bool:
        return False

    async def ask(self, effect: Effect) -> Verdict:
        return await self._answer(effect, "act", effect.key)

    async def settle(self, effect: Effect) -> Verdict:
        return await self._answer(effect, "unknown", f"{effect.key}:unknown")

    async def _answer(self, effect: Effect, kind: Literal["act", "unknown"], key: str) -> Verdict:
        known = await self._approvals.about(key)
        if known is None:
            await self._request(effect, kind, key)
            raise Suspended
        if known.status == "pending":
            raise Suspended
        return await self._verdict(known, effect)

    async def _request(self, effect: Effect, kind: Literal["act", "unknown"], key: str) -> None:
        run = effect.run
        await self._approvals.request(
            agent_id=run.agent_id,
            owner=run.owner,
            door=run.door,
            run_id=run.id,
            thread_id=run.thread_id,
            tool=effect.tool,
            args=effect.args,
            undo=_STOPPED if kind == "unknown" else "",
            effect_key=key,
            kind=kind,
        )

    async def _verdict(self, known: Approval, effect: Effect) -> Verdict:
        match known.decision:
            case "accept" | "edit":
                await self._approvals.use(known)
                return Go(known.decided_args if known.decided_args is not None else effect.args, known.id)
            case "respond":
                return Refused(f"The person did not allow it: {known.text or 'no reason given'}")
            case _:
                return Refused("The person did not allow it." if known.decided_by else "Nobody allowed it in time.")
