"""A person's decision on one exact action."""

from typing import Literal

from pydantic import Field, model_validator

from hearth_shared.protocol.base import Json, Message, Request, Seconds

Decision = Literal["accept", "edit", "respond", "ignore"]
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
    sha256: str = Field(description="of the canonical JSON of tool and args: what is approved is what is done")
    reach: list[str] = Field(default=[], description="what it can touch")
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


class ApprovalList(Message):
    """Pending first, then newest first."""

    approvals: list[Approval]


class DecisionRequest(Request):
    """accept = do it; edit = do this instead (`args`); respond = don't, and here is why (`text`); ignore = don't."""

    decision: Decision
    args: Json | None = None
    text: str | None = Field(default=None, max_length=10_000)

    @model_validator(mode="after")
    def _fits(self) -> "DecisionRequest":
        if (self.decision == "edit") != (self.args is not None):
            raise ValueError("`args` goes with `edit`, and only with it")
        if self.decision == "respond" and not self.text:
            raise ValueError("`respond` needs `text`: the run reads it")
        return self
