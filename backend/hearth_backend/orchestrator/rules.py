"""Rules that a person's equal answers propose: each shows what it would have decided, and holds once it is accepted."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

from hearth_backend import ids
from hearth_backend.orchestrator.requester import Requester
from hearth_backend.orchestrator.stores import rules as store
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_backend.tools.policy import BY_ITSELF, Call, Policy, Rule
from hearth_shared.errors import Conflict, Forbidden, NotFound
from hearth_shared.protocol.approvals import ApprovalRule, ApprovalRuleList, ReplayedCall
from hearth_shared.protocol.principals import Door

EQUAL: Final = 3
_REPLAYED: Final = 500
_SHOWN: Final = 50


class Rules:
    """`active` are those that hold beside policy.toml."""

    def __init__(
        self, database: Database, policy: Callable[[], Policy], clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        self.active: tuple[Rule, ...] = ()

    async def load(self) -> None:
        """What was accepted before."""
        found = await self._database.read(store.rules)
        self.active = tuple(_rule(row) for row in found if row["state"] == "active")

    async def list(self) -> ApprovalRuleList:
        """Those proposed, with what each would have decided; those that hold; those of policy.toml."""
        kept = await self._database.read(
            lambda c: [_shown(row, _replay(c, row)) for row in store.rules(c)],
        )
        policy = self._policy()
        return ApprovalRuleList(rules=[*kept, *map(_written, policy.rules)], problem=policy.problem)

    async def decide(self, requester: Requester, rule_id: str, decision: Literal["accept", "ignore"]) -> None:
        """Accept a proposal, or never see it again."""
        if requester.door is Door.INTERNAL:
            raise Forbidden(
                "A run cannot make rules for itself.", "Decide in the tray or with `hearth approvals rules`."
            )
        state = "active" if decision == "accept" else "dismissed"
        now = self._clock()

        def work(connection: Connection) -> None:
            if store.decide_rule(connection, rule_id, state, requester.principal, now):
                return
            if (row := store.rule_of(connection, rule_id)) is None:
                raise _no_rule(rule_id)
            raise Conflict(f"That rule is {row['state']} already.", "`hearth approvals rules` shows how things are.")

        await self._database.write(work)
        await self.load()

    async def forget(self, rule_id: str) -> None:
        """It holds no more; equal answers may propose it again."""
        if not await self._database.write(lambda connection: store.forget_rule(connection, rule_id)):
            raise _no_rule(rule_id)
        await self.load()

    async def of_run(self, run_id: str) -> Sequence[Rule]:
        """What was answered for the rest of a run."""
        found = await self._database.read(lambda connection: store.grants_of_run(connection, run_id))
        return [
            Rule(
                row["tool"],
                "allow" if row["decision"] == "accept" else "deny",
                tuple(json.loads(row["pattern"]).items()),
                frozenset({row["door"]}),
                source="your answer for this task",
            )
            for row in found
        ]


def consider(connection: Connection, row: Row, now: float) -> None:
    """Propose a rule when the latest answers to calls like this one were all the same. In the answer's transaction."""
    if row["kind"] != "act" or row["pattern"] == "{}" or row["door"] == BY_ITSELF:
        return
    latest = store.latest_answers(connection, row["tool"], row["pattern"], row["agent_id"], row["door"], EQUAL)
    answers = {answer["decision"] for answer in latest}
    if len(latest) < EQUAL or answers not in ({"accept"}, {"ignore"}):
        return
    decision = "allow" if answers == {"accept"} else "deny"
    because = json.dumps([answer["id"] for answer in latest])
    about = (row["tool"], row["pattern"], row["agent_id"], row["door"])
    store.propose(connection, (ids.new("rule"), *about, decision, because, now))


def _rule(row: Row) -> Rule:
    return Rule(
        row["tool"],
        row["decision"],
        tuple(json.loads(row["pattern"]).items()),
        frozenset({row["origin"]}),
        row["agent_id"],
        f"the rule {row['id']}",
    )


def _replay(connection: Connection, row: Row) -> list[ReplayedCall]:
    """Calls decided by the person that the rule fits."""
    rule = _rule(row)
    return [
        ReplayedCall(
            approval_id=past["id"],
            subject=", ".join(json.loads(past["subject"]).values()),
            decision=past["decision"],
            decided_at=past["decided_at"],
        )
        for past in store.decided(connection, row["tool"], _REPLAYED)
        if rule.fits(Call(past["tool"], "write", json.loads(past["subject"]), past["door"], past["agent_id"]))
    ][:_SHOWN]


def _shown(row: Row, would: Sequence[ReplayedCall]) -> ApprovalRule:
    return ApprovalRule(
        id=row["id"],
        tool=row["tool"],
        match=json.loads(row["pattern"]),
        agent=row["agent_id"],
        origins=[row["origin"]],
        decision=row["decision"],
        state=row["state"],
        source=f"accepted by {row['decided_by']}" if row["state"] == "active" else "your answers",
        because=json.loads(row["because"]),
        would=list(would),
        created_at=row["created_at"],
    )


def _written(rule: Rule) -> ApprovalRule:
    return ApprovalRule(
        id="",
        tool=rule.tool,
        match=dict(rule.match),
        agent=rule.agent,
        origins=sorted(rule.origins),
        decision=rule.decision,
        state="written",
        source=rule.source,
    )


def _no_rule(rule_id: str) -> NotFound:
    return NotFound(
        f"There is no rule {rule_id!r}.", "`hearth approvals rules` lists them; those of policy.toml are changed there."
    )
