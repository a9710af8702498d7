"""Small tools for tests, the guard that knows them, and what it takes to ask it."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ConfigDict

from hearth_backend.orchestrator.asking import Asking
from hearth_backend.orchestrator.rules import Rules
from hearth_backend.tools.policy import Policy
from hearth_backend.tools.registry import Registry
from hearth_backend.tools.tool import AnyTool, Arguments, Effect, Plan, Tool, ToolContext, ToolResult
from support.orchestra import Orchestra


class Anything(Arguments):
    """Whatever is given."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Marker(Tool[Anything]):
    """Notes what it was called with; `state` is the world its plan rests on."""

    name = "write"
    description = "Notes a call."
    takes = Anything

    def __init__(self, effect: Effect = "write", *, insists: str = "") -> None:
        self.effect = effect
        self.insists = insists
        self.state: dict[str, Any] = {}
        self.calls: list[dict[str, Any]] = []
        self.keys: list[str] = []

    async def plan(self, arguments: Anything, context: ToolContext) -> Plan:
        plain = await super().plan(arguments, context)
        return Plan(plain.subject, ("a place",), "Takes it back.", "+ a line", ("/a",), dict(self.state), self.insists)

    async def call(self, arguments: Anything, context: ToolContext) -> ToolResult:
        self.calls.append(arguments.model_dump(mode="json"))
        self.keys.append(context.key)
        return ToolResult("written")


class Recalling(Marker):
    """Knows how an interrupted call ended."""

    came_to: Literal["done", "not done", "unknown"] = "unknown"

    async def look_back(self, arguments: Anything, context: ToolContext) -> Literal["done", "not done", "unknown"]:
        return self.came_to


class OnePath(Arguments):
    """A path."""

    path: str


class Strict(Tool[OnePath]):
    """Takes a path and nothing else."""

    name = "write"
    description = "Writes."
    takes = OnePath
    effect: Effect = "write"

    async def call(self, arguments: OnePath, context: ToolContext) -> ToolResult:
        return ToolResult("written")


def asking(band: Orchestra, tools: Sequence[AnyTool] = (), policy: Policy | None = None) -> Asking:
    """A guard on a band's inbox."""
    held = policy or Policy()
    rules = Rules(band.database, lambda: held, band.clock)
    guard = Asking(band.approvals, rules, lambda: held, Registry(tools or [Marker()]), band.clock)
    band.approvals.rebind = guard.rebound
    return guard
