"""The guard on the inbox: rules decide what they may, the person decides the rest, and each grant is good for exactly
what was seen, once, for ten minutes."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from hearth_backend.agent.guard import Effect, Go, Refused, Suspended, Verdict
from hearth_backend.agent.run_view import RunView
from hearth_backend.orchestrator.approvals import Approvals, Asked, Known
from hearth_backend.orchestrator.rules import Rules
from hearth_backend.tools.binding import digest
from hearth_backend.tools.policy import STRANGERS, Call, Judgement, Policy, Rule
from hearth_backend.tools.registry import Registry
from hearth_backend.tools.tool import AnyTool, Arguments, Plan, ToolContext
from hearth_shared.errors import Conflict, Forbidden, HearthError

GRANT_S: Final = 600.0
_STOPPED: Final = "Hearth stopped while this was being done, and cannot tell whether it was. Accept does it again."
_DONE: Final = "This was done already, just before Hearth stopped; it is not done again."
_NO: Final = "The person did not allow it. Go on without it."


class _Seen(NamedTuple):
    """A call, looked at now."""

    tool: AnyTool
    plan: Plan
    args: Mapping[str, Any]
    sha256: str


class Asking:
    """`agent.guard.Guard`: one question for each effect, found again by the effect's key."""

    def __init__(
        self,
        approvals: Approvals,
        rules: Rules,
        policy: Callable[[], Policy],
        tools: Registry,
        clock: Callable[[], float] = time.time,
        *,
        unasked: Callable[[str], Sequence[Rule]] = lambda _: (),
    ) -> None:
        self._approvals = approvals
        self._rules = rules
        self._policy = policy
        self._tools = tools
        self._clock = clock
        self._unasked = unasked

    def watches(self, run: RunView, tool: str, args: Mapping[str, Any]) -> bool:
        return self._policy().mentions(tool, [*self._rules.active, *self._unasked(run.agent_id)])

    async def ask(self, effect: Effect) -> Verdict:
        known = await self._approvals.about(effect.key)
        if known is None or self._is_stale(known):
            return await self._judge(effect)
        if known.approval.status == "pending":
            raise Suspended
        return await self._answered(known, effect)

    async def settle(self, effect: Effect) -> Verdict:
        """The files tell whether it was done, else the person does."""
        granted = await self._approvals.about(effect.key)
        try:
            tool, read, context = self._read(effect)
            came_to = await tool.look_back(read, context)
            if came_to == "done":
                return Refused(_DONE)
            if came_to == "not done":
                sha256 = granted.sha256 if granted else (await self._see(effect)).sha256
                return Go(effect.args, granted.approval.id if granted else "", sha256)
        except HearthError as error:
            return Refused(f"Nothing more was done: {error}")
        return await self._settled_by_person(effect)

    async def rebound(self, tool: str, args: Mapping[str, Any], known: Known) -> str:
        """What an edited call is bound to. Raises BadRequest when its arguments do not hold, Forbidden when a rule
        forbids it."""
        approval = known.approval
        found = self._tools.get(tool)
        read = found.read(args)
        context = ToolContext(
            approval.run_id or "",
            known.owner,
            frozenset(),
            True,
            agent_id=approval.agent_id,
            thread_id=approval.thread_id,
            door=approval.door,
        )
        plan = await found.plan(read, context)
        call = Call(tool, found.effect, plan.subject, approval.door, approval.agent_id)
        judged = self._policy().judge(call, self._rules.active)
        if judged.decision == "deny":
            raise Forbidden(
                f"What it was changed to is not allowed: {judged.why}.", "Change it otherwise, or ignore it."
            )
        return digest(tool, read.model_dump(mode="json"), plan)

    async def _judge(self, effect: Effect) -> Verdict:
        try:
            seen = await self._see(effect)
        except HearthError as error:
            return Refused(f"Nothing was done: {error}")
        judged = await self._judged(effect, seen)
        match judged.decision:
            case "allow":
                return Go(seen.args, "", seen.sha256)
            case "deny":
                return Refused(f"Nothing was done: {judged.why}. Go on without it.")
            case "ask":
                await self._request(effect, "act", effect.key, seen, judged.why)
                raise Suspended

    async def _judged(self, effect: Effect, seen: _Seen) -> Judgement:
        run, because = effect.run, effect.because
        call = Call(
            seen.tool.name,
            seen.tool.effect,
            seen.plan.subject,
            run.door,
            run.agent_id,
            because.tainted,
            because.private,
            seen.plan.insists,
        )
        more = [*self._rules.active, *self._unasked(run.agent_id), *await self._rules.of_run(run.id)]
        return self._policy().judge(call, more)

    async def _see(self, effect: Effect) -> _Seen:
        tool, read, context = self._read(effect)
        args = read.model_dump(mode="json")
        plan = await tool.plan(read, context)
        return _Seen(tool, plan, args, digest(tool.name, args, plan))

    def _read(self, effect: Effect) -> tuple[AnyTool, Arguments, ToolContext]:
        run, tool = effect.run, self._tools.get(effect.tool)
        context = ToolContext(
            run.id,
            run.owner,
            run.spaces,
            run.local_only,
            effect.key,
            agent_id=run.agent_id,
            thread_id=run.thread_id,
            door=run.door,
        )
        return tool, tool.read(effect.args), context

    async def _request(self, effect: Effect, kind: Literal["act", "unknown"], key: str, seen: _Seen, why: str) -> None:
        run, plan = effect.run, seen.plan
        quotes = effect.because.quotes if STRANGERS in why or effect.because.tainted else ()
        await self._approvals.request(
            Asked(
                agent_id=run.agent_id,
                owner=run.owner,
                door=run.door,
                run_id=run.id,
                thread_id=run.thread_id,
                tool=effect.tool,
                args=seen.args,
                sha256=seen.sha256,
                kind=kind,
                effect_key=key,
                why=why,
                reach=plan.reach,
                paths=plan.paths,
                preview=plan.preview,
                undo=plan.undo,
                quotes=quotes,
                subject=plan.subject,
                pattern=seen.tool.pattern(plan),
            )
        )

    def _is_stale(self, known: Known) -> bool:
        """A grant is none any more when what it was for was not begun in its ten minutes."""
        approval = known.approval
        if approval.decision not in ("accept", "edit"):
            return False
        return self._clock() > (approval.decided_at or 0.0) + GRANT_S

    async def _answered(self, known: Known, effect: Effect) -> Verdict:
        approval = known.approval
        match approval.decision:
            case "accept" | "edit":
                try:
                    await self._approvals.use(known, effect.key)
                except Conflict as error:
                    return Refused(f"Nothing was done: {error}")
                args = approval.args if approval.decided_args is None else approval.decided_args
                return Go(args, approval.id, known.sha256)
            case "respond":
                return Refused(f"The person did not allow it, and says: {approval.text}")
            case _:
                return Refused(_NO if approval.decided_by else "Nobody allowed it in time. Go on without it.")

    async def _settled_by_person(self, effect: Effect) -> Verdict:
        key = f"{effect.key}:unknown:{effect.begun}"
        known = await self._approvals.about(key)
        if known is None or self._is_stale(known):
            try:
                seen = await self._see(effect)
            except HearthError as error:
                return Refused(f"{_STOPPED} {error}")
            await self._request(effect, "unknown", key, seen, _STOPPED)
            raise Suspended
        if known.approval.status == "pending":
            raise Suspended
        return await self._answered(known, effect)
