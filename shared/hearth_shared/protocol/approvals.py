"""A person's decision on one exact action."""

from typing import Literal

from pydantic import Field, model_validator

from hearth_shared.protocol.base import Json, Message, Request, Seconds

Decision = Literal["accept", "edit", "respond", "ignore"]
Remember = Literal["once", "run"]
ApprovalStatus = Literal["pending", "decided", "expired"]


class Approval(Message):
    """What is asked, because of what, and how it was decided."""

    id: str
    run_id: str | None = None
    thread_id: str | None = None
    agent_id: str
    door: str
    tool: str
    args: Json
    sha256: str = Field(
        description="of tool, args and the state of what they touch: what is approved is what is done, or nothing is"
    )
    kind: Literal["act", "unknown"] = Field(
        default="act", description="unknown: it was begun before Hearth stopped; accept does it again"
    )
    why: str = Field(default="", description="why it is asked")
    reach: list[str] = Field(default=[], description="what it can touch")
    paths: list[str] = Field(default=[], description="files and folders it is about")
    preview: str = Field(default="", description="what would change, as a diff")
    undo: str = ""
    quotes: list[Json] = Field(default=[], description="because of what: {text, source, trusted}")
    status: ApprovalStatus
    created_at: Seconds
    expires_at: Seconds
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at: Seconds | None = None
    decided_args: Json | None = None
    text: str | None = None
    remember: Remember = "once"
    used_at: Seconds | None = None


class ApprovalList(Message):
    """Pending first, then newest first."""

    approvals: list[Approval]
    may_decide: bool = Field(default=False, description="whether whoever asks may decide them")


class DecisionRequest(Request):
    """accept = do it; edit = do this instead (`args`); respond = don't, and here is why (`text`); ignore = don't."""

    decision: Decision
    args: Json | None = None
    text: str | None = Field(default=None, max_length=10_000)
    remember: Remember = Field(
        default="once", description="run: the same answer for calls like this one, until this task ends"
    )

    @model_validator(mode="after")
    def _fits(self) -> "DecisionRequest":
        if (self.decision == "edit") != (self.args is not None):
            raise ValueError("`args` goes with `edit`, and only with it")
        if self.decision == "respond" and not self.text:
            raise ValueError("`respond` needs `text`: the run reads it")
        if self.remember == "run" and self.decision not in ("accept", "ignore"):
            raise ValueError("only `accept` and `ignore` are remembered for a task")
        return self


class ReplayedCall(Message):
    """A call that was decided, held against a rule."""

    approval_id: str
    subject: str
    decision: Decision
    decided_at: Seconds


class ApprovalRule(Message):
    """A rule about calls like each other: one that equal answers propose, one that was accepted, or one of
    policy.toml."""

    id: str = Field(description="empty for a rule of policy.toml, which is changed there")
    tool: str
    match: dict[str, str] = {}
    agent: str = ""
    origins: list[str] = []
    decision: Literal["allow", "ask", "deny"]
    state: Literal["proposed", "active", "written"]
    source: str = ""
    because: list[str] = Field(default=[], description="the approvals whose answers propose it")
    would: list[ReplayedCall] = Field(default=[], description="what it would have decided, and how you decided it")
    created_at: Seconds | None = None


class ApprovalRuleList(Message):
    """Proposed ones first. `problem` says why policy.toml cannot be read; until it is mended everything asks."""

    rules: list[ApprovalRule]
    problem: str = ""


class RuleDecision(Request):
    """accept: from now on; ignore: do not propose it again."""

    decision: Literal["accept", "ignore"]
