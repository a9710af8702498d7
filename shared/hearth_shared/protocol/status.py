"""How Hearth is."""

from typing import Literal

from pydantic import Field

from hearth_shared.protocol.base import Json, Message, Request
from hearth_shared.protocol.models import ModelInfo

CheckState = Literal["ok", "warn", "fault"]


class Component(Message):
    """One part of the backend and whether it does its work."""

    name: str
    state: CheckState
    detail: str = ""
    fix: str = ""


class Ready(Message):
    """`ready` is false while a needed component cannot do its work."""

    ready: bool
    components: list[Component]


class Status(Message):
    """What a person wants to know at a glance."""

    state: Literal["idle", "thinking", "needs you", "paused", "no model", "fault"]
    version: str
    home: str
    uptime_s: float
    models: list[ModelInfo]
    lanes: dict[str, int] = Field(description="queued and running by lane")
    memory: dict[str, int] = Field(description="episodes, vectors, waiting to be embedded")
    approvals_pending: int
    doors: dict[str, str] = Field(description="door to address")
    components: list[Component]
    seq: int = Field(default=0, description="of the newest event before this: follow `after_seq` and miss none")


class Check(Message):
    """One thing doctor did, and what came of it."""

    name: str
    state: CheckState
    detail: str
    fix: str = ""


class Doctor(Message):
    """All checks, performed now."""

    ok: bool
    checks: list[Check]


class SettingChange(Request):
    """Options to set: dotted name to value. Stored in config.toml."""

    values: Json


class SettingsView(Message):
    """Every option with its type, default, help and present value; never a secret."""

    json_schema: Json
    values: Json
    needs_restart: list[str] = []


class UsageRow(Message):
    """One model call."""

    at: float
    request_id: str
    run_id: str | None = None
    door: str
    client: str = ""
    role: str
    model: str
    provider: str
    where: str
    input_tokens: int
    output_tokens: int
    cost: float | None
    ms: float
    first_ms: float | None = None
    ok: bool
    error: str = ""
    thread_id: str | None = None
    agent: str = ""
    instead_of: str = Field(default="", description="the model that should have answered, when another did")
    because: str = Field(default="", description="why it did not")


UsageBy = Literal["model", "thread", "agent", "door", "day"]


class Usage(Message):
    """Calls, newest first, with totals by model or what was asked for. A cost that is not known is null, never 0."""

    rows: list[UsageRow]
    totals: list[Json]
